"""What was published by one person alone, and what a second one said of it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.domain.break_glass import Answer, BrokenGlassFact, known_by
from sop_server.domain.drafts import DraftState
from sop_server.storage.database import is_writing
from sop_server.storage.tables import BrokenGlass, Draft, PublishIntent

_OVER = (DraftState.PUBLISHED, DraftState.WITHDRAWN)


def record(session: Session, intent: PublishIntent, *, recorded_at: datetime) -> None:
    """Store that the revision which `intent` published stands on one person alone, as the intent tells it."""
    told: Mapping[str, Any] = intent.break_glass or {}
    session.add(
        BrokenGlass(
            sop_id=intent.sop_id,
            revision=intent.revision,
            intent_id=intent.id,
            departments=list(told["departments"]),
            person_id=int(told["person_id"]),
            name=str(told["name"]),
            reason=str(told["reason"]),
            content_hash=intent.content_hash,
            happened_at=intent.approved_at,
            recorded_at=recorded_at,
        )
    )
    session.flush()


def row_of(session: Session, sop_id: str, revision: int) -> BrokenGlass | None:
    """Return the record of one revision, held until the end of a writing transaction; None where it was approved."""
    query = select(BrokenGlass).where(BrokenGlass.sop_id == sop_id, BrokenGlass.revision == revision)
    return session.scalar(query.with_for_update() if is_writing(session) else query)


def facts(session: Session, at: datetime, *, sop_ids: Collection[str] | None = None) -> tuple[BrokenGlassFact, ...]:
    """Return what was recorded by an instant, the oldest first: of all SOPs, or of some."""
    over = (Draft.id == BrokenGlass.draft_id) & Draft.state.in_(_OVER)
    query = select(BrokenGlass, Draft.updated_at).outerjoin(Draft, over).where(BrokenGlass.recorded_at <= at)
    query = query.order_by(BrokenGlass.happened_at, BrokenGlass.id)
    if sop_ids is not None:
        query = query.where(BrokenGlass.sop_id.in_(sorted(sop_ids)))
    return tuple(known_by(as_fact(row)._replace(draft_over_at=over_at), at) for row, over_at in session.execute(query))


def taken_back_by(session: Session, draft_id: int) -> BrokenGlass | None:
    """Return the record that a draft takes back after an objection; None for every other draft."""
    return session.scalar(select(BrokenGlass).where(BrokenGlass.draft_id == draft_id))


def rows_of_sop(session: Session, sop_id: str) -> Sequence[BrokenGlass]:
    """Return all records of a SOP."""
    return session.scalars(select(BrokenGlass).where(BrokenGlass.sop_id == sop_id).order_by(BrokenGlass.id)).all()


def as_fact(row: BrokenGlass) -> BrokenGlassFact:
    """Return a record as the rules read it."""
    return BrokenGlassFact(
        id=row.id,
        sop_id=row.sop_id,
        revision=row.revision,
        departments=tuple(row.departments),
        person_id=row.person_id,
        name=row.name,
        reason=row.reason,
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
        answer=None if row.answer is None else Answer(row.answer),
        answered_by=row.answered_by,
        answer_name=row.answer_name,
        answer_reason=row.answer_reason,
        answered_at=row.answered_at,
        answer_recorded_at=row.answer_recorded_at,
        draft_id=row.draft_id,
    )
