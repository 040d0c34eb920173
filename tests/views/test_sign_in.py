from collections.abc import Callable

import pytest
from flask import Flask

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.sign_in import actor_for_session, create_sign_in_link
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast

PASSWORD = "four words of mine"


@pytest.fixture
def rita(stores: Stores, cast: Cast) -> Actor:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password=PASSWORD)
    return cast.reader


def test_a_stranger_is_sent_to_the_sign_in_and_from_there_to_where_they_wanted_to_go(
    stranger: Browser, rita: Actor
) -> None:
    sent = stranger.get("/sops/?department=payments")
    assert sent.status_code == 303
    assert sent.location == "/login?next=%2Fsops%2F%3Fdepartment%3Dpayments"

    came = stranger.post("/login", email=rita.email, password=PASSWORD, next="/sops/?department=payments")

    assert came.status_code == 303
    assert came.location == "/sops/?department=payments"
    assert "SameSite=Lax" in came.headers["Set-Cookie"]
    assert "HttpOnly" in came.headers["Set-Cookie"]


def test_a_wrong_password_keeps_the_address_and_says_what_to_do(stranger: Browser, rita: Actor) -> None:
    refused = stranger.post("/login", email=rita.email, password="something else", next="/sops/")

    assert refused.status_code == 401
    assert f'value="{rita.email}"' in refused.text
    assert 'value="/sops/"' in refused.text
    assert "ask an administrator for a sign-in link" in words(refused)
    assert stranger.cookie() is None


def test_after_ten_wrong_passwords_the_right_one_has_to_wait(stranger: Browser, rita: Actor) -> None:
    for _ in range(10):
        stranger.post("/login", email=rita.email, password="something else")

    refused = stranger.post("/login", email=rita.email, password=PASSWORD)

    assert refused.status_code == 429
    assert "Try again in 15 min" in words(refused)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
    ],
)
def test_the_sign_in_leads_to_this_server_alone(stranger: Browser, rita: Actor, elsewhere: str) -> None:
    came = stranger.post("/login", email=rita.email, password=PASSWORD, next=elsewhere)

    assert came.location == "/"


def test_a_form_without_its_token_does_nothing(app: Flask, rita: Actor) -> None:
    refused = app.test_client().post("/login", data={"email": rita.email, "password": PASSWORD})

    assert refused.status_code == 400
    assert "Set-Cookie" not in refused.headers or "sop_session" not in refused.headers["Set-Cookie"]


def test_signing_out_ends_the_session(as_person: Callable[[Actor], Browser], cast: Cast) -> None:
    browser = as_person(cast.reader)

    out = browser.post("/logout")

    assert out.status_code == 303
    assert out.location == "/login"
    assert browser.cookie() is None
    assert "You are signed out" in words(browser.get("/login"))


def test_signing_in_again_ends_the_session_of_before(stranger: Browser, stores: Stores, rita: Actor) -> None:
    stranger.post("/login", email=rita.email, password=PASSWORD)
    before = stranger.cookie()
    assert before is not None
    form = stranger.post("/login", email=rita.email, password=PASSWORD)

    assert form.status_code == 303
    assert stranger.cookie() != before
    assert actor_for_session(stores, token=before, now=NOW) is None


def test_whoever_is_signed_in_is_not_asked_again(as_person: Callable[[Actor], Browser], cast: Cast) -> None:
    assert as_person(cast.reader).get("/login?next=/me").location == "/me"


def test_a_link_sets_a_password_and_works_once(stores: Stores, app: Flask, cast: Cast) -> None:
    token = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=cast.editor.email)
    browser = Browser(app)
    assert browser.get(f"/sign-in/{token}").status_code == 200

    came = browser.post(f"/sign-in/{token}", password=PASSWORD, again=PASSWORD)

    assert came.status_code == 303
    assert browser.cookie() is not None
    again = Browser(app).post(f"/sign-in/{token}", password=PASSWORD, again=PASSWORD)
    assert again.status_code == 401
    assert "used already or has expired" in words(again)
    assert Browser(app).post("/login", email=cast.editor.email, password=PASSWORD).status_code == 303


def test_a_person_who_forgot_the_password_sets_a_new_one_by_link(stores: Stores, app: Flask, rita: Actor) -> None:
    token = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=rita.email)

    Browser(app).post(f"/sign-in/{token}", password="another four words", again="another four words")

    assert Browser(app).post("/login", email=rita.email, password=PASSWORD).status_code == 401
    assert Browser(app).post("/login", email=rita.email, password="another four words").status_code == 303


@pytest.mark.parametrize(("password", "again"), [("short", "short"), (PASSWORD, "not the same at all")])
def test_a_password_that_cannot_be_used_leaves_the_link_good(
    stores: Stores, app: Flask, cast: Cast, password: str, again: str
) -> None:
    token = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=cast.editor.email)

    refused = Browser(app).post(f"/sign-in/{token}", password=password, again=again)

    assert refused.status_code == 422
    assert Browser(app).post(f"/sign-in/{token}", password=PASSWORD, again=PASSWORD).status_code == 303


def test_a_link_expires_after_a_day(stores: Stores, app: Flask, cast: Cast, clock: Clock) -> None:
    token = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=cast.editor.email)
    clock.now = NOW.replace(day=5)

    assert Browser(app).post(f"/sign-in/{token}", password=PASSWORD, again=PASSWORD).status_code == 401
