"""The two cookies: that of the session, and that which binds forms to the browser."""

import shutil

import pytest
from flask import Flask
from playwright.sync_api import sync_playwright
from werkzeug.test import TestResponse

from tests.web_rules.conftest import Served
from tests.web_rules.visiting import PASSWORD, PLAIN, TLS, Visit


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


def test_the_next_person_at_a_machine_goes_back_to_nothing(served: Served) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("There is no Chromium here.")
    address = f"http://localhost:{served.port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu"],
            # People's browsers keep whole pages to go back to.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{address}/sign-in/{served.readers_link}")
        for name in ("password", "again"):
            page.fill(f"main [name={name}]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(f"{address}/")
        page.goto(f"{address}/sops/SOP-0001")
        assert "Refunds" in page.title()
        page.goto(f"{address}/me")
        page.evaluate("document.querySelector('[data-sign-out]').requestSubmit()")
        page.wait_for_url("**/login")
        for _ in range(2):
            page.go_back()
            page.wait_for_url("**/login?next=*")
            assert "Refunds" not in page.content()
        browser.close()


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
