"""The audit chain: append-only, each event hashed with the one before it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import AuditEvent

_GENESIS = "0" * 64


def record(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one event to the chain, within the caller's transaction. `details` never hold a secret."""
    session.flush()
    previous = session.scalar(select(AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)) or _GENESIS
    plain = dict(details or {})
    session.add(
        AuditEvent(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            details=plain,
            previous_hash=previous,
            hash=_digest(previous, at, actor, action, subject, plain),
        )
    )
    session.flush()


def first_broken_link(session: Session) -> str | None:
    """Name the first event whose hash does not follow from what stands before it; None where the chain holds."""
    previous = _GENESIS
    for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id).execution_options(yield_per=1000)):
        expected = _digest(previous, event.at, event.actor, event.action, event.subject, event.details)
        if event.previous_hash != previous or event.hash != expected:
            return f"audit event {event.id} ({event.action} on {event.subject}, {event.at.isoformat()})"
        previous = event.hash
    return None


def events(
    session: Session,
    *,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Iterator[AuditEvent]:
    """Yield the newest events first: of one subject, one actor, actions that begin so, `since` up to before `until`."""
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEvent.subject == subject)
    if actor is not None:
        query = query.where(AuditEvent.actor == actor)
    if action is not None:
        query = query.where(AuditEvent.action.startswith(action, autoescape=True))
    if since is not None:
        query = query.where(AuditEvent.at >= since)
    if until is not None:
        query = query.where(AuditEvent.at < until)
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    yield from session.scalars(query)


def _digest(  # noqa: PLR0917 - the parts of an event, in the order in which they are hashed
    previous: str, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, Any]
) -> str:
    digest = hashlib.sha256()
    canonical = json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for part in (previous, at.isoformat(), actor, action, subject, canonical):
        encoded = part.encode()
        # The length before each part: no two different events may run together to the same bytes.
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()
