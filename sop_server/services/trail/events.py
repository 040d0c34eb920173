"""The audit trail: who did what to what, and when, as the chain holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.paging import DEFAULT_LIMIT, Page, check_limit, number_after
from sop_server.services.stores import Stores
from sop_server.storage import audit
from sop_server.storage.database import Session
from sop_server.storage.tables import AuditEvent

MOST_EXPORTED = 100_000
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events: of one actor (an e-mail address), one subject (an id), actions that begin so, of a time."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEventView:
    """One link of the chain; `hash` covers everything in it and the hash before it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    hash: str


def list_audit_events(
    stores: Stores, *, actor: Doer, wanted: AuditFilter, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[AuditEventView]:
    """Return events, the newest first. Raises ForbiddenError for all but administrators of all departments."""
    actor.require(Action.SEE_AUDIT, None)
    check_limit(limit)
    with stores.database.read() as session:
        found = _events(session, wanted, before=number_after(cursor), limit=limit + 1)
    return Page(tuple(found[:limit]), str(found[limit - 1].id) if len(found) > limit else None)


def export_audit_events(stores: Stores, *, actor: Doer, wanted: AuditFilter) -> list[AuditEventView]:
    """Return all events that are wanted, the newest first; InvalidInputError where they are too many for one file."""
    actor.require(Action.SEE_AUDIT, None)
    found: list[AuditEventView] = []
    with stores.database.read() as session:
        while len(found) <= MOST_EXPORTED:
            some = _events(session, wanted, before=found[-1].id if found else None, limit=_AT_ONCE)
            found += some
            if len(some) < _AT_ONCE:
                return found
    raise InvalidInputError(
        f"These are more than {MOST_EXPORTED:,} events, too many for one file. Choose a shorter time, and take one "
        "file after the other.",
        fields={"since": "choose a shorter time"},
    )


def _events(session: Session, wanted: AuditFilter, *, before: int | None, limit: int) -> list[AuditEventView]:
    rows = audit.events(
        session,
        subject=wanted.subject,
        actor=wanted.actor,
        action=wanted.action,
        since=wanted.since,
        until=wanted.until,
        before_id=before,
        limit=limit,
    )
    return [_view(row) for row in rows]


def _view(row: AuditEvent) -> AuditEventView:
    return AuditEventView(row.id, row.at, row.actor, row.action, row.subject, row.details, row.hash)
