"""Tickets and their obligations."""

from typing import Annotated

from pydantic import Field

from sop_server.api.schemas.base import Input, Instant, Names, Output, Paging, ShortText, Text

Address = Annotated[str, Field(max_length=2000)]


class TicketChange(Input):
    """What is new of a ticket: an absent key keeps its value, null clears it. SOPs are added, never taken away."""

    title: ShortText = ""
    status: ShortText | None = None
    effective_at: Instant | None = None
    planned_end: Instant | None = None
    actual_end: Instant | None = None
    announced_at: Instant | None = None
    created_at: Instant | None = None
    systems: Names | None = None
    processes: Names | None = None
    sops: Names | None = None
    url: Address | None = None


class TicketWrite(TicketChange):
    """A ticket by its source and key; one that is known already is changed."""

    source: ShortText
    key: ShortText
    title: ShortText


class GoLive(Input):
    """When the change took or takes effect, and how that is known."""

    t0: Instant
    reason: Text


class NameSop(Input):
    """A SOP that the change touches."""

    sop_id: ShortText


class Reason(Input):
    """Why."""

    reason: Text


class TicketQuery(Paging):
    """Which tickets: by the state of their obligations, their own status, their source, words, a SOP."""

    state: ShortText | None = None
    status: ShortText | None = None
    source: ShortText | None = None
    q: ShortText | None = None
    sop_id: ShortText | None = None


class NotNeeded(Output):
    """A proposal that nothing has to be done, and its confirmation by a second person."""

    reason: str
    proposed_by: str
    proposed_at: Instant
    confirmed_by: str | None
    confirmed_at: Instant | None


class Declined(Output):
    """A proposal that nothing has to be done, to which a second person said no, and why."""

    reason: str
    proposed_by: str
    proposed_at: Instant
    declined_by: str
    declined_at: Instant
    declined_because: str


class Obligation(Output):
    """One (ticket, SOP) pair, or the triage of a ticket where `sop_id` is null."""

    id: str
    ticket_id: str
    ticket_label: str
    ticket_title: str
    sop_id: str | None
    sop_title: str | None
    department: str | None
    owner: str | None
    state: str
    t0: Instant
    t0_source: str
    provisional: bool
    due_at: Instant
    stopped_at: Instant | None
    exposure_hours: float | None
    window_hours: float
    not_needed: NotNeeded | None
    declined: list[Declined]


class GoLiveChange(Output):
    """A go-live that a ticket had from `recorded_at` on."""

    recorded_at: Instant
    t0: Instant
    source: str
    reason: str | None
    by: str | None


class Ticket(Output):
    """A business change, with its obligations as they stand."""

    id: str
    source: str
    key: str
    title: str
    status: str
    url: str | None
    t0: Instant
    t0_source: str
    provisional: bool
    upcoming: bool
    effective_at: Instant | None
    planned_end: Instant | None
    actual_end: Instant | None
    announced_at: Instant | None
    created_at: Instant
    recorded_at: Instant
    systems: list[str]
    processes: list[str]
    sops: list[str]
    met: bool
    obligations: list[Obligation]
    replaced: Obligation | None
    history: list[GoLiveChange]
