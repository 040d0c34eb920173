import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from pydantic import SecretStr

from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast

PASSWORD = "four words of mine"
AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def rita(stores: Stores, cast: Cast, as_person: AsPerson) -> Browser:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password=PASSWORD)
    return as_person(cast.reader)


def key_on(page: str) -> pyotp.TOTP:
    found = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert found is not None
    return pyotp.TOTP(found.group(1).replace(" ", ""))


def set_up(rita: Browser) -> tuple[pyotp.TOTP, list[str]]:
    rita.post("/me/second-factor/begin", password=PASSWORD)
    key = key_on(rita.get("/me/second-factor").text)
    shown = rita.post("/me/second-factor/confirm", code=key.at(NOW))
    assert shown.status_code == 200
    return key, re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", shown.text)


def test_a_person_sets_it_up_and_is_asked_at_the_next_sign_in(
    rita: Browser, app: Flask, cast: Cast, clock: Clock
) -> None:
    key, codes = set_up(rita)
    assert len(codes) == 10
    assert codes[0] not in rita.get("/me/second-factor").text
    assert "10 recovery codes left" in words(rita.get("/me"))
    clock.now = NOW + timedelta(minutes=1)

    browser = Browser(app)
    sent = browser.post("/login", email=cast.reader.email, password=PASSWORD, next="/sops/")
    assert sent.location == "/login/code?next=/sops/"
    assert browser.get("/me").status_code == 303, "half a sign-in shows nothing"
    assert "Now type the code" in words(browser.get(sent.location))
    half = browser.cookie()
    wrong = browser.post("/login/code", code="no code", next="/sops/")
    assert wrong.status_code == 401
    assert 'id="code-error"' in wrong.text
    came = browser.post("/login/code", code=key.at(clock.now), next="/sops/")

    assert (came.status_code, came.location) == (303, "/sops/")
    assert browser.cookie() not in {None, half}
    assert browser.get("/me").status_code == 200


def test_the_second_step_leads_to_this_server_alone(rita: Browser, app: Flask, cast: Cast) -> None:
    _key, codes = set_up(rita)
    browser = Browser(app)
    browser.post("/login", email=cast.reader.email, password=PASSWORD)

    assert browser.post("/login/code", code=codes[0], next="//evil.example").location == "/"


def test_ten_wrong_codes_are_enough(rita: Browser, app: Flask, cast: Cast) -> None:
    set_up(rita)
    browser = Browser(app)
    browser.post("/login", email=cast.reader.email, password=PASSWORD)
    for _ in range(10):
        assert browser.post("/login/code", code="no code").status_code == 401

    assert browser.post("/login/code", code="no code").status_code == 429


@pytest.mark.parametrize("path", ["/login/code", "/login/set-up"])
def test_without_a_password_there_is_no_second_step(stranger: Browser, rita: Browser, path: str) -> None:
    for browser in (stranger, rita):
        assert browser.get(path).location == "/login?next=/"
        assert browser.post(path, code="123456").status_code in {303, 401}


@pytest.mark.parametrize("path", ["begin", "confirm", "prove"])
def test_a_stranger_changes_nothing(stranger: Browser, path: str) -> None:
    assert stranger.get("/me/second-factor").status_code == 303
    assert stranger.post(f"/me/second-factor/{path}", password=PASSWORD, code="1", then="end").status_code == 303


def test_bad_input_is_told_beside_its_field(rita: Browser) -> None:
    assert 'id="password-error"' in rita.post("/me/second-factor/begin", password="a guess").text
    assert rita.post("/me/second-factor/confirm", code="123456").status_code == 409
    set_up(rita)
    assert rita.post("/me/second-factor/prove", password=PASSWORD, code="1", then="nothing").status_code == 409
    refused = rita.post("/me/second-factor/prove", password=PASSWORD, code="1", then="end")
    assert refused.status_code == 403
    assert 'id="code-error"' in refused.text


def test_it_is_turned_off_and_codes_are_renewed_with_password_and_code(rita: Browser) -> None:
    _key, codes = set_up(rita)

    renewed = rita.post("/me/second-factor/prove", password=PASSWORD, code=codes[0], then="codes")
    fresh = re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", renewed.text)
    assert len(fresh) == 10
    ended = rita.post("/me/second-factor/prove", password=PASSWORD, code=fresh[0], then="end")

    assert ended.location == "/me"
    assert "Off: the password alone lets me in" in words(rita.get("/me"))


def test_an_administrator_resets_it_and_nobody_else(rita: Browser, as_person: AsPerson, cast: Cast) -> None:
    set_up(rita)
    address = f"/admin/people/{cast.reader.email}/second-factor/reset"
    assert as_person(cast.manager).post(address).status_code == 403
    assert rita.get("/me").status_code == 200
    ada = as_person(cast.admin)
    assert "second factor on" in words(ada.get(f"/admin/people/{cast.reader.email}"))

    assert ada.post(address).status_code == 303

    assert rita.get("/me").status_code == 303
    assert "no second factor" in words(ada.get(f"/admin/people/{cast.reader.email}"))
    assert ada.post(address).status_code == 409
    assert ada.post(f"/admin/people/{cast.admin.email}/second-factor/reset").status_code == 403


def test_whose_role_demands_it_sets_it_up_at_the_sign_in(stores: Stores, cast: Cast) -> None:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.approver.email, password=PASSWORD)
    settings = Settings(
        home=stores.home, secret_key=SecretStr("a secret for the tests alone"), second_factor="approver,admin"
    )
    strict = Stores(
        home=stores.home,
        database=stores.database,
        library=stores.library,
        search=stores.search,
        policy=settings.policy,
        clock=stores.clock,
    )
    browser = Browser(create_app(settings, stores=strict))

    sent = browser.post("/login", email=cast.approver.email, password=PASSWORD, next="/drafts/")
    assert sent.location == "/login/set-up?next=/drafts/"
    page = browser.get(sent.location).text
    assert "<svg" in page
    assert "style=" not in page
    key = key_on(page)
    assert browser.post("/login/set-up", code="no code").status_code == 403
    shown = browser.post("/login/set-up", code=key.at(NOW), next="/drafts/")

    assert shown.status_code == 200
    assert 'href="/drafts/"' in shown.text
    assert browser.get("/drafts/").status_code == 200
