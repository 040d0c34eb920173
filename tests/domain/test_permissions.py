import pytest

from sop_server.domain.permissions import ALLOWED, Action, Actor, Grant, Role, may_cover_move
from sop_server.errors import ForbiddenError, NotFoundError

EVERYONE = {Action.READ, Action.ACKNOWLEDGE, Action.REPORT}
TABLE = {
    Role.READER: EVERYONE,
    Role.EDITOR: EVERYONE
    | {
        Action.DRAFT,
        Action.SEE_DRAFTS,
        Action.WRITE_TICKETS,
        Action.REVIEW,
        Action.TRIAGE,
        Action.PROPOSE_NOT_NEEDED,
        Action.PROPOSE_DEVIATION,
        Action.END_DEVIATION,
        Action.SEE_REPORTS,
    },
    Role.APPROVER: EVERYONE
    | {
        Action.SEE_DRAFTS,
        Action.DECIDE,
        Action.CONFIRM_NOT_NEEDED,
        Action.DECIDE_DEVIATION,
        Action.END_DEVIATION,
        Action.SEE_REPORTS,
    },
    Role.MANAGER: EVERYONE
    | {
        Action.WRITE_TICKETS,
        Action.WRITE_PROCESSES,
        Action.PROPOSE_NOT_NEEDED,
        Action.CONFIRM_NOT_NEEDED,
        Action.MOVE_LATE_GO_LIVE,
        Action.END_DEVIATION,
        Action.SEE_REPORTS,
        Action.SCORE,
        Action.RECERTIFY,
    },
}


def actor(*grants: Grant) -> Actor:
    return Actor(1, "a@example.com", "A", frozenset(grants))


@pytest.mark.parametrize("role", TABLE)
def test_each_role_may_what_its_row_says_and_no_more(role: Role) -> None:
    assert ALLOWED[role] == TABLE[role]


def test_an_administrator_does_nothing_editorial() -> None:
    editorial = {Action.DRAFT, Action.DECIDE, Action.SEE_DRAFTS, Action.REVIEW, Action.TRIAGE, Action.SCORE}
    editorial |= {Action.PROPOSE_DEVIATION, Action.DECIDE_DEVIATION, Action.END_DEVIATION}
    assert not ALLOWED[Role.ADMIN] & editorial


def test_a_role_holds_for_its_department_alone() -> None:
    asha = actor(Grant(Role.EDITOR, "payments"))

    assert asha.may(Action.DRAFT, "payments")
    assert not asha.may(Action.DRAFT, "care")
    assert not asha.may(Action.READ, None)
    assert asha.reach(Action.DRAFT) == frozenset({"payments"})
    assert asha.reach(Action.DECIDE) == frozenset()
    with pytest.raises(ForbiddenError):
        asha.require(Action.DRAFT, "care")
    with pytest.raises(NotFoundError):
        asha.require_sight("care", "SOP SOP-0001")


def test_a_role_without_a_department_holds_for_all_and_for_none() -> None:
    alex = actor(Grant(Role.EDITOR, None), Grant(Role.APPROVER, "payments"))

    assert alex.may(Action.DRAFT, None)
    assert alex.may(Action.DRAFT, "anything")
    assert alex.reach(Action.DRAFT) is None
    assert alex.reach(Action.DECIDE) == frozenset({"payments"})


def test_who_has_no_role_may_nothing() -> None:
    nobody = actor()

    for action in Action:
        assert not nobody.may_anywhere(action)
        with pytest.raises(ForbiddenError):
            nobody.require_anywhere(action)


def test_a_move_is_covered_by_people_who_together_reach_both_departments() -> None:
    one, other = actor(Grant(Role.APPROVER, "a")), actor(Grant(Role.APPROVER, "b"))

    assert may_cover_move([one, other], ["a", "b"])
    assert not may_cover_move([one], ["a", "b"])
    assert not may_cover_move([], ["a"])
