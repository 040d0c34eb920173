"""The pages of the sign-in family, held against WCAG 2.2 AA by axe-core in a real Chromium, in two looks.

Skipped, with the reason, where there is no Chromium or no axe-core. Nothing listens: pages are handed to the browser.
"""

import functools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route, ViewportSize, sync_playwright
from pydantic import SecretStr
from werkzeug.test import TestResponse

from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.domain.policy import Policy
from sop_server.services.accounts import second_factor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.mailing import Mailer
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from tests.identity_provider import IdentityProvider
from tests.views.browser import Browser, Clock
from tests.views.conftest import NOW, Cast, Through

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="There is no axe-core here.")

ADDRESS, PASSWORD = "http://sops.test", "four words of mine"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOOKS: dict[str, tuple[ViewportSize, Any]] = {
    "wide and light": ({"width": 1280, "height": 900}, "light"),
    "narrow and dark": ({"width": 390, "height": 844}, "dark"),
}

Held = Callable[[TestResponse, str], None]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("There is no Chromium here.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def held(app: Flask, chromium: Chromium) -> Held:
    """Show an answer in every look, and hold it against the rules."""
    files = app.test_client()

    @functools.cache
    def file(path: str) -> tuple[str, bytes]:
        with files.get(path) as found:
            return found.headers["Content-Type"], found.data

    def shown(answer: TestResponse, name: str) -> None:
        for look, (size, scheme) in LOOKS.items():
            context = chromium.new_context(base_url=ADDRESS, viewport=size, color_scheme=scheme)
            page = context.new_page()

            def give(route: Route) -> None:
                asked = route.request.url.removeprefix(ADDRESS)
                kind, body = (answer.headers["Content-Type"], answer.data) if asked == "/" else file(asked)
                route.fulfill(status=200, headers={"Content-Type": kind}, body=body)

            page.route("**/*", give)
            page.goto("/")
            assert faults(page) == [], f"{name}, {look}"
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{name}, {look}"
            context.close()

    return shown


def faults(page: Page) -> list[str]:
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html']}" for one in found]


def test_axe_would_tell(chromium: Chromium) -> None:
    page = chromium.new_page()
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><input name="email"></main></html>')

    assert [one.partition(":")[0] for one in faults(page)] == ["label"]
    page.close()


def test_the_sign_in(held: Held, app: Flask, through: Through, there: IdentityProvider, cast: Cast) -> None:
    held(Browser(app).get("/login"), "the form")
    held(Browser(app).post("/login", email="rita@example.com", password="wrong"), "a wrong password")
    browser = Browser(through())
    held(browser.get("/login"), "with a provider")
    there.claims["email_verified"] = False
    held(browser.go_through(), "a sign-in there that was refused")
    there.claims["email_verified"] = True
    there.metadata = {"authorization_endpoint": None}
    held(Browser(through()).get("/login/provider"), "a provider that is away")


def test_the_sign_out(held: Held, through: Through, there: IdentityProvider, cast: Cast) -> None:
    browser = Browser(through())
    browser.go_through()
    out = browser.post("/logout")
    out.data = out.data.replace(b'http-equiv="refresh"', b'name="gone"')  # the page itself, not where it leads on to

    held(out, "signed out here")


def test_a_proxy(held: Held, stores: Stores, cast: Cast) -> None:
    settings = Settings(
        home=stores.home,
        secret_key=SecretStr("a secret for the tests alone"),
        proxy_auth_header="X-User",
        proxy_auth_from="127.0.0.1",
    )
    client = create_app(settings, stores=stores).test_client()
    client.environ_base["HTTP_X_USER"] = "nobody@example.com"

    held(client.get("/login"), "somebody unknown")
    held(client.get("/login?left=1"), "signed out")


def test_a_forgotten_password_and_an_invitation(held: Held, stores: Stores, app: Flask, cast: Cast) -> None:
    held(Browser(app).get("/login/forgotten"), "no mail")
    mailer = Mailer(url="smtp://127.0.0.1:1", sender="a@example.com", public_url="http://localhost", library_name="L")
    app.extensions["stores"] = replace(stores, mailer=mailer)
    held(Browser(app).get("/login/forgotten"), "mail")
    held(Browser(app).post("/login/forgotten", email="rita@example.com"), "asked")
    token = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=cast.reader.email)
    held(Browser(app).get(f"/sign-in/{token}"), "a link")
    held(Browser(app).post(f"/sign-in/{token}", password="short", again="short"), "too short")


def test_the_second_factor(held: Held, stores: Stores, app: Flask, cast: Cast, clock: Clock) -> None:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password=PASSWORD)
    app.extensions["stores"] = replace(stores, policy=Policy(second_factor_for=frozenset({"reader"})))
    browser = Browser(app)
    browser.post("/login", email=cast.reader.email, password=PASSWORD)
    held(browser.get("/login/set-up"), "setting it up")
    held(browser.post("/login/set-up", code="1"), "a wrong first code")
    key = second_factor.waiting_key(stores, app.extensions["seal"], actor=cast.reader)
    assert key is not None
    held(browser.post("/login/set-up", code=pyotp.TOTP(key.text).at(NOW)), "recovery codes")
    held(browser.get("/me/second-factor"), "on")
    other = Browser(app)
    other.post("/login", email=cast.reader.email, password=PASSWORD)
    held(other.get("/login/code"), "the code")
    clock.now = NOW + timedelta(minutes=1)
    held(other.post("/login/code", code="000000"), "a wrong code")


def test_ones_own_account(held: Held, through: Through, there: IdentityProvider, cast: Cast) -> None:
    browser = Browser(through())
    browser.go_through()
    held(browser.get("/me"), "linked")
    held(browser.post("/me/password", password="short", again="short"), "too short")
    held(browser.get("/me/second-factor"), "no password")
    alone = Browser(through(replaces_passwords=True))
    alone.go_through()
    held(alone.get("/me"), "through the provider alone")


def test_a_person_as_an_administrator_sees_them(
    held: Held, through: Through, there: IdentityProvider, cast: Cast
) -> None:
    app = through()
    Browser(app).go_through()

    held(Browser(app).sign_in(cast.admin).get("/admin/people/rita@example.com"), "linked")
