"""Proposals that an obligation is not needed, as they are stored: what stands, and what was declined before it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.domain.facts import NotNeeded
from sop_server.storage.tables import NotNeeded as NotNeededRow

_CHUNK = 500


def newest_row(session: Session, obligation_id: int) -> NotNeededRow | None:
    """Return the newest proposal of an obligation, declined or not."""
    return session.scalar(
        select(NotNeededRow)
        .where(NotNeededRow.obligation_id == obligation_id)
        .order_by(NotNeededRow.id.desc())
        .limit(1)
    )


def propose(session: Session, obligation_id: int, *, reason: str, person_id: int, now: datetime) -> NotNeededRow:
    """Store that a person proposes an obligation as not needed."""
    row = NotNeededRow(obligation_id=obligation_id, reason=reason, proposed_by=person_id, proposed_at=now)
    session.add(row)
    session.flush()
    return row


def proposals(
    session: Session, at: datetime, obligation_ids: Collection[int] | None = None
) -> Mapping[int, tuple[NotNeeded, ...]]:
    """Return by obligation what was proposed by `at`, the oldest first, of all or of these; there are few of them."""
    query = select(NotNeededRow).where(NotNeededRow.proposed_at <= at).order_by(NotNeededRow.id)
    if obligation_ids is None:
        rows = list(session.scalars(query))
    else:
        wanted = sorted(obligation_ids)
        rows = [
            row
            for start in range(0, len(wanted), _CHUNK)
            for row in session.scalars(query.where(NotNeededRow.obligation_id.in_(wanted[start : start + _CHUNK])))
        ]
    found: dict[int, tuple[NotNeeded, ...]] = {}
    for row in rows:
        found[row.obligation_id] = (*found.get(row.obligation_id, ()), _fact(row).known_by(at))
    return found


def _fact(row: NotNeededRow) -> NotNeeded:
    return NotNeeded(
        proposed_by=row.proposed_by,
        reason=row.reason,
        proposed_at=row.proposed_at,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        declined_by=row.declined_by,
        declined_at=row.declined_at,
        declined_because=row.declined_because,
    )
