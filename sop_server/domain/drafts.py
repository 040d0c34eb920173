"""The life of a draft: its states, what may follow what, and when its approvals are complete."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sop_server.domain.instants import LATEST_GO_LIVE_AHEAD
from sop_server.domain.permissions import Action, Actor, may_cover_move
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError


class DraftState(StrEnum):
    """Where a draft stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class DraftKind(StrEnum):
    """What a draft does to its SOP."""

    EDIT = "edit"
    RETIRE = "retire"


class Decision(StrEnum):
    """What an approver said; the last three of a revision that one person published alone."""

    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    BREAK_GLASS = "break_glass"
    CONFIRM = "confirm"
    OBJECT = "object"


EDITABLE = frozenset({DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.CHANGES_REQUESTED})
PUBLISHES = frozenset({Decision.APPROVE, Decision.BREAK_GLASS})
"""The decisions that a text may be served by."""

OPEN = EDITABLE | {DraftState.APPROVED}

_STATE_IN_WORDS = {
    DraftState.DRAFT: "still being written",
    DraftState.IN_REVIEW: "in review",
    DraftState.CHANGES_REQUESTED: "waiting for the changes that were requested",
    DraftState.APPROVED: "approved and on its way into force",
    DraftState.PUBLISHED: "published",
    DraftState.WITHDRAWN: "withdrawn",
}

MAX_SUMMARY = 500
_MAX_COMMENT = 2000


def require_state(state: DraftState, allowed: Collection[DraftState], *, verb: str) -> None:
    """Raise ConflictError unless a draft in `state` can be `verb`."""
    if state not in allowed:
        raise ConflictError(f"This draft is {_STATE_IN_WORDS[state]}, so it cannot be {verb}. Nothing was changed.")


def require_not_author(person_id: int, authors: Collection[int | None]) -> None:
    """Raise ForbiddenError where the person wrote any part of the draft."""
    if person_id in authors:
        raise ForbiddenError(
            "You wrote a part of this draft, so somebody else has to decide on it. "
            "Ask another approver of the department."
        )


def require_same_content(given: str, actual: str) -> None:
    """Raise ConflictError, which carries the draft's hash, where an approval names another text."""
    if given.strip().lower() != actual:
        raise ConflictError(
            "The draft is no longer the text that you approve: it was edited or merged meanwhile. "
            "Nothing was decided; look at the new text and decide again.",
            content_hash=actual,
        )


def check_effective_from(effective_from: datetime | None, *, now: datetime) -> datetime:
    """Return the instant at which an approved revision comes into force: `now`, or the later one asked for."""
    if effective_from is None:
        return now
    if effective_from < now:
        raise InvalidInputError(
            "A revision cannot come into force in the past. "
            "Leave the instant out for “at once”, or choose a later one.",
            fields={"effective_from": "must not be in the past"},
        )
    return check_not_too_far(effective_from, now=now)


def check_not_too_far(effective_from: datetime, *, now: datetime) -> datetime:
    """Return when a revision is to come into force; InvalidInputError where nobody can mean it, as the year 9999."""
    if effective_from - now > LATEST_GO_LIVE_AHEAD:
        raise InvalidInputError(
            f"A revision cannot come into force in the year {effective_from.year}, more than five years ahead. "
            "Leave the instant out for “at once”, or choose an earlier one.",
            fields={"effective_from": "must not lie more than five years ahead"},
        )
    return effective_from


def clean_summary(summary: str) -> str:
    """Return a change summary as it is stored: one or a few lines, no control characters, 500 characters at most."""
    kept = "".join(character for character in summary if character == "\n" or character.isprintable()).strip()
    if not kept:
        raise InvalidInputError(
            "Say in a sentence what changes, for the people who will read it.",
            fields={"change_summary": "must not be empty"},
        )
    if len(kept) > MAX_SUMMARY:
        raise InvalidInputError(
            f"The change summary has {len(kept)} characters; {MAX_SUMMARY} are allowed. Say it shorter.",
            fields={"change_summary": f"at most {MAX_SUMMARY} characters"},
        )
    return kept


def clean_comment(comment: str) -> str:
    """Return what an approver says about a decision as it is stored; InvalidInputError over 2,000 characters."""
    kept = "".join(character for character in comment if character == "\n" or character.isprintable()).strip()
    if len(kept) > _MAX_COMMENT:
        raise InvalidInputError(
            f"The comment has {len(kept):,} characters; {_MAX_COMMENT:,} are allowed. Nothing was decided; "
            "say it shorter.",
            fields={"comment": f"at most {_MAX_COMMENT:,} characters"},
        )
    return kept


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """What a draft needs: so many approvers, and one for each department that it touches.

    `signature`: any of the departments asks for one. `break_glass`: all of them let one person publish in an emergency.
    """

    needed: int
    departments: tuple[str | None, ...]
    signature: bool = False
    break_glass: bool = True

    def may_decide(self, actor: Actor) -> bool:
        """Whether the actor is an approver of any department that the draft touches."""
        return any(actor.may(Action.DECIDE, department) for department in self.departments)

    def may_decide_alone(self, actor: Actor) -> bool:
        """Whether the actor is an approver of every department that the draft touches."""
        return all(actor.may(Action.DECIDE, department) for department in self.departments)

    def complete(self, approvers: Iterable[Actor]) -> bool:
        """Whether these approvers are enough, and cover every department."""
        people = {actor.person_id: actor for actor in approvers if self.may_decide(actor)}
        return len(people) >= self.needed and may_cover_move(people.values(), self.departments)
