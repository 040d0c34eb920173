"""SOPs, their revisions, and what a search finds."""

from typing import Annotated, Any

from pydantic import Field

from sop_server.api.schemas.base import Filter, Input, Instant, Output, Paging, ShortText
from sop_server.api.schemas.deviations import DeviationMark
from sop_server.api.schemas.references import TicketIds, TicketLabels
from sop_server.api.schemas.signatures import Sign, Signature


class StaleReason(Output):
    """One reason why a SOP may no longer say how things are done."""

    kind: str
    since: Instant
    detail: str


class Sop(Output):
    """A SOP in force."""

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    deputy: str | None
    process: list[str] = Field(validation_alias="processes")
    systems: list[str]
    tags: list[str]
    audience: list[str]
    revision: int
    significance: str
    change_summary: str
    effective_from: Instant
    content_hash: str
    stale: list[StaleReason]
    deviations: list[DeviationMark]


class Heading(Output):
    """One heading of the text; `anchor` is its id in the HTML."""

    level: int
    text: str
    anchor: str


class RevisionApproval(Output):
    """Who approved a revision; `signature` where they signed it."""

    person: str
    name: str
    at: Instant
    signature: Signature | None


class BrokenGlass(Output):
    """That one person published a revision alone, which is no approval, and what a second one said of it.

    `state` is `waiting`, `overdue` after `confirm_by`, `confirmed`, `confirmed_late` or `objected`; `draft_id` is the
    draft that an objection opened. `loud` while everybody has to be told.
    """

    name: str
    reason: str
    at: Instant
    signature: Signature | None
    confirm_by: Instant
    state: str
    answered_by: str | None
    answered_at: Instant | None
    answer_reason: str | None
    answer_signature: Signature | None
    draft_id: str | None
    loud: bool


class Confirmation(Input):
    """A second person confirms; `signature` is required where a department asks for it."""

    signature: Sign | None = None


class Objection(Input):
    """A second person objects, and says why in a sentence of 20 characters or more."""

    reason: Annotated[str, Field(max_length=10_000)] = ""


class Revision(Output):
    """One revision of a SOP; with `break_glass` it was published by one person alone, and nobody approved it."""

    sop_id: str
    revision: int
    kind: str
    state: str
    title: str
    significance: str
    author: str
    author_name: str
    approvals: list[RevisionApproval]
    tickets: TicketIds
    ticket_labels: TicketLabels
    change_summary: str
    approved_at: Instant | None
    break_glass: BrokenGlass | None
    effective_from: Instant
    content_hash: str
    commit: str
    reverts: int | None


class RevisionWithText(Revision):
    """One revision with its text."""

    markdown: str
    html: str
    outline: list[Heading]


class SopWithText(Sop):
    """A SOP in force, with its text."""

    path: str
    at: Instant
    markdown: str
    html: str
    outline: list[Heading]
    front_matter: dict[str, Any]
    coming: list[Revision]
    break_glass: BrokenGlass | None
    next_review_at: Instant
    latest_revision: int


class SopQuery(Paging):
    """Which SOPs."""

    at: Instant | None = None
    department: ShortText | None = None


class InstantQuery(Filter):
    """As of when."""

    at: Instant | None = None


class SearchQuery(Paging):
    """What is searched for."""

    q: Annotated[str, Field(max_length=20_000)] = ""
    department: ShortText | None = None
    process: ShortText | None = None
    system: ShortText | None = None
    tag: ShortText | None = None
    stale: bool | None = None
    at: Instant | None = None


class SearchHit(Sop):
    """A SOP that was found; in `snippet` the hits are marked and everything else is escaped."""

    snippet: str
    score: float


class FacetValue(Output):
    """How many of all hits have a value."""

    value: str
    count: int


class SearchResult(Output):
    """A part of what was found."""

    items: list[SearchHit]
    next: str | None
    total: int
    facets: dict[str, list[FacetValue]]
    did_you_mean: str | None
    relaxed: bool
    degraded: bool
