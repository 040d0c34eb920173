"""Reading the audit trail: who did what to what, and when; people by their present addresses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.audit_chain import TrailEvent
from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.services.paging import DEFAULT_LIMIT, Page, check_limit, number_after
from sop_server.services.stores import Stores
from sop_server.storage import audit
from sop_server.storage.database import Session

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events: of one actor (address or key), one subject (that, or an id), actions that begin so, of a time."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_audit_events(
    stores: Stores, *, actor: Doer, wanted: AuditFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[TrailEvent]:
    """Return events, the newest first. Raises ForbiddenError for all but administrators of all departments."""
    actor.require(Action.SEE_AUDIT, None)
    check_limit(limit)
    with stores.database.read() as session:
        found = _events(session, wanted, before=number_after(cursor), limit=limit + 1)
    return Page(tuple(found[:limit]), str(found[limit - 1].id) if len(found) > limit else None)


def all_audit_events(stores: Stores, *, actor: Doer, wanted: AuditFilter) -> Iterator[TrailEvent]:
    """Return all events that are wanted and recorded by now, the newest first, read as they are asked for."""
    actor.require(Action.SEE_AUDIT, None)
    with stores.database.read() as session:
        head = audit.head(session)
    return iter(()) if head is None else _all_up_to(stores, wanted, head.id)


def _all_up_to(stores: Stores, wanted: AuditFilter, newest: int) -> Iterator[TrailEvent]:
    before = newest + 1
    while True:
        # A session for each part: events never change, and one that is open for minutes keeps others from tidying up.
        with stores.database.read() as session:
            found = _events(session, wanted, before=before, limit=_AT_ONCE)
        yield from found
        if len(found) < _AT_ONCE:
            return
        before = found[-1].id


def _events(session: Session, wanted: AuditFilter, *, before: int | None, limit: int) -> list[TrailEvent]:
    return list(
        audit.events(
            session,
            subject=wanted.subject,
            actor=wanted.actor,
            action=wanted.action,
            since=wanted.since,
            until=wanted.until,
            before_id=before,
            limit=limit,
        )
    )
