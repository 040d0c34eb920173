"""Periodic reviews: the dated decision that a revision still describes reality, or does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.facts import ReviewOutcome
from sop_server.domain.free_text import clean_text
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import GoneError, InvalidInputError
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.stores import Stores
from sop_server.storage import audit, participation, people, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Person, Review

MAX_NOTE = 2000
MAX_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ReviewView:
    """One review. `renews` where it starts the interval anew; `bulk` where several SOPs were decided in one go."""

    sop_id: str
    revision: int
    outcome: ReviewOutcome
    note: str
    person: str | None
    person_name: str | None
    reviewed_at: datetime
    bulk: bool
    renews: bool


def review_sop(stores: Stores, *, actor: Actor, now: datetime, sop_id: str, outcome: str, note: str) -> ReviewView:
    """Decide on the revision of a SOP in force, with a note; only *confirmed* renews it."""
    return review_sops(stores, actor=actor, now=now, sop_ids=[sop_id], outcome=outcome, note=note)[0]


def review_sops(
    stores: Stores, *, actor: Actor, now: datetime, sop_ids: Sequence[str], outcome: str, note: str
) -> tuple[ReviewView, ...]:
    """Decide on several SOPs in one go, all of them or none; more than one is reported as a bulk review.

    Raises NotFoundError, GoneError (retired, or not in force yet), ForbiddenError, InvalidInputError.
    """
    actor.require_anywhere(Action.REVIEW)
    wanted = list(dict.fromkeys(sop_ids))
    with stores.database.write() as session:
        numbers = {sop_id: _reviewable(session, actor, sop_id, now) for sop_id in wanted[: MAX_AT_ONCE + 1]}
        decided = _outcome(outcome)
        kept = clean_text(note, field="note", most=MAX_NOTE, what="The note", required=True)
        if not 1 <= len(wanted) <= MAX_AT_ONCE:
            raise InvalidInputError(
                f"Review 1 to {MAX_AT_ONCE} SOPs at once, not {len(wanted)}.",
                fields={"sop_ids": f"1 to {MAX_AT_ONCE}"},
            )
        rows = [
            participation.add_review(
                session,
                sop_id=sop_id,
                revision=number,
                outcome=decided.value,
                note=kept,
                person_id=actor.person_id,
                bulk=len(wanted) > 1,
                now=now,
            )
            for sop_id, number in numbers.items()
        ]
        for row in rows:
            audit.record(
                session,
                at=now,
                actor=actor.email,
                action="sop.reviewed",
                subject=row.sop_id,
                details={"revision": row.revision, "outcome": row.outcome, "bulk": row.bulk},
            )
        return _views(session, rows)


def list_reviews(stores: Stores, *, actor: Actor, now: datetime, sop_id: str) -> tuple[ReviewView, ...]:
    """Return the reviews of a SOP, the newest first, for everybody who may read it."""
    with stores.database.read() as session:
        department_in_sight(session, actor, sop_id, now)
        return _views(session, participation.reviews(session, sop_id))


def _reviewable(session: Session, actor: Actor, sop_id: str, now: datetime) -> int:
    actor.require(Action.REVIEW, department_in_sight(session, actor, sop_id, now))
    row = sops.in_force_row(session, sop_id, now)
    if row is None:
        raise GoneError(f"{sop_id} has no revision in force, so there is nothing to review. Nothing was stored.")
    return row.number


def _outcome(outcome: str) -> ReviewOutcome:
    try:
        return ReviewOutcome(outcome)
    except ValueError as error:
        known = ", ".join(one.value for one in ReviewOutcome)
        raise InvalidInputError(
            f"“{outcome[:40]}” is no outcome of a review. The outcomes are {known}.",
            fields={"outcome": f"must be one of {known}"},
        ) from error


def _views(session: Session, rows: Sequence[Review]) -> tuple[ReviewView, ...]:
    persons = people.persons_by_id(session, {row.person_id for row in rows if row.person_id is not None})
    return tuple(_view(row, persons) for row in rows)


def _view(row: Review, persons: Mapping[int, Person]) -> ReviewView:
    person = None if row.person_id is None else persons[row.person_id]
    outcome = ReviewOutcome(row.outcome)
    return ReviewView(
        sop_id=row.sop_id,
        revision=row.revision,
        outcome=outcome,
        note=row.note,
        person=None if person is None else person.email,
        person_name=None if person is None else person.name,
        reviewed_at=row.happened_at,
        bulk=row.bulk,
        renews=outcome is ReviewOutcome.CONFIRMED,
    )
