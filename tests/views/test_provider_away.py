"""A provider that is down, slow, wrong or talks nonsense: a clear page, and the sign-in of this server goes on."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr

from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts import provider as over_http
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.provider import Provider
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from tests.identity_provider import IdentityProvider, identity_provider
from tests.mail_server import new_certificate
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Through

PASSWORD = "four words of mine"


def test_a_provider_that_is_down_leaves_the_sign_in_of_this_server(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = elsewhere(through(), "http://127.0.0.1:1")
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password=PASSWORD)

    away = Browser(app).get("/login/provider?next=/me")

    assert away.status_code == 503
    assert "Contoso does not answer as it should" in words(away)
    assert 'value="/me"' in away.text
    assert Browser(app).post("/login", email=cast.reader.email, password=PASSWORD).status_code == 303
    again = Browser(app).get("/login/provider")
    assert "it did not answer a moment ago" in words(again), "nobody waits for it again"


@pytest.mark.parametrize(
    "garbage", [b"<html>502</html>", b"[]", b"null", b"\xff\xfe", b'"' + b"x" * 600_000 + b'"', b"[" * 20_000]
)
def test_what_is_no_discovery_is_told(through: Through, there: IdentityProvider, cast: Cast, garbage: bytes) -> None:
    there.garbage = garbage

    away = Browser(through()).get("/login/provider")

    assert away.status_code == 503
    assert "what it said cannot be read" in words(away)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://login.evil.example"},
        {"issuer": None},
        {"authorization_endpoint": "http://login.evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["https://login.evil.example"]},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_names_something_else_than_it_should_is_not_gone_to(
    through: Through, there: IdentityProvider, cast: Cast, metadata: dict[str, object]
) -> None:
    there.metadata = metadata

    assert Browser(through()).get("/login/provider").status_code == 503


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_a_provider_that_fails_is_told(through: Through, there: IdentityProvider, cast: Cast, status: int) -> None:
    browser = Browser(through())
    way_back = browser.begin()
    there.status = status
    there.garbage = b"<html>sorry</html>"

    away = browser.come_back(way_back)

    assert away.status_code == 503
    assert browser.cookie() is None
    assert Browser(through()).get("/login/provider").status_code == 503


@pytest.mark.parametrize("garbage", [b"{}", b'{"id_token": 7}', b'{"id_token": "a.b.c"}', b'{"id_token": "\xc3\xa4"}'])
def test_a_token_that_is_none_lets_nobody_in(
    through: Through, there: IdentityProvider, cast: Cast, garbage: bytes
) -> None:
    browser = Browser(through())
    browser.come_back(browser.begin())  # what it says of itself and its keys are known
    browser = Browser(through())
    way_back = browser.begin()
    there.garbage = garbage

    refused = browser.come_back(way_back)

    assert refused.status_code in {401, 503}
    assert browser.cookie() is None


def test_a_slow_provider_keeps_nobody_waiting_for_long(
    through: Through, there: IdentityProvider, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_http, "_READ", 0.2)
    app = through()
    there.delay = 2.0
    begun = time.monotonic()

    away = Browser(app).get("/login/provider")
    again = Browser(app).get("/login/provider")

    assert away.status_code == again.status_code == 503
    assert "ReadTimeout" in words(away)
    assert time.monotonic() - begun < 1.5


def test_what_was_read_of_a_provider_serves_on_while_it_is_away(
    through: Through, there: IdentityProvider, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = through()
    assert Browser(app).go_through().status_code == 303
    monkeypatch.setattr(over_http, "_KEPT_SECONDS", 0.0)
    there.status = 500

    assert Browser(app).get("/login/provider").status_code == 303


def test_a_clock_that_is_wrong_is_named(through: Through, there: IdentityProvider, cast: Cast) -> None:
    there.twist = {"iat": NOW.timestamp() + 600, "exp": NOW.timestamp() + 900}

    assert "its clock and that of this server differ" in words(Browser(through()).go_through())


def test_signing_out_leads_on_to_the_provider_and_tells_it_who(
    through: Through, there: IdentityProvider, cast: Cast
) -> None:
    browser = Browser(through())
    browser.go_through()

    out = browser.post("/logout")

    assert out.status_code == 200
    assert browser.cookie() is None
    assert browser.get("/me").status_code == 303
    assert f'content="0;url={there.url}/leave?id_token_hint=' in out.text
    assert "client_id=sop-server" in out.text
    assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Flogin" in out.text
    assert out.headers["Cache-Control"] == "no-store"


def test_signing_out_of_a_session_that_did_not_come_from_there_goes_nowhere_else(
    through: Through, there: IdentityProvider, cast: Cast
) -> None:
    assert Browser(through()).sign_in(cast.reader).post("/logout").location == "/login"


@pytest.mark.parametrize("metadata", [{"end_session_endpoint": None}, {"end_session_endpoint": "http://evil.example"}])
def test_where_the_provider_has_no_sign_out_the_one_here_is_all(
    through: Through, there: IdentityProvider, cast: Cast, metadata: dict[str, object]
) -> None:
    there.metadata = metadata
    browser = Browser(through())
    browser.go_through()

    assert browser.post("/logout").location == "/login"
    assert browser.cookie() is None


def test_a_provider_over_tls_has_to_prove_itself(
    through: Through, cast: Cast, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = new_certificate(tmp_path)
    with identity_provider(clock, certificate=certificate) as guarded:
        away = Browser(elsewhere(through(), guarded.url)).get("/login/provider")
        assert away.status_code == 503
        assert "SSLError" in words(away)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

        assert Browser(elsewhere(through(), guarded.url)).get("/login/provider").status_code == 303


def elsewhere(app: Flask, issuer: str) -> Flask:
    """Return the application with its provider at another address."""
    stores: Stores = app.extensions["stores"]
    known = stores.provider
    assert known is not None
    provider = Provider(
        issuer=issuer,
        client_id=known.client_id,
        client_secret=known.client_secret,
        scopes=known.scopes,
        rules=known.rules,
        redirect_uri=known.redirect_uri,
        after_sign_out=known.after_sign_out,
    )
    settings = Settings(home=stores.home, secret_key=SecretStr("a secret for the tests alone"))
    return create_app(settings, stores=replace(stores, provider=provider))
