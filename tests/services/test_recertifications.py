from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.recertification import Outcome
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts.people import add_person, end_role, grant_role
from sop_server.services.accounts.recertification_scan import roles_to_decide
from sop_server.services.accounts.recertification_views import (
    get_recertification,
    list_recertifications,
)
from sop_server.services.accounts.recertifications import close_due, open_recertification
from sop_server.services.reports.findings import scan
from sop_server.services.reports.needs import NeedKind, owner_home
from sop_server.services.stores import Stores
from sop_server.storage import findings, people
from sop_server.storage.people import load_actor
from tests.services.conftest import Cast
from tests.services.recertifying import DAY, DUE, NOW, begin, held, report, rows, settle, told

Person = Callable[..., Actor]


@pytest.fixture
def person(stores: Stores, cast: Cast) -> Person:
    def added(name: str, *roles: str, now: datetime = NOW) -> Actor:
        email = f"{name}@example.com"
        one = add_person(stores, actor=OPERATOR, now=now, email=email, name=name.title(), roles=roles)
        with stores.database.read() as session:
            actor = load_actor(session, one.person.id, now)
        assert actor is not None
        return actor

    return added


@pytest.fixture
def lena(person: Person) -> Actor:
    """The manager of payments alone; with mia and max, who manage all departments, there are three."""
    return person("lena", "manager@payments")


def test_a_campaign_holds_the_roles_of_its_opening_and_nothing_of_later(stores: Stores, lena: Actor) -> None:
    number = begin(stores)
    grant_role(stores, actor=OPERATOR, now=NOW + DAY, email="nils@example.com", role="editor@payments")
    found = rows(stores, number, actor=lena, now=NOW + DAY)
    assert set(found) == {
        "rita reader@payments",
        "asha editor@payments",
        "ben approver@payments",
        "lena manager@payments",
    }
    view = get_recertification(stores, actor=lena, now=NOW, recertification_id=number)
    assert (view.figures.total, view.figures.left, view.figures.decided) == (4, 4, 0.0)
    assert [(one.department, one.role, set(one.names)) for one in view.asked] == [
        ("payments", "manager", {"Lena", "Mia", "Max"})
    ]


def test_a_role_is_kept_and_another_removed_which_ends_it_at_once(stores: Stores, lena: Actor) -> None:
    number = begin(stores)
    found = rows(stores, number, actor=lena)
    settle(stores, number, lena, found["asha editor@payments"].id)
    settle(stores, number, lena, found["ben approver@payments"].id, verdict="remove", note="Moved to claims")
    assert held(stores, "ben", NOW + DAY) == ()
    assert held(stores, "ben", NOW + DAY - timedelta(microseconds=1)) == ("approver@payments",)
    after = rows(stores, number, actor=lena, now=NOW + DAY)
    ben = after["ben approver@payments"]
    assert (ben.outcome, ben.decided_by_name, ben.note, ben.decided_at) == (
        Outcome.REMOVED,
        "Lena",
        "Moved to claims",
        NOW + DAY,
    )
    assert after["asha editor@payments"].outcome is Outcome.KEPT
    decision = {"recertification": number, "role": "approver@payments", "decision": "remove"}
    assert ("lena@example.com", "ben@example.com", decision) in told(stores, "recertification.decided")
    assert told(stores, "role.ended")[-1][0] == "lena@example.com"


def test_nobody_decides_about_their_own_role(stores: Stores, lena: Actor, cast: Cast) -> None:
    number = begin(stores)
    own = rows(stores, number, actor=lena)["lena manager@payments"]
    assert own.refusal is not None
    with pytest.raises(ForbiddenError, match="of their own"):
        settle(stores, number, lena, own.id)
    assert settle(stores, number, cast.manager, own.id).done == 1


def test_the_only_manager_of_a_department_is_decided_about_by_administrators(
    stores: Stores, person: Person, cast: Cast
) -> None:
    for name in ("mia", "max"):
        end_role(stores, actor=OPERATOR, now=NOW, email=f"{name}@example.com", role="manager")
    lena = person("lena", "manager@payments")
    number = begin(stores)
    with stores.database.read() as session:
        ada = load_actor(session, cast.admin.person_id, NOW)
    assert ada is not None
    seen = rows(stores, number, actor=ada)
    assert seen["lena manager@payments"].refusal is None
    assert seen["asha editor@payments"].refusal == "The managers of the department decide about this role."
    with pytest.raises(ForbiddenError):
        settle(stores, number, ada, seen["asha editor@payments"].id)
    assert settle(stores, number, ada, seen["lena manager@payments"].id).done == 1
    asked = get_recertification(stores, actor=lena, now=NOW, recertification_id=number).asked
    assert [(one.role, one.names) for one in asked] == [("admin", ("Ada",)), ("manager", ("Lena",))]


def test_a_department_without_a_manager_goes_to_administrators(stores: Stores, person: Person, cast: Cast) -> None:
    for name in ("mia", "max"):
        end_role(stores, actor=OPERATOR, now=NOW, email=f"{name}@example.com", role="manager")
    lia = person("lia", "admin@customer-care")
    number = begin(stores, "customer-care")
    seen = rows(stores, number, actor=lia)
    assert seen["cora editor@customer-care"].refusal is None
    assert seen["lia admin@customer-care"].refusal is not None
    assert settle(stores, number, lia, seen["cora editor@customer-care"].id).done == 1


def test_what_holds_for_all_departments_is_decided_by_administrators(stores: Stores, cast: Cast, lena: Actor) -> None:
    number = begin(stores, None)
    seen = rows(stores, number, actor=cast.manager)
    assert seen["max manager"].refusal == "Administrators decide about this role."
    with pytest.raises(ForbiddenError):
        settle(stores, number, cast.manager, seen["max manager"].id)
    assert settle(stores, number, cast.admin, seen["max manager"].id).done == 1
    assert "max manager" not in rows(stores, number, actor=lena), "what is not of their department is not theirs to see"


def test_what_lies_in_another_department_does_not_exist(stores: Stores, lena: Actor, cast: Cast) -> None:
    begin(stores)
    other = begin(stores, "customer-care")
    everywhere = rows(stores, other, actor=cast.manager)["cora editor@customer-care"].id
    for ask in (
        lambda: get_recertification(stores, actor=lena, now=NOW, recertification_id=other),
        lambda: rows(stores, other, actor=lena),
        lambda: settle(stores, other, lena, everywhere),
        lambda: get_recertification(stores, actor=lena, now=NOW, recertification_id="REC-0099"),
    ):
        with pytest.raises(NotFoundError):
            ask()
    assert [one.department for one in list_recertifications(stores, actor=lena, now=NOW)] == ["payments"]
    for actor in (cast.editor, cast.approver, cast.reader, cast.nobody):
        with pytest.raises(ForbiddenError):
            list_recertifications(stores, actor=actor, now=NOW)


def test_a_row_of_another_department_in_a_campaign_about_all_is_not_found(
    stores: Stores, lena: Actor, cast: Cast
) -> None:
    number = begin(stores, None)
    cora = rows(stores, number, actor=cast.manager)["cora editor@customer-care"].id
    with pytest.raises(NotFoundError):
        settle(stores, number, lena, cora)
    view = get_recertification(stores, actor=lena, now=NOW, recertification_id=number)
    assert [department for department, _ in view.by_department] == ["payments"]


def test_the_first_of_two_decisions_stands_and_the_second_is_told(stores: Stores, lena: Actor, cast: Cast) -> None:
    number = begin(stores)
    asha = rows(stores, number, actor=lena)["asha editor@payments"].id
    settle(stores, number, lena, asha)
    with pytest.raises(ConflictError, match="Lena decided about it before you: it is kept"):
        settle(stores, number, cast.manager, asha, verdict="remove", note="No")
    assert held(stores, "asha", DUE) == ("editor@payments",)


def test_removing_says_why_and_goes_one_by_one(stores: Stores, lena: Actor) -> None:
    number = begin(stores)
    some = [one.id for one in rows(stores, number, actor=lena).values()][:2]
    for items, verdict, note, field in (
        (some[:1], "remove", None, "note"),
        (some, "remove", "Both", "items"),
        (some, "keep", " ", "note"),
        ([], "keep", None, "items"),
        (some[:1], "perhaps", None, "decision"),
        (some[:1], "keep", "x" * 501, "note"),
    ):
        with pytest.raises(InvalidInputError) as refused:
            settle(stores, number, lena, *items, verdict=verdict, note=note)
        assert list(refused.value.fields) == [field]


def test_many_are_kept_with_one_note_and_counted_as_bulk(stores: Stores, lena: Actor, cast: Cast) -> None:
    number = begin(stores)
    found = rows(stores, number, actor=lena)
    settle(stores, number, cast.manager, found["asha editor@payments"].id)
    decided = settle(stores, number, lena, *(one.id for one in found.values()), note="All on the rota of March")
    assert decided.done == 2
    assert len(decided.passed_over) == 2
    assert any("Lena, manager@payments: Nobody decides" in one for one in decided.passed_over)
    assert any("Asha, editor@payments: Mia decided" in one for one in decided.passed_over)
    figures = get_recertification(stores, actor=lena, now=NOW + DAY, recertification_id=number).figures
    assert (figures.kept, figures.bulk, figures.left) == (3, 2, 1)
    assert figures.decided == 0.75


def test_what_nobody_confirms_ends_when_it_is_due_once_as_the_doing_of_the_campaign(
    stores: Stores, lena: Actor, cast: Cast
) -> None:
    number = begin(stores)
    settle(stores, number, lena, rows(stores, number, actor=lena)["asha editor@payments"].id)
    scan(stores, now=DUE - timedelta(seconds=1))
    assert held(stores, "ben", DUE - timedelta(seconds=1)) == ("approver@payments",)
    for hours in (0, 1, 2):
        scan(stores, now=DUE + timedelta(hours=hours))
    assert held(stores, "ben", DUE) == ()
    assert held(stores, "lena", DUE) == ()
    assert held(stores, "asha", DUE) == ("editor@payments",)
    ended = [one for one in told(stores, "role.ended") if one[0] == number]
    assert sorted(one[1].partition("@")[0] for one in ended) == ["ben", "lena", "rita"]
    closed = told(stores, "recertification.closed")
    assert [(one[1], one[2]["ended"], one[2]["kept"]) for one in closed] == [(number, 3, 1)]


def test_a_closed_campaign_takes_no_decision_and_its_report_does_not_change(
    stores: Stores, lena: Actor, cast: Cast
) -> None:
    number = begin(stores)
    found = rows(stores, number, actor=lena)
    settle(stores, number, lena, found["asha editor@payments"].id)
    with pytest.raises(ConflictError, match="over"):
        settle(stores, number, lena, found["rita reader@payments"].id, now=DUE)
    close_due(stores, now=DUE)
    before = report(stores, number, cast.manager, DUE)
    later = DUE + DAY
    end_role(stores, actor=OPERATOR, now=later, email="asha@example.com", role="editor@payments")
    grant_role(stores, actor=OPERATOR, now=later, email="ben@example.com", role="approver@payments")
    with pytest.raises(ConflictError, match="over"):
        settle(stores, number, lena, found["rita reader@payments"].id, now=later)
    assert close_due(stores, now=later) == []
    assert report(stores, number, cast.manager, later + DAY) == before


def test_a_role_that_ends_otherwise_is_neither_decided_nor_ended_again(stores: Stores, lena: Actor, cast: Cast) -> None:
    number = begin(stores)
    asha = rows(stores, number, actor=lena)["asha editor@payments"].id
    end_role(stores, actor=OPERATOR, now=NOW + DAY, email="asha@example.com", role="editor@payments")
    with pytest.raises(ConflictError, match="ended already"):
        settle(stores, number, lena, asha, now=NOW + 2 * DAY)
    close_due(stores, now=DUE)
    found, items = report(stores, number, cast.manager, DUE)
    assert (found.figures.gone, found.figures.ended) == (1, 3)
    assert next(one for one in items if one.id == asha).decided_at == NOW + DAY


def test_a_campaign_in_which_everything_is_decided_closes_by_itself(stores: Stores, lena: Actor, cast: Cast) -> None:
    number = begin(stores)
    for one in rows(stores, number, actor=cast.manager).values():
        settle(stores, number, cast.manager, one.id)
    found = get_recertification(stores, actor=lena, now=NOW + DAY, recertification_id=number)
    assert found.closed_at == NOW + DAY
    assert close_due(stores, now=DUE) == []


def test_the_last_administrator_is_neither_removed_nor_ended_but_loudly_spared(
    stores: Stores, person: Person, cast: Cast
) -> None:
    bea = person("bea", "admin")
    end = NOW + 5 * DAY
    number = begin(stores, None)
    seen = rows(stores, number, actor=bea)
    # Bea may go first, and then nobody but ada is left.
    settle(stores, number, cast.admin, seen["bea admin"].id, verdict="remove", note="Left")
    with stores.database.read() as session:
        assert people.administrators(session, NOW + DAY) == {cast.admin.person_id}
    carl = person("carl", "reader", now=NOW + DAY)
    grant_role(
        stores, actor=OPERATOR, now=NOW + DAY, email=carl.email, role="admin", until=end, reason="While Bea is away"
    )
    with stores.database.read() as session:
        acting = load_actor(session, carl.person_id, NOW + 2 * DAY)
    assert acting is not None
    with pytest.raises(ConflictError, match="only administrator"):
        settle(stores, number, acting, seen["ada admin"].id, verdict="remove", note="Coup", now=NOW + 2 * DAY)
    scan(stores, now=DUE)
    with stores.database.read() as session:
        assert people.administrators(session, DUE) == {cast.admin.person_id}
        open_now = [one.why for one in findings.open_findings(session, departments=None)]
    assert [one[1] for one in told(stores, "recertification.spared")] == ["ada@example.com"]
    assert any("Nobody confirmed that Ada is an administrator" in why for why in open_now)
    assert get_recertification(stores, actor=cast.manager, now=DUE, recertification_id=number).figures.spared == 1


def test_a_role_that_waits_in_a_campaign_is_not_put_into_another(stores: Stores, lena: Actor) -> None:
    begin(stores)
    with pytest.raises(ConflictError, match="no role to decide"):
        begin(stores)
    everything = begin(stores, None)
    assert not any("@payments" in name for name in rows(stores, everything, actor=lena))


def test_only_administrators_open_a_campaign_and_only_where_they_are(
    stores: Stores, cast: Cast, lena: Actor, person: Person
) -> None:
    local = person("lia", "admin@customer-care")
    given: dict[str, Any] = {"now": NOW, "due_at": DUE}
    for actor, department in ((lena, "payments"), (local, "payments"), (local, None), (cast.manager, None)):
        with pytest.raises(ForbiddenError):
            open_recertification(stores, actor=actor, department=department, **given)
    assert open_recertification(stores, actor=local, department="customer-care", **given).department == "customer-care"
    for due_at in (NOW, NOW - DAY, NOW + timedelta(days=400)):
        with pytest.raises(InvalidInputError) as refused:
            open_recertification(stores, actor=cast.admin, now=NOW, department="payments", due_at=due_at)
        assert list(refused.value.fields) == ["due_at"]
    with pytest.raises(InvalidInputError, match="no department"):
        open_recertification(stores, actor=cast.admin, department="nowhere", **given)


def test_whoever_has_to_decide_is_told_what_waits_and_nobody_else(stores: Stores, lena: Actor, cast: Cast) -> None:
    number = begin(stores)
    assert roles_to_decide(stores, actor=lena, now=NOW) == [(number, NOW, DUE, 3)]
    assert roles_to_decide(stores, actor=cast.manager, now=NOW) == [(number, NOW, DUE, 4)]
    for actor in (cast.admin, cast.editor):
        assert roles_to_decide(stores, actor=actor, now=NOW) == []
    (need,) = [one for one in owner_home(stores, actor=lena, now=NOW).needs if one.kind is NeedKind.DECIDE]
    assert (need.href, need.due_at) == (f"/admin/recertifications/{number}", DUE)
    assert need.what.startswith("3 roles wait")
    assert roles_to_decide(stores, actor=lena, now=DUE) == []
