"""What is to be done after the answer: written with the fact itself, worked off once, tried again on failure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sop_server.storage.tables import OutboxItem

_LONGEST_WAIT = timedelta(hours=1)


def post(session: Session, *, key: str, kind: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Ask for something to be done; a key that was asked for before is not asked for again."""
    if session.scalar(select(OutboxItem.id).where(OutboxItem.key == key)) is None:
        session.add(
            OutboxItem(key=key, kind=kind, payload=dict(payload), created_at=now, due_at=now, attempts=0, error=None)
        )


def due(session: Session, *, now: datetime, kind: str, limit: int = 100) -> Sequence[OutboxItem]:
    """Return what is to be done now, oldest first."""
    return session.scalars(
        select(OutboxItem)
        .where(OutboxItem.done_at.is_(None), OutboxItem.due_at <= now, OutboxItem.kind == kind)
        .order_by(OutboxItem.id)
        .limit(limit)
    ).all()


def done(item: OutboxItem, *, now: datetime) -> None:
    """Mark an item as done."""
    item.done_at = now
    item.error = None


def mark_done(session: Session, item_ids: Collection[int], *, now: datetime) -> None:
    """Mark several items as done."""
    session.execute(update(OutboxItem).where(OutboxItem.id.in_(sorted(item_ids))).values(done_at=now, error=None))


def hold(item: OutboxItem, *, until: datetime) -> None:
    """Keep an item from others while it is being done; it is due again where whoever does it dies."""
    item.due_at = until


def failed(item: OutboxItem, *, error: str, now: datetime) -> None:
    """Put an item off, twice as long each time, up to an hour."""
    item.attempts += 1
    item.error = error
    item.due_at = now + min(_LONGEST_WAIT, timedelta(seconds=2**item.attempts))


def put_off(session: Session, item_id: int, *, error: str, now: datetime) -> None:
    """Put an item off that could not be done."""
    item = open_item(session, item_id)
    if item is not None:
        failed(item, error=error, now=now)


def open_count(session: Session) -> int:
    """Return how many items are still to be done."""
    return session.scalar(select(func.count()).where(OutboxItem.done_at.is_(None))) or 0


def open_item(session: Session, item_id: int) -> OutboxItem | None:
    """Return an item that is still to be done, held until the end of the transaction; None where it is done."""
    return session.scalar(
        select(OutboxItem).where(OutboxItem.id == item_id, OutboxItem.done_at.is_(None)).with_for_update()
    )
