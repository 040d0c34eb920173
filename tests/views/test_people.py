import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import add_person, get_person
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

RITA = "/admin/people/rita@example.com"
END = NOW.replace(day=4, hour=0)
"""When the third of November is over."""


@pytest.fixture
def admin(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.admin)


@pytest.fixture
def care_admin(stores: Stores, cast: Cast, as_person: AsPerson) -> Browser:
    """Somebody who administers customer care alone."""
    added = add_person(
        stores, actor=OPERATOR, now=NOW, email="cora@example.com", name="Cora Lind", roles=["admin@customer-care"]
    )
    return as_person(Actor(added.person.id, "cora@example.com", "Cora Lind", frozenset()))


def test_a_person_is_added_with_roles_and_teams(admin: Browser, stores: Stores, cast: Cast) -> None:
    sent = admin.post(
        "/admin/people/new",
        email="New.Person@example.com",
        name="New Person",
        roles="reader, editor@payments",
        teams="payments-tier1",
    )

    assert sent.status_code == 303
    known = get_person(stores, actor=cast.admin, now=NOW, email="new.person@example.com")
    assert known.roles == ("editor@payments", "reader")
    assert known.teams == ("payments-tier1",)
    assert "New Person is added" in words(admin.get(sent.location))


@pytest.mark.parametrize(
    ("email", "roles", "field"), [("nobody", "reader", "email"), ("new@example.com", "king", "roles")]
)
def test_a_refused_person_stays_typed(admin: Browser, email: str, roles: str, field: str) -> None:
    refused = admin.post("/admin/people/new", email=email, name="New Person", roles=roles)

    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert f'value="{email}"' in refused.text
    assert 'value="New Person"' in refused.text


def test_adding_somebody_who_is_there_changes_nothing(admin: Browser, stores: Stores, cast: Cast) -> None:
    refused = admin.post("/admin/people/new", email="RITA@example.com", name="Another Name", roles="admin")

    assert refused.status_code == 409
    known = get_person(stores, actor=cast.admin, now=NOW, email="rita@example.com")
    assert (known.name, known.roles) == ("Rita Lopez", ("reader@customer-care",))


def test_roles_and_teams_begin_and_end(admin: Browser, stores: Stores, cast: Cast) -> None:
    assert admin.post(f"{RITA}/roles", role="editor", department="payments").status_code == 303
    assert admin.post(f"{RITA}/roles/end", held="reader@customer-care").status_code == 303
    assert admin.post(f"{RITA}/teams", team="payments-tier1").status_code == 303
    assert admin.post(f"{RITA}/teams/leave", member_of="customer-care-tier2").status_code == 303
    assert admin.post(f"{RITA}/name", name="Rita Lopez Diaz").status_code == 303

    known = get_person(stores, actor=cast.admin, now=NOW, email="rita@example.com")
    assert (known.name, known.roles, known.teams) == ("Rita Lopez Diaz", ("editor@payments",), ("payments-tier1",))


@pytest.mark.parametrize(
    ("change", "fields", "status"),
    [
        ("roles", {"role": "king"}, 422),
        ("teams", {"team": "No Slug"}, 422),
        ("name", {"name": "<b>"}, 422),
    ],
)
def test_a_change_that_cannot_be_made_is_told_on_the_page(
    admin: Browser, change: str, fields: dict[str, str], status: int
) -> None:
    refused = admin.post(f"{RITA}/{change}", **fields)

    assert refused.status_code == status
    assert 'role="alert"' in refused.text


def test_a_role_that_is_not_held_cannot_end(admin: Browser) -> None:
    assert admin.post(f"{RITA}/roles/end", held="manager").status_code == 404


def test_the_last_administrator_stays(admin: Browser, cast: Cast) -> None:
    refused = admin.post(f"/admin/people/{cast.admin.email}/deactivate")

    assert refused.status_code == 409
    assert "only administrator" in words(refused)


def test_whoever_is_deactivated_is_out_at_once_and_may_come_back(
    admin: Browser, as_person: AsPerson, cast: Cast
) -> None:
    rita = as_person(cast.reader)
    assert rita.get("/me").status_code == 200

    assert admin.post(f"{RITA}/deactivate").status_code == 303
    assert rita.get("/me").status_code == 303

    assert admin.post(f"{RITA}/reactivate").status_code == 303
    assert as_person(cast.reader).get("/me").status_code == 200


def test_a_sign_in_link_is_shown_once_and_lets_the_person_in(admin: Browser, app: Flask) -> None:
    made = admin.post(f"{RITA}/link")

    found = re.search(r"https?://[^/]+(/sign-in/[\w-]+)", made.text)
    assert found is not None
    assert made.headers["Cache-Control"] == "no-store"
    assert found.group(1) not in admin.get(RITA).text
    assert Browser(app).get(found.group(1)).status_code == 200


def test_a_token_is_shown_once_and_can_be_revoked(admin: Browser, stores: Stores, cast: Cast) -> None:
    made = admin.post(f"{RITA}/tokens", scope="read")

    found = re.search(r"sop_[\w-]{40}", made.text)
    assert found is not None
    acting = actor_for_token(stores, token=found.group(0), now=NOW)
    assert acting is not None
    assert (acting.email, acting.scope) == (cast.reader.email, "read")
    assert found.group(0) not in admin.get(RITA).text

    assert admin.post(f"{RITA}/tokens/1/revoke").status_code == 303
    assert actor_for_token(stores, token=found.group(0), now=NOW) is None


def test_a_token_of_an_unknown_scope_is_refused(admin: Browser) -> None:
    assert admin.post(f"{RITA}/tokens", scope="everything").status_code == 422


def test_the_administrator_of_a_department_gives_roles_there_alone(care_admin: Browser) -> None:
    assert care_admin.post(f"{RITA}/roles", role="editor", department="customer-care").status_code == 303
    assert care_admin.post(f"{RITA}/roles", role="editor", department="payments").status_code == 403
    assert care_admin.post(f"{RITA}/link").status_code == 403
    assert care_admin.post(f"{RITA}/tokens", scope="read").status_code == 403


def test_people_are_found_by_name_and_address(admin: Browser) -> None:
    page = words(admin.get("/admin/people/?q=lopez"))

    assert "rita@example.com" in page
    assert "asha@example.com" not in page
    assert "Nobody is called that" in words(admin.get("/admin/people/?q=zzz"))


def test_a_role_is_given_for_a_time_and_its_end_is_moved(
    admin: Browser, as_person: AsPerson, stores: Stores, cast: Cast
) -> None:
    lent = {"role": "approver", "department": "customer-care", "until": "2026-11-08"}
    refused = admin.post(f"{RITA}/roles", **lent)
    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.text
    assert 'value="2026-11-08"' in refused.text
    assert admin.post(f"{RITA}/roles", **lent, reason="Ben is away").status_code == 303
    page = words(admin.get(RITA))
    assert "ends in 5 days" in page
    assert "Ben is away" in page
    own = words(as_person(cast.reader).get("/me"))
    assert "Your role approver@customer-care ends in 5 days" in own

    moved = {"held": "approver@customer-care", "until": "2026-11-20", "reason": "Ben is ill"}
    assert admin.post(f"{RITA}/roles/until", **moved).status_code == 303
    assert "until Sat 21 Nov 2026, 00:00 UTC: Ben is ill" in words(admin.get(RITA))
    past = admin.post(f"{RITA}/roles/until", **{**moved, "until": "2026-11-01"})
    assert past.status_code == 422
    assert 'id="until-1-error"' in past.text
    assert admin.post(f"{RITA}/roles/until", held="manager", reason="x").status_code == 404


def test_the_administrator_of_a_department_moves_the_ends_of_its_roles_alone(care_admin: Browser) -> None:
    given = {"until": "2026-11-20", "reason": "For a while"}
    assert care_admin.post(f"{RITA}/roles/until", held="reader@customer-care", **given).status_code == 303
    paul = "/admin/people/paul@example.com/roles/until"
    assert care_admin.post(paul, held="reader@payments", **given).status_code == 403


def test_a_role_that_ends_closes_pages_that_were_kept_at_its_instant_and_nothing_has_to_run(
    app: Flask, as_person: AsPerson, cast: Cast, stores: Stores, publish: Publish
) -> None:
    sop_id = publish(payments=True, content=sop_text(department="payments", owner="eva@example.com"))
    token = create_token(stores, actor=cast.admin, now=NOW, email=cast.reader.email)
    call = {"Authorization": f"Bearer {token}"}
    lent = {"role": "reader", "department": "payments", "until": "2026-11-03", "reason": "Looks something up"}
    assert as_person(cast.admin).post(f"{RITA}/roles", **lent).status_code == 303
    places = (f"/sops/{sop_id}", f"/sops/{sop_id}/revisions", f"/sops/{sop_id}/revisions/1")
    assert isinstance(stores.clock, Clock)
    stores.clock.now = END - timedelta(microseconds=1)
    rita = as_person(cast.reader)
    tags = {place: rita.get(place).headers.get("ETag") for place in places}
    assert all(rita.get(place).status_code == 200 for place in places)
    assert sop_id in rita.get("/sops/").text
    assert sop_id in rita.get("/search?q=refunds").text
    assert app.test_client().get(f"/api/v1/sops/{sop_id}", headers=call).status_code == 200

    stores.clock.now = END
    for place in places:
        assert rita.get(place, etag=tags[place]).status_code == 404
    assert sop_id not in rita.get("/sops/").text
    assert sop_id not in rita.get("/search?q=refunds").text
    assert app.test_client().get(f"/api/v1/sops/{sop_id}", headers=call).status_code == 404
