"""What happened to a business change, from its announcement to the SOPs that reflect it, in the order of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.golive import GoLiveSource
from sop_server.services.changes.ticket_pages import TicketPage
from sop_server.services.changes.ticket_views import TicketView

T0_WORDS = {
    GoLiveSource.CONFIRMED: "confirmed by a person",
    GoLiveSource.STATED: "stated by the ticket",
    GoLiveSource.ACTUAL_END: "the change's actual end",
    GoLiveSource.PLANNED_END: "the change's planned end",
    GoLiveSource.ANNOUNCED: "when it was announced",
    GoLiveSource.CREATED: "when it was created",
}
"""How a go-live is known, in words."""


@dataclass(frozen=True, slots=True)
class Event:
    """One point of the time line."""

    at: datetime
    label: str
    detail: str | None = None


def due_at(ticket: TicketView, *, window_hours: float) -> datetime:
    """Return the end of the band: when the first obligation is due, or would be."""
    return min((one.due_at for one in ticket.obligations), default=ticket.t0 + timedelta(hours=window_hours))


def events(page: TicketPage, *, now: datetime) -> tuple[Event, ...]:
    """Return the time line of a ticket."""
    found = [*_of_the_change(page.ticket), *_of_drafts(page), *_of_answers(page, now), *_of_decisions(page.ticket)]
    return tuple(sorted(found, key=lambda event: event.at))


def _of_the_change(ticket: TicketView) -> Iterable[Event]:
    if ticket.announced_at is not None:
        yield Event(ticket.announced_at, "Announced", f"in {ticket.source}")
    elif ticket.created_at != ticket.recorded_at:
        yield Event(ticket.created_at, "Created", f"in {ticket.source}")
    yield Event(ticket.recorded_at, "Known here")
    yield Event(ticket.t0, "Go-live", T0_WORDS[ticket.t0_source])


def _of_drafts(page: TicketPage) -> Iterable[Event]:
    for sop_id, drafts in (page.drafts or {}).items():
        for draft in drafts:
            if draft.state != "withdrawn":
                yield Event(draft.created_at, "Draft begun", ", ".join(filter(None, (sop_id, draft.author_name))))


def _of_answers(page: TicketPage, now: datetime) -> Iterable[Event]:
    for answers in page.answers.values():
        for one in answers[:1]:
            what = "in force" if one.effective_from <= now else "comes into force"
            yield Event(one.effective_from, f"r{one.revision} {what}", f"{one.sop_id} {one.title}")


def _of_decisions(ticket: TicketView) -> Iterable[Event]:
    for one in ticket.obligations:
        about, proposal = one.sop_id or "triage", one.not_needed
        for no in one.declined:
            yield Event(no.declined_at, "“Not needed” declined", f"{about}, {no.declined_by_name}")
        if proposal is not None and proposal.confirmed_at is not None:
            yield Event(proposal.confirmed_at, "Found not to be needed", f"{about}, {proposal.confirmed_by_name}")
