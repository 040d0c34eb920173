"""The two cookies: that of the session, and that which binds forms to the browser."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.web_rules.visiting import PLAIN, TLS, Visit


def cookies(answer: TestResponse) -> dict[str, list[str]]:
    """Return the attributes of each cookie that an answer sets."""
    lines = (line.split("; ") for line in answer.headers.getlist("Set-Cookie"))
    return {line[0].partition("=")[0]: sorted(line[1:]) for line in lines}


def test_over_tls_each_is_bound_to_this_host_and_kept_from_scripts(app: Flask) -> None:
    visit = Visit(app, TLS)
    set_there = cookies(visit.come_in())
    assert sorted(set_there) == ["__Host-sop_form", "__Host-sop_session"]
    for name, attributes in set_there.items():
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes), name
        assert not any(one.startswith("Domain") for one in attributes)


def test_without_tls_the_demonstration_works(app: Flask) -> None:
    visit = Visit(app, PLAIN)
    set_there = cookies(visit.come_in())
    assert "sop_session" in set_there
    assert "Secure" not in set_there["sop_session"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(set_there["sop_session"])
    assert visit.get("/me").status_code == 200


def test_a_cookie_that_another_host_could_have_set_is_none_over_tls(app: Flask) -> None:
    visit = Visit(app, TLS)
    visit.come_in()
    token = visit.client.get_cookie("__Host-sop_session", domain="sops.example.com")
    assert token is not None
    other = app.test_client()
    other.set_cookie("sop_session", token.value, domain="sops.example.com")
    assert other.get("/me", base_url=TLS).status_code == 303
    other.set_cookie("__Host-sop_session", token.value, domain="sops.example.com")
    assert other.get("/me", base_url=TLS).status_code == 200


@pytest.mark.parametrize("base", [TLS, PLAIN])
def test_signing_out_takes_the_cookie_and_what_the_browser_keeps(app: Flask, base: str) -> None:
    visit = Visit(app, base)
    visit.come_in()
    answer = visit.post("/logout")
    name = "__Host-sop_session" if base == TLS else "sop_session"
    assert "Max-Age=0" in cookies(answer)[name]
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert visit.get("/me").status_code == 303


def test_the_token_of_a_session_stands_in_its_cookie_alone(app: Flask) -> None:
    visit = Visit(app)
    visit.come_in()
    token = visit.client.get_cookie("__Host-sop_session", domain="sops.example.com")
    assert token is not None
    assert len(token.value) * 6 >= 128
    for path in ("/", "/me", "/sops/", "/no-such-page"):
        answer = visit.get(path)
        assert token.value not in answer.text
        assert token.value not in answer.headers.get("Location", "")


def test_no_cookie_is_too_large_to_be_kept(app: Flask) -> None:
    visit = Visit(app)
    answer = visit.come_in()
    for _ in range(30):
        visit.post("/logout")
        answer = visit.get("/login")
    assert all(len(line) < 4096 for line in answer.headers.getlist("Set-Cookie"))
