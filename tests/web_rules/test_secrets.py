"""What is told to nobody: in answers to errors, in the log of a server, in how long a refusal takes."""

import html
import re
import time

import pytest
import requests
from flask import Flask

from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts import people
from tests.web_rules.conftest import Served
from tests.web_rules.test_headers import faults
from tests.web_rules.visiting import EMAIL, PASSWORD, TLS, Visit

_FORM = re.compile(r'name="csrf_token" value="([^"]+)"')
_INSIDE = re.compile(r'Traceback|File "|sqlalchemy|sqlite3|\.py\b|/home/|site-packages|werkzeug|SELECT ', re.IGNORECASE)


def _form(browser: requests.Session, address: str, path: str) -> str:
    found = _FORM.search(browser.get(address + path, timeout=10).text)
    assert found is not None
    return html.unescape(found.group(1))


def test_the_log_of_a_server_holds_no_password_link_token_or_cookie(served: Served) -> None:
    browser, at, wrong = requests.Session(), served.address, "another password of mine"
    path = f"/sign-in/{served.link}"
    data = {"csrf_token": _form(browser, at, path), "password": PASSWORD, "again": PASSWORD}
    browser.post(at + path, data=data, timeout=30).raise_for_status()
    cookie = browser.cookies["sop_session"]
    requests.get(
        f"{at}/api/v1/sops", headers={"Authorization": f"Bearer {served.token}"}, timeout=10
    ).raise_for_status()
    stranger = requests.Session()
    data = {"csrf_token": _form(stranger, at, "/login"), "email": EMAIL, "password": wrong}
    assert stranger.post(f"{at}/login?password={wrong}", data=data, timeout=30).status_code == 401
    for raw in (f"GET /{PASSWORD} HTTP/9\r\n\r\n", f"GET / HTTP/1.1\r\nCookie sop_session={cookie}\r\n\r\n"):
        served.send(raw.encode())
    written = served.log.read_text("utf-8", "replace")
    for secret in (PASSWORD, wrong, served.link, served.token, cookie, data["csrf_token"]):
        assert secret not in written
    assert "Traceback" not in written


@pytest.mark.parametrize(
    "path",
    [
        "/sops/'%22",
        "/search?q=%00",
        "/tickets/x",
        "/reports/drift?at=x",
        "/sops/?department='",
        "/drafts/%F0%9F",
        "/login?next=%00",
        "/admin/people/%00",
        "/admin/audit?before=x",
    ],
)
def test_no_error_shows_what_is_inside(app: Flask, path: str) -> None:
    visit = Visit(app)
    visit.come_in()
    answer = visit.get(path)
    assert answer.status_code < 500
    assert _INSIDE.search(answer.text) is None
    assert faults(answer) == []


def test_an_error_that_nobody_foresaw_shows_a_reference_alone(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise RuntimeError("SELECT the password FROM /home/x.py")

    app.add_url_rule("/broken", "probes.broken", broken)
    answer = app.test_client().get("/broken", base_url=TLS)
    assert answer.status_code == 500
    assert _INSIDE.search(answer.text) is None
    assert faults(answer) == []
    assert "SELECT the password" in caplog.text


def test_an_error_at_the_sign_in_leaves_its_link_out_of_the_log(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def broken(token: str) -> str:
        raise RuntimeError(token[:1])

    app.add_url_rule("/sign-in/<token>/broken", "sign_in.broken", broken)
    assert app.test_client().get("/sign-in/a-secret-link/broken", base_url=TLS).status_code == 500
    assert "/sign-in/<token>/broken failed" in caplog.text
    assert "a-secret-link" not in caplog.text


def test_the_debugger_is_off(app: Flask) -> None:
    assert not app.debug
    assert not app.testing
    assert app.test_client().get("/console", base_url=TLS).status_code == 303
    assert app.test_client().get("/?__debugger__=yes&cmd=resource&f=debugger.js", base_url=TLS).status_code == 303


def test_a_refusal_takes_as_long_for_an_account_that_nobody_has(app: Flask) -> None:
    stores = app.extensions["stores"]
    visit = Visit(app)
    visit.come_in()
    people.add_person(stores, actor=OPERATOR, now=stores.clock(), email="no-password@example.com", name="No Password")
    other = Visit(app)
    taken: dict[str, list[float]] = {EMAIL: [], "nobody@example.com": [], "no-password@example.com": []}
    for _ in range(4):
        for email, times in taken.items():
            started = time.process_time()
            answer = other.post("/login", email=email, password="not the password at all")
            times.append(time.process_time() - started)
            assert answer.status_code == 401
    least = {email: min(times) for email, times in taken.items()}
    # A hash takes most of the time, so that leaving it out would be seen at once.
    assert max(least.values()) < 1.6 * min(least.values()), least
