"""The audit chain: append-only, each event hashed with the one before it.

The chain names people by keys. Callers write and read addresses: they are translated here, on the way in and out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.domain.audit_chain import (
    GENESIS,
    Anchor,
    Hashed,
    Head,
    Link,
    Proof,
    TrailEvent,
    link_hash,
    prove,
)
from sop_server.domain.person_keys import UNKNOWN, addresses_in, keys_in, sealed, unsealed
from sop_server.storage import person_keys
from sop_server.storage.tables import AuditEvent

_AT_ONCE = 2000
_LINK = (
    AuditEvent.id,
    AuditEvent.at,
    AuditEvent.actor,
    AuditEvent.action,
    AuditEvent.subject,
    AuditEvent.details,
    AuditEvent.previous_hash,
    AuditEvent.hash,
)


def record(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Append one event to the chain, within the caller's transaction.

    `actor` is an e-mail address, or the server's name for itself. Addresses anywhere in the event are kept as the keys
    of people. `details` never hold a secret, and never somebody's name.
    """
    session.flush()
    at = at.astimezone(UTC)
    previous = session.scalar(select(AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)) or GENESIS
    plain: dict[str, Any] = dict(details or {})
    addresses = list(addresses_in([actor, subject, plain]))
    if addresses:
        keys = person_keys.keys_by_email(session, addresses, make=True)
        actor, subject, plain = sealed([actor, subject, plain], keys)
    session.add(
        AuditEvent(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            details=plain,
            previous_hash=previous,
            hash=link_hash(previous, at, actor, action, subject, plain),
        )
    )
    session.flush()


def head(session: Session) -> Head | None:
    """Return the newest event's id and hash; None before the first event."""
    row = session.execute(select(AuditEvent.id, AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)).first()
    return None if row is None else Head(row.id, row.hash)


def verify(session: Session, anchors: Iterable[Anchor] = (), *, after: Head | None = None) -> Proof:
    """Hold every event after `after` against the one before it, and against anchors; all where `after` is not there."""
    if after is not None and session.scalar(select(AuditEvent.hash).where(AuditEvent.id == after.id)) != after.hash:
        after = None
    return prove(_links(session, after=0 if after is None else after.id), anchors, after=after)


def first_broken_link(session: Session) -> str | None:
    """Name the first event whose hash does not follow from what stands before it; None where the chain holds."""
    return verify(session).broken


def recent(session: Session, *, actor: str, action: str, since: datetime) -> list[tuple[str, Mapping[str, Any]]]:
    """Return subject and details, as the chain has them, of the events of one actor and one action after `since`."""
    query = select(AuditEvent.subject, AuditEvent.details).where(
        AuditEvent.actor == in_the_chain(session, actor)[0], AuditEvent.action == action, AuditEvent.at > since
    )
    return [(row.subject, row.details) for row in session.execute(query)]


def in_the_chain(session: Session, *texts: str) -> Sequence[str]:
    """Return texts as the chain has them: people by their keys."""
    addresses = list(addresses_in(texts))
    if not addresses:
        return texts
    found: Sequence[str] = sealed(texts, person_keys.keys_by_email(session, addresses, make=False))
    return found


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
) -> Iterator[TrailEvent]:
    """Yield the newest events first: of one subject, one actor, actions that begin so, `since` up to before `until`.

    `subject` and `actor` are addresses, keys, or what else stands there; the people are looked up in one query.
    """
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(AuditEvent.subject.in_(_spellings(session, subject)))
    if actor is not None:
        query = query.where(AuditEvent.actor.in_(_spellings(session, actor)))
    if action is not None:
        query = query.where(AuditEvent.action.startswith(action, autoescape=True))
    if since is not None:
        query = query.where(AuditEvent.at >= since)
    if until is not None:
        query = query.where(AuditEvent.at < until)
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    rows = session.scalars(query).all()
    hashed = [Hashed(row.actor, row.subject, row.details) for row in rows]
    keys = {key for one in hashed for key in keys_in([one.actor, one.subject, one.details])}
    people = person_keys.emails_by_key(session, keys) if keys else {}
    for row, one in zip(rows, hashed, strict=True):
        who, what, details = unsealed([one.actor, one.subject, one.details], people)
        yield TrailEvent(row.id, row.at, who, row.action, what, details, row.previous_hash, row.hash, one)


def _spellings(session: Session, wanted: str) -> set[str]:
    # As it is, too: events of before there were keys have addresses. In the words for somebody forgotten stands a key.
    return {wanted, *keys_in(wanted), *(one for one in in_the_chain(session, wanted) if one != UNKNOWN)}


def _links(session: Session, *, after: int) -> Iterator[Link]:
    # By the key and in parts: a hundred thousand events at once would fill the memory on PostgreSQL.
    while True:
        rows = session.execute(
            select(*_LINK).where(AuditEvent.id > after).order_by(AuditEvent.id).limit(_AT_ONCE)
        ).all()
        for row in rows:
            yield Link(*row)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id
