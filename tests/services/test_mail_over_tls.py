"""Mail over TLS, to a real server with a certificate made here: taken where it proves the server, refused where not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.errors import BusyError
from sop_server.services.mailing import Mailer
from tests.mail_server import Post, mail_server, new_certificate

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def send(post: Post, *, user: str = "") -> None:
    mailer = Mailer(
        url=post.url.replace("://", f"://{user}@" if user else "://"),
        sender="sop-server@sops.example.com",
        public_url="https://sops.example.com",
        library_name="Procedures",
    )
    mailer.send(to="asha@example.com", subject="A link", text="Here it is.", now=NOW)


@pytest.mark.parametrize("how", ["STARTTLS", "smtps"])
def test_mail_goes_out_over_tls_to_a_server_that_proves_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    certificate, from_the_beginning = new_certificate(tmp_path), how == "smtps"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate=certificate, from_the_beginning=from_the_beginning) as post:
        send(post)

        assert [message["To"] for message in post.messages] == ["asha@example.com"]
        assert post.guarded == [True]


def test_the_password_goes_out_once_there_is_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = new_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate=certificate) as post:
        send(post, user="sops:very%40secret")

        assert post.signed_in == [("sops", "very@secret")]
        assert post.guarded == [True]


@pytest.mark.parametrize("how", ["STARTTLS", "smtps"])
@pytest.mark.parametrize(
    ("address", "why"), [("127.0.0.1", "self-signed certificate"), ("127.0.0.2", "IP address mismatch")]
)
def test_a_certificate_that_proves_nothing_gets_no_mail_and_no_password_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, address: str, why: str
) -> None:
    """The first is of an authority that nobody knows, the second of one that is known, for another server."""
    certificate, from_the_beginning = new_certificate(tmp_path, address=address), how == "smtps"
    if address != "127.0.0.1":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate=certificate, from_the_beginning=from_the_beginning) as post:
        with pytest.raises(BusyError) as caught:
            send(post, user="sops:verysecret")

        assert post.messages == []
        assert post.signed_in == []
    assert "showed a certificate that proves nothing" in caught.value.message
    assert why in caught.value.message
    assert "verysecret" not in caught.value.message
