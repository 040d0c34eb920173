"""Signing in by the header of a proxy: believed of the addresses that the settings name, and of nobody else."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.domain.proxy_door import ProxyDoor, parse_networks
from sop_server.errors import InvalidInputError
from sop_server.services.accounts import second_factor
from sop_server.services.accounts.people import deactivate_person
from sop_server.services.stores import Stores
from sop_server.settings import Settings, load_settings
from sop_server.storage import audit
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast

PROXY, ELSEWHERE = "10.0.0.5", "10.0.1.5"


class Named(Browser):
    """A browser whose requests come from `peer` with a header that names somebody."""

    def __init__(self, app: Flask, peer: str, named: str | None, forwarded_for: str | None = None) -> None:
        super().__init__(app)
        given = {"HTTP_X_FORWARDED_EMAIL": named, "HTTP_X_FORWARDED_FOR": forwarded_for}
        told = {name: value for name, value in given.items() if value is not None}
        self._client.environ_base = {**self._client.environ_base, "REMOTE_ADDR": peer, **told}

    def type_code(self, code: str) -> TestResponse:
        """Send the form of the second step."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/login/code").text)
        assert found is not None
        return self._client.post("/login/code", data={"csrf_token": found.group(1), "code": code})

    def name(self, email: str) -> None:
        """Have the proxy name somebody else from now on."""
        self._client.environ_base["HTTP_X_FORWARDED_EMAIL"] = email


@pytest.fixture
def proxied(stores: Stores) -> Callable[..., Flask]:
    def app_of(**changes: Any) -> Flask:
        given: dict[str, Any] = {
            "proxy_auth_header": "X-Forwarded-Email",
            "proxy_auth_from": "10.0.0.0/24, ::1",
            **changes,
        }
        settings = Settings(home=stores.home, secret_key=SecretStr("a secret for the tests alone"), **given)
        return create_app(settings, stores=stores)

    return app_of


def test_whom_a_known_proxy_names_comes_in_and_goes_where_they_wanted(
    proxied: Callable[..., Flask], cast: Cast, stores: Stores
) -> None:
    browser = Named(proxied(), PROXY, "Rita@Example.com")
    assert browser.get("/me").location == "/login?next=%2Fme"

    came = browser.get("/login?next=/me")

    assert came.location == "/me"
    assert "through proxy" in words(browser.get("/me"))
    with stores.database.read() as session:
        (event,) = audit.events(session, action="session.opened")
    assert (event.actor, event.details) == (cast.reader.email, {"through": "proxy"})


@pytest.mark.parametrize("peer", [ELSEWHERE, "127.0.0.1", "", "unix:", "10.0.0.5.evil.example"])
def test_the_header_of_anybody_else_is_not_there(proxied: Callable[..., Flask], cast: Cast, peer: str) -> None:
    browser = Named(proxied(), peer, cast.admin.email)

    asked = browser.get("/login")

    assert asked.status_code == 200
    assert browser.cookie() is None
    assert cast.admin.email not in asked.text


def test_it_is_the_other_end_of_the_connection_that_counts_and_no_address_that_a_header_tells(
    proxied: Callable[..., Flask], cast: Cast
) -> None:
    app = proxied(trusted_proxies=1)
    forged = Named(app, ELSEWHERE, cast.admin.email, forwarded_for=PROXY)
    assert forged.get("/login").status_code == 200

    real = Named(app, PROXY, cast.reader.email, forwarded_for="203.0.113.9")
    assert real.get("/login").status_code == 303
    assert "203.0.113.9" in words(real.get("/me"))


def test_without_the_setting_no_header_names_anybody(app: Flask, cast: Cast) -> None:
    assert Named(app, PROXY, cast.admin.email).get("/login").status_code == 200


def test_programs_are_known_by_their_token_alone(proxied: Callable[..., Flask], cast: Cast) -> None:
    assert Named(proxied(), PROXY, cast.admin.email).get("/api/v1/sops").status_code == 401


def test_somebody_unknown_or_not_active_gets_a_page_that_says_so(
    proxied: Callable[..., Flask], cast: Cast, stores: Stores
) -> None:
    app = proxied()
    unknown = Named(app, PROXY, "<b>nobody</b>@example.com").get("/login")
    assert unknown.status_code == 403
    assert "nobody here has that address" in words(unknown)
    assert "<b>nobody" not in unknown.text
    deactivate_person(stores, actor=OPERATOR, now=NOW, email=cast.reader.email)

    closed = Named(app, PROXY, cast.reader.email).get("/login")

    assert closed.status_code == 403
    assert "your account here is not active" in words(closed)
    with stores.database.read() as session:
        found = [(event.actor, event.details["why"]) for event in audit.events(session, action="proxy.refused")]
    assert found == [(cast.reader.email, "not_active"), ("proxy", "unknown")]


def test_two_names_in_one_header_are_nobody(proxied: Callable[..., Flask], cast: Cast) -> None:
    assert Named(proxied(), PROXY, f"{cast.reader.email},{cast.admin.email}").get("/login").status_code == 403


def test_whoever_comes_next_on_a_machine_is_not_the_one_before(
    proxied: Callable[..., Flask], cast: Cast, stores: Stores
) -> None:
    browser = Named(proxied(), PROXY, cast.admin.email)
    browser.get("/login")
    assert browser.get("/admin/").status_code == 200

    browser.name(cast.reader.email)

    assert browser.get("/admin/").location == "/login?next=%2Fadmin%2F"
    browser.get("/login")
    assert "Rita Lopez" in browser.get("/me").text
    with stores.database.read() as session:
        assert len(list(audit.events(session, action="session.ended"))) == 1


def test_signing_out_ends_the_session_and_does_not_let_in_again_at_once(
    proxied: Callable[..., Flask], cast: Cast
) -> None:
    browser = Named(proxied(), PROXY, cast.reader.email)
    browser.get("/login")

    out = browser.post("/logout")

    assert out.location == "/login?left=1"
    left = browser.get(str(out.location))
    assert browser.cookie() is None
    assert "Your company's sign-in still knows you as rita@example.com" in words(left)
    assert browser.get("/login").status_code == 303


def test_a_form_needs_its_token_behind_a_proxy_too(proxied: Callable[..., Flask], cast: Cast) -> None:
    browser = Named(proxied(), PROXY, cast.reader.email)
    browser.get("/login")

    assert browser._client.post("/me/sessions/end").status_code == 400  # noqa: SLF001 - a form that somebody else made


def test_a_second_factor_is_asked_for_behind_a_proxy_too(
    proxied: Callable[..., Flask], cast: Cast, stores: Stores, clock: Clock
) -> None:
    app = proxied()
    seal = app.extensions["seal"]
    second_factor.begin_proven(stores, seal, actor=cast.reader, now=NOW)
    key = second_factor.waiting_key(stores, seal, actor=cast.reader)
    assert key is not None
    code = pyotp.TOTP(key.text).at(NOW)
    second_factor.confirm(stores, seal, actor=cast.reader, now=NOW, code=code, address="", session_token="")
    browser = Named(app, PROXY, cast.reader.email)

    assert browser.get("/login").location == "/login/code?next=/"
    assert browser.get("/me").status_code == 303
    clock.now = NOW + timedelta(minutes=1)
    assert browser.type_code(pyotp.TOTP(key.text).at(clock.now)).status_code == 303
    assert browser.get("/me").status_code == 200


def test_networks_hold_what_they_say() -> None:
    door = ProxyDoor("X-User", parse_networks(["10.0.0.5", "2001:db8::/32", "192.168.0.0/16"]))
    for peer in ("10.0.0.5", "::ffff:10.0.0.5", "2001:db8::1", "192.168.7.7"):
        assert door.admits(peer)
    for peer in ("10.0.0.6", "::ffff:10.0.0.6", "2001:db9::1", "", "localhost", "10.0.0.5, 10.0.0.6"):
        assert not door.admits(peer)


@pytest.mark.parametrize(
    ("header", "networks", "told"),
    [
        ("X-Forwarded-Email", "", "SOP_PROXY_AUTH_FROM: must be set where SOP_PROXY_AUTH_HEADER is"),
        ("", "10.0.0.5", "SOP_PROXY_AUTH_FROM: must be set where SOP_PROXY_AUTH_HEADER is"),
        ("X-Forwarded-Email", "0.0.0.0/0", "is everybody"),
        ("X-Forwarded-Email", "10.0.0.5,::/0", "is everybody"),
        ("X-Forwarded-Email", "proxy.example.com", "is no address or network"),
        ("X Forwarded", "10.0.0.5", "SOP_PROXY_AUTH_HEADER: must be the name of a header"),
        ("Cookie", "10.0.0.5", "SOP_PROXY_AUTH_HEADER: must be the name of a header"),
    ],
)
def test_settings_that_would_believe_nobody_or_everybody_are_told(
    monkeypatch: pytest.MonkeyPatch, header: str, networks: str, told: str
) -> None:
    monkeypatch.setenv("SOP_PROXY_AUTH_HEADER", header)
    monkeypatch.setenv("SOP_PROXY_AUTH_FROM", networks)

    with pytest.raises(InvalidInputError) as caught:
        load_settings()
    assert told in caught.value.message
