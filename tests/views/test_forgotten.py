from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from pydantic import SecretStr

from sop_server.app import create_app
from sop_server.domain.permissions import Actor
from sop_server.services.background import run_due
from sop_server.services.mailing import Mailer
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from tests.mail_server import Post, mail_server
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast


@pytest.fixture
def post() -> Iterator[Post]:
    with mail_server() as found:
        yield found


@pytest.fixture
def mailing(stores: Stores, post: Post) -> Flask:
    settings = Settings(home=stores.home, secret_key=SecretStr("a secret for the tests alone"))
    mailer = Mailer(url=post.url, sender="s@sops.example.com", public_url="https://sops.example.com", library_name="L")
    return create_app(settings, stores=replace(stores, mailer=mailer))


def test_the_answer_is_the_same_for_known_and_unknown_addresses(mailing: Flask, cast: Cast, post: Post) -> None:
    browser = Browser(mailing)
    assert "Forgotten the password?" in words(browser.get("/login"))
    assert "We send you a link" in words(browser.get("/login/forgotten"))

    known = browser.post("/login/forgotten", email=cast.reader.email)
    unknown = browser.post("/login/forgotten", email="nobody@example.com")

    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.text.replace(cast.reader.email, "…") == unknown.text.replace("nobody@example.com", "…")
    run_due(mailing.extensions["stores"], now=NOW)
    assert [message["To"] for message in post.messages] == [cast.reader.email]


def test_the_link_begins_with_the_address_of_the_settings_whatever_the_request_says(
    mailing: Flask, cast: Cast, post: Post
) -> None:
    browser = Browser(mailing)
    browser.get("/login/forgotten")
    browser.post("/login/forgotten", email=cast.reader.email)
    run_due(mailing.extensions["stores"], now=NOW)

    assert "https://sops.example.com/sign-in/" in post.messages[0].get_content()
    assert "localhost" not in post.messages[0].get_content()


def test_bad_input_and_too_much_of_it_are_told(mailing: Flask) -> None:
    browser = Browser(mailing)
    refused = browser.post("/login/forgotten", email="<b>no address")
    assert refused.status_code == 422
    assert "<b>no" not in refused.text
    for _ in range(10):
        browser.post("/login/forgotten", email="a@example.com")
    assert browser.post("/login/forgotten", email="a@example.com").status_code == 429


def test_without_a_mail_server_the_page_says_whom_to_ask(stranger: Browser, cast: Cast) -> None:
    assert "Ask an administrator" in words(stranger.get("/login/forgotten"))
    assert stranger.post("/login/forgotten", email=cast.reader.email).status_code == 409


def test_an_administrator_mails_an_invitation_and_nobody_else(
    mailing: Flask, as_person: Callable[[Actor], Browser], cast: Cast, post: Post
) -> None:
    address = f"/admin/people/{cast.editor.email}/invitation"
    assert Browser(mailing).post(address).status_code == 303
    assert Browser(mailing).sign_in(cast.manager).post(address).status_code == 403
    run_due(mailing.extensions["stores"], now=NOW)
    assert post.messages == []
    ada = Browser(mailing).sign_in(cast.admin)
    assert "Mail a sign-in link" in words(ada.get(f"/admin/people/{cast.editor.email}"))

    assert ada.post(address).status_code == 303

    run_due(mailing.extensions["stores"], now=NOW)
    assert [message["To"] for message in post.messages] == [cast.editor.email]
    here = as_person(cast.admin)
    assert "Mail a sign-in link" not in words(here.get(f"/admin/people/{cast.editor.email}"))
    assert here.post(address).status_code == 409
