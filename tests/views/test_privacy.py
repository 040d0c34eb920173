"""What is held about people, by the pages: as a file, and erased."""

import json
from collections.abc import Callable

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import deactivate_person, list_people
from sop_server.services.stores import Stores
from tests.identity_provider import IdentityProvider
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast, Through

AsPerson = Callable[[Actor], Browser]

PAUL = "/admin/people/paul@example.com"


@pytest.fixture
def admin(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.admin)


def names(stores: Stores) -> set[str]:
    return {one.name for one in list_people(stores, actor=OPERATOR, now=NOW).items}


def test_somebody_takes_what_is_held_about_them_from_their_account(as_person: AsPerson, cast: Cast) -> None:
    browser = as_person(cast.reader)
    assert "/me/held.json" in browser.get("/me").text
    taken = browser.get("/me/held.json")
    assert "attachment" in taken.headers["Content-Disposition"]
    assert json.loads(taken.data)["person"]["email"] == cast.reader.email
    assert browser.get(f"{PAUL}/held.json").status_code == 403


def test_an_erasure_is_explained_and_takes_the_address_once_more(admin: Browser, stores: Stores, cast: Cast) -> None:
    refused = admin.get(f"{PAUL}/erase")
    assert refused.status_code == 409
    assert "still active" in words(refused)
    deactivate_person(stores, actor=cast.admin, now=NOW, email=cast.payments_reader.email)

    page = words(admin.get(f"{PAUL}/erase"))
    assert "What cannot be erased here" in page
    assert "commits name their authors and approvers" in page
    slip = admin.post(f"{PAUL}/erase", typed="paul@example.org")
    assert slip.status_code == 422
    assert 'id="typed-error"' in slip.text
    assert "Paul Reyes" in names(stores)

    sent = admin.post(f"{PAUL}/erase", typed="paul@example.com")
    assert sent.status_code == 303
    shown = words(admin.get(sent.location))
    assert "Erased. What is left is called “former colleague P-" in shown
    assert "Paul Reyes" not in names(stores)
    assert admin.get(PAUL).status_code == 404


def test_only_an_administrator_of_all_departments_erases(as_person: AsPerson, stores: Stores, cast: Cast) -> None:
    deactivate_person(stores, actor=cast.admin, now=NOW, email=cast.payments_reader.email)
    for somebody in (cast.manager, cast.approver, cast.reader):
        assert as_person(somebody).get(f"{PAUL}/erase").status_code == 403
        assert as_person(somebody).post(f"{PAUL}/erase", typed="paul@example.com").status_code == 403
    assert "Paul Reyes" in names(stores)


def test_whoever_may_come_in_again_through_a_provider_is_named_before_the_erasure(
    through: Through, there: IdentityProvider, stores: Stores, cast: Cast
) -> None:
    there.claims |= {"sub": "ada", "email": cast.admin.email}
    browser = Browser(through())
    browser.go_through()
    deactivate_person(stores, actor=cast.admin, now=NOW, email=cast.payments_reader.email)

    assert "Their account at Contoso" in words(browser.get(f"{PAUL}/erase"))
