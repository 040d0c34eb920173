from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Action, Actor, Grant, Role
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts import people as accounts
from sop_server.services.accounts.expiring import ending_soon, tell_expired
from sop_server.services.accounts.people import add_person, get_person, grant_role, set_end
from sop_server.services.accounts.person_views import PersonView
from sop_server.services.accounts.sign_in import actor_for_session, create_sign_in_link, use_sign_in_link
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from sop_server.storage import audit, people, role_grants
from tests.services.conftest import Cast

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
END = NOW + timedelta(days=5)
MOMENT = timedelta(microseconds=1)
RITA = "rita@example.com"
APPROVER = "approver@payments"


def lend(stores: Stores, role: str = APPROVER, *, until: datetime = END, email: str = RITA) -> PersonView:
    return grant_role(stores, actor=OPERATOR, now=NOW, email=email, role=role, until=until, reason="Ben is away")


def held(stores: Stores, at: datetime, email: str = RITA) -> tuple[str, ...]:
    return get_person(stores, actor=OPERATOR, now=at, email=email).roles


def told(stores: Stores, action: str) -> list[dict[str, object]]:
    with stores.database.read() as session:
        return [dict(one.details) for one in audit.events(session) if one.action == action]


def test_a_role_that_ends_works_until_its_instant_and_not_at_it(stores: Stores, cast: Cast) -> None:
    lend(stores)
    with stores.database.read() as session:
        before = people.load_actor(session, cast.reader.person_id, END - MOMENT)
        at = people.load_actor(session, cast.reader.person_id, END)
    assert before is not None
    assert before.may(Action.DECIDE, "payments")
    assert at is not None
    assert not at.may_anywhere(Action.DECIDE)


def test_an_expired_role_stops_in_sessions_and_tokens_without_anybody_doing_anything(
    stores: Stores, cast: Cast
) -> None:
    lend(stores, until=NOW + timedelta(hours=1))
    end = NOW + timedelta(hours=1)
    token = create_token(stores, actor=OPERATOR, now=NOW, email=RITA)
    cookie = use_sign_in_link(stores, token=create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=RITA), now=NOW)

    def doors(at: datetime) -> list[Actor | None]:
        return [actor_for_session(stores, token=cookie, now=at), actor_for_token(stores, token=token, now=at)]

    for actor in doors(end - MOMENT):
        assert actor is not None
        assert Grant(Role.APPROVER, "payments") in actor.grants
    for actor in doors(end):
        assert actor is not None
        assert actor.grants == cast.reader.grants


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(days=1), NOW + timedelta(days=4000)])
def test_an_end_in_the_past_or_beyond_all_sense_is_refused(stores: Stores, cast: Cast, until: datetime) -> None:
    with pytest.raises(InvalidInputError) as refused:
        lend(stores, until=until)
    assert list(refused.value.fields) == ["until"]
    assert held(stores, NOW) == ("reader@payments",)


def test_a_role_that_ends_says_why(stores: Stores, cast: Cast) -> None:
    with pytest.raises(InvalidInputError) as refused:
        grant_role(stores, actor=OPERATOR, now=NOW, email=RITA, role=APPROVER, until=END, reason=" ")
    assert list(refused.value.fields) == ["reason"]


def test_an_end_is_moved_and_taken_away_and_each_word_about_it_is_kept(stores: Stores, cast: Cast) -> None:
    lend(stores)
    later, latest = END + timedelta(days=9), NOW + timedelta(days=2)
    given: dict[str, Any] = {"actor": cast.admin, "email": RITA, "role": APPROVER}
    set_end(stores, now=NOW + timedelta(days=1), until=later, reason="Ben is away for longer", **given)
    assert APPROVER in held(stores, END)
    set_end(stores, now=latest, until=None, reason="Ben left", **given)
    assert APPROVER in held(stores, later)
    with stores.database.read() as session:
        (row,) = [
            one for one in people.open_grants(session, [cast.reader.person_id], NOW) if one.role == Role.APPROVER.value
        ]
        said = [(one.ends_at, one.reason, one.recorded_by) for one in role_grants.said_ends(session, row.id)]
    assert said == [
        (END, "Ben is away", None),
        (later, "Ben is away for longer", cast.admin.person_id),
        (None, "Ben left", cast.admin.person_id),
    ]
    assert [one["until"] for one in told(stores, "role.end_set")] == ["no end", "2026-03-16T09:00:00Z"]


def test_an_end_that_has_passed_can_not_be_moved(stores: Stores, cast: Cast) -> None:
    lend(stores)
    with pytest.raises(NotFoundError, match="does not hold"):
        set_end(
            stores, actor=cast.admin, now=END, email=RITA, role=APPROVER, until=END + timedelta(days=1), reason="More"
        )


def test_nobody_moves_the_end_of_their_own_role(stores: Stores, cast: Cast) -> None:
    lend(stores, "admin", email=RITA)
    with stores.database.read() as session:
        rita = people.load_actor(session, cast.reader.person_id, NOW)
    assert rita is not None
    with pytest.raises(ForbiddenError, match="their own"):
        set_end(stores, actor=rita, now=NOW, email=RITA, role="admin", until=None, reason="I like it")


def test_a_role_is_ended_before_its_end_at_once(stores: Stores, cast: Cast) -> None:
    lend(stores)
    noon = NOW + timedelta(hours=3)
    accounts.end_role(stores, actor=cast.admin, now=noon, email=RITA, role=APPROVER)
    assert APPROVER in held(stores, noon - MOMENT)
    assert APPROVER not in held(stores, noon)
    assert tell_expired(stores, now=END) == 0, "it was ended by a person, who is in the trail"


def test_giving_a_role_that_is_held_with_another_end_is_told(stores: Stores, cast: Cast) -> None:
    lend(stores)
    with pytest.raises(ConflictError, match="Change its end instead"):
        grant_role(stores, actor=cast.admin, now=NOW, email=RITA, role=APPROVER)
    with pytest.raises(ConflictError, match="without an end"):
        lend(stores, "reader@payments")
    again = add_person(stores, actor=OPERATOR, now=NOW, email=RITA, name="Rita", roles=[APPROVER])
    assert [one.until for one in again.person.grants] == [END, None], "adding takes nothing away, and adds no time"


def test_an_expired_role_is_told_to_the_trail_once(stores: Stores, cast: Cast) -> None:
    lend(stores)
    scan(stores, now=END - MOMENT)
    assert told(stores, "role.expired") == []
    for hours in (0, 1, 2):
        scan(stores, now=END + timedelta(hours=hours))
    assert told(stores, "role.expired") == [{"role": APPROVER, "until": "2026-03-07T09:00:00Z"}]


def test_the_last_administrator_without_an_end_can_not_come_to_have_one(stores: Stores, cast: Cast) -> None:
    ada: dict[str, Any] = {"now": NOW, "email": "ada@example.com"}
    with pytest.raises(ConflictError, match="only administrator"):
        set_end(stores, actor=OPERATOR, role="admin", until=END, reason="Leaves", **ada)
    lend(stores, "admin", email="mia@example.com")
    # Another one for five days does not help: on the sixth nobody would be left.
    with pytest.raises(ConflictError, match="only administrator"):
        set_end(stores, actor=OPERATOR, role="admin", until=END - timedelta(days=1), reason="Leaves", **ada)
    with pytest.raises(ConflictError, match="only administrator"):
        accounts.end_role(stores, actor=OPERATOR, role="admin", **ada)
    with pytest.raises(ConflictError, match="only administrator"):
        accounts.deactivate_person(stores, actor=OPERATOR, **ada)
    grant_role(stores, actor=OPERATOR, now=NOW, email="max@example.com", role="admin")
    set_end(stores, actor=OPERATOR, role="admin", until=END, reason="Leaves", **ada)
    with stores.database.read() as session:
        assert people.administrators(session, END + timedelta(days=900)) == {cast.other_manager.person_id}


def test_whoever_decides_about_a_role_is_told_a_week_before_it_ends(stores: Stores, cast: Cast) -> None:
    lend(stores, until=NOW + timedelta(days=10))
    assert ending_soon(stores, actor=cast.manager, now=NOW) == ()
    soon = NOW + timedelta(days=4)
    for actor in (cast.manager, cast.admin):
        (one,) = ending_soon(stores, actor=actor, now=soon)
        assert (one.email, one.role, one.reason) == (RITA, APPROVER, "Ben is away")
    elsewhere = Actor(99, "x@example.com", "X", frozenset({Grant(Role.MANAGER, "customer-care")}))
    assert ending_soon(stores, actor=elsewhere, now=soon) == ()
    assert ending_soon(stores, actor=cast.editor, now=soon) == ()


def test_an_administrator_of_one_department_moves_ends_there_alone(stores: Stores, cast: Cast) -> None:
    lend(stores)
    local = Actor(98, "lia@example.com", "Lia", frozenset({Grant(Role.ADMIN, "customer-care")}))
    with pytest.raises(ForbiddenError):
        set_end(stores, actor=local, now=NOW, email=RITA, role=APPROVER, until=None, reason="Why not")


def test_whose_role_ends_does_not_give_themselves_one_that_outlasts_it(stores: Stores, cast: Cast) -> None:
    lend(stores, "admin")
    rita = people_actor(stores, cast)

    for role, until in ((APPROVER, None), ("admin@payments", None), (APPROVER, END + MOMENT)):
        with pytest.raises(ForbiddenError, match="lasts longer"):
            grant_role(stores, actor=rita, now=NOW, email=RITA, role=role, until=until, reason="Because")
        with pytest.raises(ForbiddenError, match="lasts longer"):
            add_person(
                stores, actor=rita, now=NOW, email=RITA, name=rita.name, roles=[role], until=until, reason="Because"
            )
    grant_role(stores, actor=rita, now=NOW, email=RITA, role=APPROVER, until=END, reason="Because")
    grant_role(stores, actor=rita, now=NOW, email="ben@example.com", role="manager@payments")
    assert held(stores, END, RITA) == ("reader@payments",)


def people_actor(stores: Stores, cast: Cast) -> Actor:
    with stores.database.read() as session:
        actor = people.load_actor(session, cast.reader.person_id, NOW)
    assert actor is not None
    return actor
