import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.roles import parse_grant
from sop_server.domain.ticket_places import Deed, TicketPlace, permits, require, triage_departments
from sop_server.errors import ForbiddenError

BEGIN = {Deed.SEE, Deed.NAME_SOPS, Deed.PROPOSE_NOT_NEEDED}

NOBODYS = TicketPlace(frozenset())
PAYMENTS = TicketPlace(frozenset({"payments"}))
BOTH = TicketPlace(frozenset({"payments", "customer-care"}))
OF_ALL = TicketPlace(frozenset({None}))


def actor(*roles: str, person_id: int = 1) -> Actor:
    return Actor(person_id, "a@example.com", "A", frozenset(map(parse_grant, roles)))


def deeds(*roles: str, place: TicketPlace) -> set[Deed]:
    return {deed for deed in Deed if permits(actor(*roles), deed, place)}


def test_to_begin_takes_a_role_in_one_of_the_departments_and_to_decide_in_each() -> None:
    assert deeds("manager@payments", place=PAYMENTS) == {*Deed}
    assert deeds("manager@payments", place=BOTH) == BEGIN
    assert deeds("manager@payments", "manager@customer-care", place=BOTH) == {*Deed}
    assert deeds("manager@claims", place=BOTH) == set()
    assert deeds("manager", place=BOTH) == {*Deed}
    assert all(permits(OPERATOR, deed, place) for deed in Deed for place in (NOBODYS, PAYMENTS, BOTH, OF_ALL))


def test_what_is_no_departments_yet_is_everybodys_to_begin_and_takes_a_role_for_all_to_decide() -> None:
    assert deeds("manager@payments", place=NOBODYS) == BEGIN
    assert deeds("manager", place=NOBODYS) == {*Deed}
    assert deeds("manager@payments", "reader", place=NOBODYS) == BEGIN
    assert deeds(place=NOBODYS) == set()


def test_what_has_no_department_is_reached_by_roles_for_all_alone() -> None:
    assert deeds("manager@payments", place=OF_ALL) == set()
    assert deeds("manager", place=OF_ALL) == {*Deed}


def test_each_deed_takes_the_role_for_it() -> None:
    assert deeds("reader@payments", place=PAYMENTS) == {Deed.SEE}
    assert deeds("editor@payments", place=PAYMENTS) == {*BEGIN, Deed.CHANGE}
    assert deeds("approver@payments", place=PAYMENTS) == {Deed.SEE, Deed.DECIDE_NOT_NEEDED}


def test_whoever_registered_what_is_no_departments_yet_may_change_it_and_decide_nothing_else() -> None:
    mine = TicketPlace(frozenset(), registered_by=1)

    assert deeds("editor@payments", place=mine) == {*BEGIN, Deed.CHANGE}
    assert not permits(actor("editor@payments", person_id=2), Deed.CHANGE, mine)
    assert not permits(actor("reader@payments"), Deed.CHANGE, mine), "nor after the role has ended"
    assert not permits(actor("manager@payments"), Deed.MOVE_LATE_GO_LIVE, mine)
    theirs = TicketPlace(frozenset({"customer-care"}), registered_by=1)
    assert deeds("editor@payments", place=theirs) == set()


def test_a_triage_is_of_the_departments_of_the_processes_that_are_known() -> None:
    known = {"PROC-001": "payments", "PROC-002": "customer-care", "PROC-003": None}

    assert triage_departments([], known) == frozenset()
    assert triage_departments(["PROC-009"], known) == frozenset()
    assert triage_departments(["PROC-001", "PROC-009", "PROC-002"], known) == {"payments", "customer-care"}
    assert triage_departments(["PROC-003"], known) == {None}


def test_a_refusal_names_a_department_to_those_alone_who_may_read_there() -> None:
    with pytest.raises(ForbiddenError) as refused:
        require(actor("editor@payments"), Deed.CHANGE, BOTH)
    assert "customer-care" not in refused.value.message
    with pytest.raises(ForbiddenError, match="“customer-care”"):
        require(actor("editor@payments", "reader@customer-care"), Deed.CHANGE, BOTH)
    with pytest.raises(ForbiddenError, match="for all departments, unless you registered it"):
        require(actor("editor@payments"), Deed.CHANGE, NOBODYS)
    with pytest.raises(ForbiddenError, match=r"You may not register and change tickets\."):
        require(actor("reader"), Deed.CHANGE, NOBODYS)
    require(actor("editor@payments"), Deed.CHANGE, PAYMENTS)
