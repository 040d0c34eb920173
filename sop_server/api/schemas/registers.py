"""What is found and what is recorded."""

from sop_server.api.schemas.base import Instant, Output, Paging, ShortText


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
