"""Whose account somebody who comes through an identity provider gets, and with which roles. Nobody takes another's."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from flask import Flask

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Action
from sop_server.errors import ConflictError
from sop_server.services.accounts.lapsing import lapse
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import (
    add_person,
    deactivate_person,
    end_role,
    get_person,
    grant_role,
    join_team,
    leave_team,
)
from sop_server.services.accounts.provider_accounts import provider_standing, undo_link
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.services.background import run_due
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.identity_provider import IdentityProvider
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Through

RITA = "rita@example.com"


def roles(stores: Stores, email: str = RITA) -> tuple[str, ...]:
    return get_person(stores, actor=OPERATOR, now=NOW, email=email).roles


def reasons(stores: Stores) -> list[object]:
    with stores.database.read() as session:
        return [event.details["why"] for event in audit.events(session, action="provider.refused")]


def told(stores: Stores, *actions: str) -> list[tuple[str, Mapping[str, object]]]:
    with stores.database.read() as session:
        found = [(event.action, event.details) for event in audit.events(session, actor="identity provider")]
    return [one for one in found if one[0] in actions]


def may_draft(stores: Stores, token: str, now: datetime) -> bool:
    actor = actor_for_token(stores, token=token, now=now)
    return actor is not None and actor.may_anywhere(Action.DRAFT)


def _of(app: Flask) -> Stores:
    found: Stores = app.extensions["stores"]
    return found


def test_an_address_that_the_provider_did_not_verify_links_nothing(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    for verified in (False, "false", None, 1, "yes"):
        there.claims["email_verified"] = verified
        refused = Browser(through()).go_through()
        assert refused.status_code == 401
        assert "Verify the address there" in words(refused)
    assert reasons(stores) == ["email_not_verified"], "one reason is told once in a minute"

    assert Browser(through(trusts_email=True)).go_through().status_code == 303


def test_whoever_takes_anothers_address_at_the_provider_does_not_get_their_account(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    assert Browser(app).go_through().status_code == 303
    there.claims["sub"] = "mallory"

    refused = Browser(app).go_through()

    assert refused.status_code == 401
    assert "belongs to another account of Contoso" in words(refused)
    assert reasons(stores) == ["other_subject"]


def test_a_new_address_at_the_provider_changes_nothing_here(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    Browser(app).go_through()
    there.claims["email"] = cast.admin.email
    browser = Browser(app)

    assert browser.go_through().status_code == 303
    assert "Rita Lopez" in browser.get("/me").text
    assert RITA in browser.get("/me").text
    assert browser.get("/admin/").status_code in {403, 404}


@pytest.mark.parametrize("before", ["linked", "not linked"])
def test_an_account_that_is_not_active_stays_closed(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores, before: str
) -> None:
    app = through()
    if before == "linked":
        Browser(app).go_through()
    deactivate_person(stores, actor=OPERATOR, now=NOW, email=RITA)

    refused = Browser(app).go_through()

    assert refused.status_code == 401
    assert "not active" in words(refused)
    assert not get_person(stores, actor=OPERATOR, now=NOW, email=RITA).active
    assert reasons(stores) == ["not_active"]


def test_somebody_unknown_here_stays_out(through: Through, there: IdentityProvider, cast: Cast, stores: Stores) -> None:
    there.claims["email"] = "stranger@example.com"

    refused = Browser(through()).go_through()

    assert "nobody here has that address" in words(refused)
    with stores.database.read() as session:
        assert not any("stranger" in f"{event.subject} {event.details}" for event in audit.events(session))


def test_somebody_new_comes_to_be_where_the_domain_and_a_group_say_so(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through(adds_people=True, domains=frozenset({"example.com"}))
    there.claims |= {"sub": "new", "email": "nina@example.com", "name": "Nina Roth"}
    there.claims["groups"] = ["/elsewhere"]
    assert "none of your groups" in words(Browser(app).go_through())
    there.claims["groups"] = ["/sop/care"]

    assert Browser(app).go_through().status_code == 303

    nina = get_person(stores, actor=OPERATOR, now=NOW, email="nina@example.com")
    assert (nina.name, nina.roles, nina.teams) == ("Nina Roth", ("editor@customer-care",), ("care-tier1",))
    assert not nina.has_password
    there.claims |= {"sub": "other", "email": "nina@sub.example.com"}
    assert "do not come in here" in words(Browser(app).go_through())


def test_groups_give_and_end_roles_and_what_was_given_by_hand_stays(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    Browser(app).go_through()
    assert roles(stores) == ("editor@customer-care", "reader@customer-care")
    standing = provider_standing(stores=_of(app), actor=OPERATOR, now=NOW, email=RITA)
    assert standing.roles == {"editor@customer-care"}
    assert standing.teams == {"care-tier1"}
    there.claims["groups"] = ["/sop/payments", "/unknown", 7]

    Browser(app).go_through()

    assert roles(stores) == ("approver@payments", "reader@customer-care")
    assert get_person(stores, actor=OPERATOR, now=NOW, email=RITA).teams == ("customer-care-tier2",)
    there.claims["groups"] = None
    Browser(app).go_through()
    assert roles(stores) == ("reader@customer-care",)
    events = told(stores, "role.granted", "role.ended", "team.joined", "team.left")
    assert [action for action, _ in reversed(events)] == [
        "role.granted",
        "team.joined",
        "role.granted",
        "role.ended",
        "team.left",
        "role.ended",
    ]
    assert events[-1][1] == {"role": "editor@customer-care", "through": there.url}


def test_what_a_group_gave_and_a_person_confirmed_by_hand_is_not_ended_by_the_group(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    Browser(app).go_through()
    grant_role(stores, actor=cast.admin, now=NOW, email=RITA, role="editor@customer-care")
    join_team(stores, actor=cast.admin, now=NOW, email=RITA, team="care-tier1")
    there.claims["groups"] = []

    Browser(app).go_through()

    assert "editor@customer-care" in roles(stores)
    assert "care-tier1" in get_person(stores, actor=OPERATOR, now=NOW, email=RITA).teams


def test_what_somebody_ended_here_comes_back_only_after_the_group_has_stopped_giving_it(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    Browser(app).go_through()
    end_role(stores, actor=cast.admin, now=NOW, email=RITA, role="editor@customer-care")
    leave_team(stores, actor=cast.admin, now=NOW, email=RITA, team="care-tier1")

    Browser(app).go_through()

    assert roles(stores) == ("reader@customer-care",)
    assert "care-tier1" not in get_person(stores, actor=OPERATOR, now=NOW, email=RITA).teams
    for groups in ([], ["/sop/care"]):
        there.claims["groups"] = groups
        Browser(app).go_through()
    assert "editor@customer-care" in roles(stores)
    assert "care-tier1" in get_person(stores, actor=OPERATOR, now=NOW, email=RITA).teams


def test_what_groups_gave_lapses_where_somebody_stays_away_and_comes_back_with_them(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores, clock: Clock
) -> None:
    app = through()
    Browser(app).go_through()
    token = create_token(stores, actor=OPERATOR, now=NOW, email=RITA)
    assert lapse(stores, now=NOW + timedelta(days=30)) == 0
    clock.now = NOW + timedelta(days=20)
    Browser(app).go_through()
    assert lapse(stores, now=NOW + timedelta(days=49)) == 0, "the last sign-in counts"

    clock.now = NOW + timedelta(days=51)
    told = run_due(stores, now=clock.now)

    assert "2 roles and teams of people who stayed away from the provider ended." in told
    with stores.database.read() as session:
        (event,) = audit.events(session, action="role.ended")
        assert event.details["why"] == "not signed in for too long"
    assert not may_draft(stores, token, clock.now)
    there.claims["groups"] = ["/sop/care"]
    Browser(app).go_through()
    assert may_draft(stores, token, clock.now)


def test_groups_that_the_provider_left_out_end_nothing_and_let_nobody_in(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    Browser(app).go_through()
    there.claims |= {"groups": None, "_claim_names": {"groups": "src1"}}

    refused = Browser(app).go_through()

    assert refused.status_code == 401
    assert "left your groups out" in words(refused)
    assert "editor@customer-care" in roles(stores)


def test_the_only_administrator_stays_one_and_is_told(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    there.claims["groups"] = ["/sop/admins"]
    Browser(app).go_through()
    deactivate_person(stores, actor=OPERATOR, now=NOW, email=cast.admin.email)
    there.claims["groups"] = []
    browser = Browser(app)

    browser.go_through()

    assert "admin" in roles(stores)
    assert "You stay one because nobody else is" in words(browser.get("/me"))
    ((_, details),) = told(stores, "role.kept")
    assert details["why"] == "only administrator"
    add_person(stores, actor=OPERATOR, now=NOW, email="eve@example.com", name="Eve", roles=["admin"])
    Browser(app).go_through()
    assert "admin" not in roles(stores)


def test_what_the_token_lacks_is_asked_for_at_the_other_door_and_the_signed_claims_win(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    there.userinfo = {"sub": "rita-at-work", "groups": ["/sop/payments"], "email": "eve@example.com"}
    there.userinfo |= {"email_verified": True}
    there.claims["groups"] = None

    assert Browser(through()).go_through().status_code == 303
    assert "approver@payments" in roles(stores)
    there.claims["email_verified"] = None
    there.claims["sub"] = there.userinfo["sub"] = "another"
    assert "Verify the address there" in words(Browser(through()).go_through()), "what is verified is another address"
    there.claims["email"] = "eve@example.com"
    assert "nobody here has that address" in words(Browser(through()).go_through()), "now it is this one"
    there.claims["sub"] = "somebody else than there"
    assert "cannot be relied on (userinfo)" in words(Browser(through()).go_through())


def test_an_undone_link_is_made_anew_by_the_next_sign_in(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    browser, admin = Browser(app), Browser(app).sign_in(cast.admin)
    browser.go_through()
    assert "linked with Contoso" in words(admin.get(f"/admin/people/{RITA}"))

    undone = admin.post(f"/admin/people/{RITA}/provider/undo")

    assert undone.status_code == 303
    assert browser.get("/me").status_code == 303, "every browser is signed out"
    there.claims["sub"] = "made anew"
    assert browser.go_through().status_code == 303
    undo_link(_of(app), actor=OPERATOR, now=NOW, email=RITA)
    with pytest.raises(ConflictError, match="linked with no account"):
        undo_link(_of(app), actor=OPERATOR, now=NOW, email=RITA)


def test_of_two_that_claim_one_account_at_once_one_gets_it(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    app = through()
    browsers = [Browser(app) for _ in range(4)]
    ways = []
    for number, browser in enumerate(browsers):
        ways.append(browser.begin())
        code = list(there.codes)[-1]
        there.codes[code]["subject"] = f"claimant {number}"
    statuses: list[int] = []

    def come(browser: Browser, way: str) -> None:
        statuses.append(browser.come_back(way).status_code)

    threads = [threading.Thread(target=come, args=one) for one in zip(browsers, ways, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [303, 401, 401, 401]


def test_a_password_that_the_provider_replaces_lets_in_administrators_alone(
    through: Through, there: IdentityProvider, cast: Cast, stores: Stores
) -> None:
    password = "four words of mine"
    set_password(stores, actor=OPERATOR, now=NOW, email=RITA, password=password)
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.admin.email, password=password)
    app = through(replaces_passwords=True)
    assert Browser(app).post("/login", email=RITA, password=password).status_code == 303, "not linked yet"
    browser = Browser(app)
    browser.go_through()

    refused = Browser(app).post("/login", email=RITA, password=password)

    assert refused.status_code == 401
    assert "You come in through Contoso alone" in words(refused)
    mine = browser.get("/me")
    assert "there alone" in words(mine)
    assert 'name="current"' not in mine.text
    changed = browser.post(
        "/me/password", current=password, password="other words of mine", again="other words of mine"
    )
    assert changed.status_code == 409
    admin = Browser(app).sign_in(cast.admin)
    assert admin.post(f"/admin/people/{RITA}/link").status_code == 409
    there.claims |= {"sub": "ada-at-work", "email": cast.admin.email}
    Browser(app).go_through()
    assert Browser(app).post("/login", email=cast.admin.email, password=password).status_code == 303
