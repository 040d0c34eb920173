from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Action, Actor, Grant, Role
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts.people import (
    add_person,
    deactivate_person,
    end_role,
    get_person,
    grant_role,
    join_team,
    leave_team,
    list_people,
    reactivate_person,
    rename_person,
)
from sop_server.services.stores import Stores
from sop_server.storage import audit, people

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def actor_at(stores: Stores, person_id: int, at: datetime) -> Actor | None:
    with stores.database.read() as session:
        return people.load_actor(session, person_id, at)


def add(stores: Stores, email: str, *roles: str, teams: tuple[str, ...] = (), now: datetime = NOW) -> Actor:
    added = add_person(stores, actor=OPERATOR, now=now, email=email, name="Some One", roles=roles, teams=teams)
    actor = actor_at(stores, added.person.id, now)
    assert actor is not None
    return actor


def test_a_person_comes_with_roles_teams_and_departments(stores: Stores) -> None:
    added = add_person(
        stores,
        actor=OPERATOR,
        now=NOW,
        email="  Asha@Example.COM ",
        name="Asha  Rao",
        roles=["editor@payments", "reader"],
        teams=["tier-1"],
    )

    assert added.created
    assert added.person.email == "asha@example.com"
    assert added.person.name == "Asha Rao"
    assert added.person.roles == ("editor@payments", "reader")
    assert added.person.teams == ("tier-1",)
    assert not added.person.has_password
    with stores.database.read() as session:
        assert [row.slug for row in people.departments(session)] == ["payments"]
        assert [row.slug for row in people.teams(session)] == ["tier-1"]
        assert [event.action for event in audit.events(session)] == ["team.joined"] + ["role.granted"] * 2 + [
            "person.added"
        ]


def test_adding_a_person_again_takes_nothing_away(stores: Stores) -> None:
    add(stores, "asha@example.com", "editor@payments", teams=("tier-1",))

    again = add_person(stores, actor=OPERATOR, now=LATER, email="asha@example.com", name="Asha R", roles=["reader"])

    assert not again.created
    assert again.person.name == "Asha R"
    assert again.person.roles == ("editor@payments", "reader")
    assert again.person.teams == ("tier-1",)


@pytest.mark.parametrize(
    "email",
    ["", "asha", "asha@", "@example.com", "a b@example.com", "a@b@c", "a@exa mple.com", "a\n@example.com", "<a>@b.c"],
)
def test_what_is_no_address_is_refused(stores: Stores, email: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        add_person(stores, actor=OPERATOR, now=NOW, email=email, name="Asha")

    assert "email" in refused.value.fields


@pytest.mark.parametrize("name", ["", "   ", "A <b>", "x" * 121, "bell\a"])
def test_a_name_that_would_break_a_git_identity_is_refused(stores: Stores, name: str) -> None:
    with pytest.raises(InvalidInputError, match="name"):
        add_person(stores, actor=OPERATOR, now=NOW, email="asha@example.com", name=name)


@pytest.mark.parametrize("role", ["boss", "editor@", "editor@Pay ments", "editor@payments@x", ""])
def test_a_role_that_does_not_exist_is_refused_and_nothing_is_stored(stores: Stores, role: str) -> None:
    with pytest.raises(InvalidInputError):
        add_person(stores, actor=OPERATOR, now=NOW, email="asha@example.com", name="Asha", roles=["reader", role])

    assert list_people(stores, actor=OPERATOR, now=NOW).items == ()


def test_roles_hold_from_when_they_were_granted_until_they_were_ended(stores: Stores) -> None:
    asha = add(stores, "asha@example.com")
    grant_role(stores, actor=OPERATOR, now=NOW + timedelta(hours=1), email="asha@example.com", role="editor@payments")
    end_role(stores, actor=OPERATOR, now=NOW + timedelta(hours=2), email="asha@example.com", role="editor@payments")

    def roles(hours: float) -> frozenset[Grant]:
        actor = actor_at(stores, asha.person_id, NOW + timedelta(hours=hours))
        assert actor is not None
        return actor.grants

    assert roles(0.5) == frozenset()
    assert roles(1) == {Grant(Role.EDITOR, "payments")}
    assert roles(2) == frozenset()


def test_ending_a_role_that_is_not_held_says_so(stores: Stores) -> None:
    add(stores, "asha@example.com", "editor@payments")

    with pytest.raises(NotFoundError, match="does not hold"):
        end_role(stores, actor=OPERATOR, now=LATER, email="asha@example.com", role="editor")


def test_teams_are_joined_and_left(stores: Stores) -> None:
    asha = add(stores, "asha@example.com")
    join_team(stores, actor=OPERATOR, now=NOW, email="asha@example.com", team="tier-1")
    join_team(stores, actor=OPERATOR, now=NOW, email="asha@example.com", team="tier-1")
    left = leave_team(stores, actor=OPERATOR, now=LATER, email="asha@example.com", team="tier-1")

    before = actor_at(stores, asha.person_id, NOW)
    assert before is not None
    assert before.teams == {"tier-1"}
    assert left.teams == ()
    with pytest.raises(NotFoundError):
        leave_team(stores, actor=OPERATOR, now=LATER, email="asha@example.com", team="tier-1")


def test_somebody_deactivated_is_nobody_until_reactivated(stores: Stores) -> None:
    asha = add(stores, "asha@example.com", "editor@payments")
    gone = deactivate_person(stores, actor=OPERATOR, now=LATER, email="asha@example.com")

    assert not gone.active
    assert actor_at(stores, asha.person_id, LATER) is None
    assert actor_at(stores, asha.person_id, NOW) is not None, "what held then is not rewritten"

    back = reactivate_person(stores, actor=OPERATOR, now=LATER + timedelta(days=1), email="asha@example.com")
    assert back.active
    actor = actor_at(stores, asha.person_id, LATER + timedelta(days=1))
    assert actor is not None
    assert actor.may(Action.DRAFT, "payments")


def test_the_only_administrator_stays(stores: Stores) -> None:
    add(stores, "ada@example.com", "admin")

    with pytest.raises(ConflictError, match="only administrator"):
        deactivate_person(stores, actor=OPERATOR, now=LATER, email="ada@example.com")
    with pytest.raises(ConflictError, match="only administrator"):
        end_role(stores, actor=OPERATOR, now=LATER, email="ada@example.com", role="admin")

    add(stores, "bea@example.com", "admin", now=LATER)
    assert not deactivate_person(stores, actor=OPERATOR, now=LATER, email="ada@example.com").active


@pytest.mark.parametrize("role", ["reader", "editor", "approver", "manager"])
def test_only_administrators_touch_people(stores: Stores, role: str) -> None:
    actor = add(stores, "asha@example.com", role)

    with pytest.raises(ForbiddenError):
        add_person(stores, actor=actor, now=NOW, email="x@example.com", name="X")
    with pytest.raises(ForbiddenError):
        grant_role(stores, actor=actor, now=NOW, email="asha@example.com", role="admin")
    with pytest.raises(ForbiddenError):
        deactivate_person(stores, actor=actor, now=NOW, email="asha@example.com")
    with pytest.raises(ForbiddenError):
        list_people(stores, actor=actor, now=NOW)
    assert get_person(stores, actor=actor, now=NOW, email="asha@example.com").roles == (role,)


def test_an_administrator_of_one_department_gives_roles_there_alone(stores: Stores) -> None:
    local = add(stores, "lia@example.com", "admin@payments")
    add(stores, "mia@example.com", "manager")

    added = add_person(stores, actor=local, now=NOW, email="new@example.com", name="New", roles=["editor@payments"])
    assert added.person.roles == ("editor@payments",)
    for role in ("editor", "editor@claims", "admin"):
        with pytest.raises(ForbiddenError):
            grant_role(stores, actor=local, now=NOW, email="new@example.com", role=role)
    with pytest.raises(ForbiddenError):
        deactivate_person(stores, actor=local, now=NOW, email="new@example.com")
    with pytest.raises(ForbiddenError):
        rename_person(stores, actor=local, now=NOW, email="mia@example.com", name="Someone Else")


def test_people_are_listed_by_address_a_page_at_a_time(stores: Stores) -> None:
    for letter in "cab":
        add(stores, f"{letter}@example.com", "reader", teams=("tier-1",))

    first = list_people(stores, actor=OPERATOR, now=NOW, limit=2)
    second = list_people(stores, actor=OPERATOR, now=NOW, limit=2, cursor=first.next)

    assert [person.email for person in first.items] == ["a@example.com", "b@example.com"]
    assert [person.email for person in second.items] == ["c@example.com"]
    assert second.next is None
    assert [one.email for one in list_people(stores, actor=OPERATOR, now=NOW, words="B@ex").items] == ["b@example.com"]
    with pytest.raises(InvalidInputError):
        list_people(stores, actor=OPERATOR, now=NOW, limit=201)


def test_loading_an_actor_asks_twice_however_many_roles_there_are(stores: Stores) -> None:
    asha = add(stores, "asha@example.com", *(f"editor@d{n}" for n in range(20)), teams=tuple(f"t{n}" for n in range(9)))
    asked: list[str] = []

    event.listen(stores.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    actor = actor_at(stores, asha.person_id, NOW)

    assert actor is not None
    assert len(actor.grants) == 20
    assert len(actor.teams) == 9
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 2
