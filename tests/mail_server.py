"""A mail server that the tests start on the loopback, and its post."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Post:
    """What was delivered; `refusing` makes the server take nothing."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusing = False
        self.url = ""
        self.guarded: list[bool] = []
        self.signed_in: list[tuple[str, str]] = []

    def sign_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, told: Any) -> AuthResult:
        self.signed_in.append((told.login.decode(), told.password.decode()))
        return AuthResult(success=True)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusing:
            return "451 Try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        assert server.transport is not None
        self.guarded.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 Taken"


@contextmanager
def mail_server(*, certificate: Path | None = None, from_the_beginning: bool = False) -> Iterator[Post]:
    """Serve until the end: without TLS, or with that certificate after STARTTLS alone, or from the beginning."""
    post = Post()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    # aiosmtpd looks whether it is up at the port that it was told, so it has to be told one.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    guarded: dict[str, Any] = {}
    if context is not None:
        guarded = {"ssl_context": context} if from_the_beginning else {"tls_context": context, "require_starttls": True}
    controller = Controller(post, hostname="127.0.0.1", port=port, authenticator=post.sign_in, **guarded)
    controller.start()
    post.url = f"{'smtps' if from_the_beginning else 'smtp'}://127.0.0.1:{port}"
    yield post
    controller.stop()


def new_certificate(folder: Path, *, address: str = "127.0.0.1") -> Path:
    """Make a certificate of its own authority for an address; the file holds the key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{address}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file
