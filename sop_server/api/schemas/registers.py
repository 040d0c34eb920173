"""What is found and what is recorded."""

from typing import Any, Literal

from pydantic import RootModel

from sop_server.api.schemas.base import Input, Instant, Output, Paging, ShortText


class FindingQuery(Paging):
    """Which findings."""

    kind: ShortText | None = None


class Finding(Output):
    """Something that somebody must act on: why, and what to do next."""

    id: int
    kind: str
    subject: str
    department: str | None
    why: str
    next_step: str
    opened_at: Instant
    href: str | None


class AuditQuery(Paging):
    """Which events: of one actor, one subject, actions that begin so, of a time."""

    actor: ShortText | None = None
    action: ShortText | None = None
    subject: ShortText | None = None
    since: Instant | None = None
    until: Instant | None = None


class AuditExportQuery(Input):
    """Which events, and in which form."""

    format: Literal["csv", "json"] = "json"
    actor: ShortText | None = None
    action: ShortText | None = None
    subject: ShortText | None = None
    since: Instant | None = None
    until: Instant | None = None


class HashedParts(Output):
    """The parts of an event that name people, as its hash covers them: by keys."""

    actor: str
    subject: str
    details: dict[str, Any]


class AuditEvent(Output):
    """One link of the audit chain, with the present addresses of people; `hash` covers what `hashed` holds."""

    id: int
    at: Instant
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    previous_hash: str
    hash: str
    hashed: HashedParts


class AuditExport(RootModel[list[AuditEvent]]):
    """Every event that is wanted, the newest first."""
