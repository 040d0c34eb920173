from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.drafts import (
    ApprovalRule,
    DraftState,
    check_effective_from,
    clean_comment,
    clean_summary,
    require_not_author,
    require_same_content,
    require_state,
)
from sop_server.domain.permissions import Actor, Grant, Role
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def approver(number: int, *departments: str | None, role: Role = Role.APPROVER) -> Actor:
    grants = frozenset(Grant(role, department) for department in departments)
    return Actor(number, f"p{number}@example.com", f"P {number}", grants)


def test_one_approver_of_the_department_is_enough_by_default() -> None:
    assert ApprovalRule(1, ("payments",)).complete([approver(1, "payments")])
    assert not ApprovalRule(1, ("payments",)).complete([])


def test_the_same_person_twice_is_one_approval() -> None:
    assert not ApprovalRule(2, ("payments",)).complete([approver(1, "payments"), approver(1, "payments")])
    assert ApprovalRule(2, ("payments",)).complete([approver(1, "payments"), approver(2, "payments")])


def test_who_may_not_decide_is_no_approval() -> None:
    rule = ApprovalRule(2, ("payments",))

    for other in (approver(2, "care"), approver(2), approver(2, None, role=Role.MANAGER)):
        assert not rule.complete([approver(1, "payments"), other])


def test_a_move_needs_each_department_covered() -> None:
    move = ApprovalRule(1, ("payments", "care"))

    assert not move.complete([approver(1, "payments"), approver(2, "payments")])
    assert move.complete([approver(1, "payments"), approver(2, "care")])
    assert move.complete([approver(1, None)])


def test_what_has_no_department_needs_a_role_for_all() -> None:
    rule = ApprovalRule(1, (None,))

    assert not rule.complete([approver(1, "payments")])
    assert rule.complete([approver(1, None)])


def test_an_author_is_refused() -> None:
    with pytest.raises(ForbiddenError):
        require_not_author(1, [2, 1, None])
    require_not_author(3, [2, 1, None])


def test_another_text_is_a_conflict_with_the_hash_of_the_drafts_own() -> None:
    with pytest.raises(ConflictError) as refused:
        require_same_content("a" * 64, "b" * 64)
    assert refused.value.content_hash == "b" * 64
    require_same_content(" " + "B" * 64 + "\n", "b" * 64)


def test_a_revision_begins_now_or_later() -> None:
    assert check_effective_from(None, now=NOON) == NOON
    assert check_effective_from(NOON, now=NOON) == NOON
    with pytest.raises(InvalidInputError):
        check_effective_from(NOON - timedelta(microseconds=1), now=NOON)


def test_a_state_says_why_it_does_not_allow_something() -> None:
    with pytest.raises(ConflictError, match="withdrawn"):
        require_state(DraftState.WITHDRAWN, {DraftState.DRAFT}, verb="edited")


@given(st.text())
def test_a_summary_is_stored_without_what_could_harm_a_commit(summary: str) -> None:
    try:
        kept = clean_summary(summary)
    except InvalidInputError:
        return
    assert 0 < len(kept) <= 500
    assert all(character == "\n" or character.isprintable() for character in kept)
    assert clean_summary(kept) == kept


def test_a_comment_is_never_cut_silently() -> None:
    assert clean_comment(" x \r\n") == "x"
    with pytest.raises(InvalidInputError):
        clean_comment("x" * 2001)
