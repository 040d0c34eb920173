"""Break-glass: one person publishes alone in an emergency, and a second one confirms it within 24 hours, or objects."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sop_server.domain.free_text import clean_line
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError

CONFIRM_WITHIN = timedelta(hours=24)

LEAST_REASON = 20
_MOST_REASON = 500


class Answer(StrEnum):
    """What a second person said of a broken glass."""

    CONFIRMED = "confirmed"
    OBJECTED = "objected"


class GlassState(StrEnum):
    """Where a broken glass stands."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    CONFIRMED = "confirmed"
    LATE = "confirmed_late"
    OBJECTED = "objected"


class BrokenGlassFact(NamedTuple):
    """A revision that one person published alone; the answer of a second person is written once.

    `departments` are those that the draft touched, None among them where it had none. `name` and `answer_name` are the
    names as they were then. `draft_id` is the draft that an objection opened; None where nothing was to take back.
    `draft_over_at` is when that draft was published or withdrawn.
    """

    id: int
    sop_id: str
    revision: int
    departments: tuple[str | None, ...]
    person_id: int
    name: str
    reason: str
    happened_at: datetime
    recorded_at: datetime
    answer: Answer | None = None
    answered_by: int | None = None
    answer_name: str | None = None
    answer_reason: str | None = None
    answered_at: datetime | None = None
    answer_recorded_at: datetime | None = None
    draft_id: int | None = None
    draft_over_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """When it has to be confirmed."""
        return self.happened_at + CONFIRM_WITHIN

    @property
    def open(self) -> bool:
        """Whether nobody answered yet."""
        return self.answer is None

    def state(self, at: datetime) -> GlassState:
        """Return where it stands at an instant, of what this fact says."""
        if self.answer == Answer.OBJECTED:
            return GlassState.OBJECTED
        if self.answered_at is not None:
            return GlassState.CONFIRMED if self.answered_at <= self.due_at else GlassState.LATE
        return GlassState.WAITING if at <= self.due_at else GlassState.OVERDUE

    def loud(self, serving: int | None) -> bool:
        """Whether everybody has to be told: until a second person confirmed it, or what was objected to is settled.

        `serving` is the revision in force. One that was published on top of it settles nothing while the draft that
        takes it back waits: whoever approved that saw only what came after.
        """
        if self.answer != Answer.OBJECTED or serving is None:
            return self.open
        return serving == self.revision or (self.draft_id is not None and self.draft_over_at is None)


def known_by(fact: BrokenGlassFact, at: datetime) -> BrokenGlassFact:
    """Return it as it was known at an instant: without an answer that was recorded later."""
    if fact.draft_over_at is not None and fact.draft_over_at > at:
        fact = fact._replace(draft_over_at=None)
    if fact.answer_recorded_at is None or fact.answer_recorded_at <= at:
        return fact
    return fact._replace(
        answer=None,
        answered_by=None,
        answer_name=None,
        answer_reason=None,
        answered_at=None,
        answer_recorded_at=None,
        draft_id=None,
    )


@dataclass(frozen=True, slots=True)
class GlassReport:
    """What was published by one person alone in the last `days`, and everything that is loud, the oldest first.

    `broken` is the sum of the other figures: each counts those broken within the period.
    """

    days: int
    broken: int
    confirmed: int
    late: int
    objected: int
    waiting: int
    overdue: int
    loud: tuple[BrokenGlassFact, ...]


def clean_reason(reason: str, *, field: str = "reason") -> str:
    """Return a reason as it is kept, on one line; InvalidInputError where it is no sentence."""
    kept = clean_line(reason, field=field, most=_MOST_REASON, what="The reason")
    if len(kept) < LEAST_REASON or " " not in kept:
        raise InvalidInputError(
            "Say in a sentence why: everybody reads it. Nothing was done yet.",
            fields={field: f"a sentence, of {LEAST_REASON} characters or more"},
        )
    return kept


def may_answer(actor: Actor, fact: BrokenGlassFact) -> bool:
    """Whether the actor may decide in every department that the draft touched."""
    return all(actor.may(Action.DECIDE, department) for department in fact.departments)


def require_second_person(actor: Actor, fact: BrokenGlassFact, *, authors: frozenset[int]) -> None:
    """Raise ForbiddenError unless the actor may answer: an approver there, who neither wrote it nor broke the glass."""
    for department in fact.departments:
        actor.require(Action.DECIDE, department)
    if actor.person_id == fact.person_id:
        raise ForbiddenError("You published this revision alone, so somebody else has to confirm it or object.")
    if actor.person_id in authors:
        raise ForbiddenError("You wrote a part of this text, so somebody else has to confirm it or object.")


def require_open(fact: BrokenGlassFact) -> None:
    """Raise ConflictError where a second person answered already."""
    if fact.answer is not None:
        verb = "confirmed" if fact.answer == Answer.CONFIRMED else "objected to"
        raise ConflictError(
            f"{fact.answer_name} {verb} r{fact.revision} already. Nothing was changed; open another draft if it "
            "has to change."
        )
