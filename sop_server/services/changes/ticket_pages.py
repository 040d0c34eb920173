"""Everything that the page of one ticket shows: the ticket, who works on it, what answered it, what it may touch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.ticket_places import Deed, permits
from sop_server.services.changes.go_live_moves import look
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.changes.tickets import get_ticket
from sop_server.services.drafts.draft_lists import drafts_of_tickets
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.stores import Stores
from sop_server.storage import ticket_answers
from sop_server.storage.tables import Revision

_MOST_PROPOSALS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A revision that references the ticket; it is only scheduled while `effective_from` lies ahead."""

    sop_id: str
    title: str
    revision: int
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """A SOP that the change may touch too, and why: it names the same system or process."""

    sop_id: str
    title: str
    department: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class TicketPage:
    """One ticket with what stands around it.

    `drafts` and `answers` are by SOP, the newest last; `drafts` is None for whoever may not see drafts. `may_change` it
    and `may_name` SOPs on it tell what the viewer may do.
    """

    ticket: TicketView
    drafts: Mapping[str, Sequence[DraftView]] | None
    answers: Mapping[str, Sequence[Answer]]
    proposals: tuple[Proposal, ...]
    may_change: bool
    may_name: bool


def ticket_page(stores: Stores, *, actor: Actor, now: datetime, ticket_id: str) -> TicketPage:
    """Return the page of a ticket, by `TKT-0012` or `source:key`; NotFoundError where it is not the actor's to see."""
    ticket = get_ticket(stores, actor=actor, now=now, ticket_id=ticket_id)
    number = identifiers.parse_ticket_id(ticket.id) or 0
    drafts: dict[str, list[DraftView]] | None = None
    if actor.may_anywhere(Action.SEE_DRAFTS):
        drafts = {}
        for draft in drafts_of_tickets(stores, actor=actor, ticket_ids=[number], now=now).get(number, []):
            drafts.setdefault(draft.sop_id, []).append(draft)
    with stores.database.read() as session:
        referencing = ticket_answers.referencing(session, number)
        standing = look(session, number, now)
        touched = ticket_answers.naming(session, now, systems=ticket.systems, processes=ticket.processes)
    answers: dict[str, list[Answer]] = {}
    for row in referencing:
        if actor.may(Action.READ, row.department):
            answers.setdefault(row.sop_id, []).append(Answer(row.sop_id, row.title, row.number, row.effective_from))
    # A process says more than a system that half the library names.
    touched = sorted(touched, key=lambda row: (not set(row.processes) & set(ticket.processes), row.sop_id))
    proposals = [
        Proposal(row.sop_id, row.title, row.department, _reason(row, ticket))
        for row in touched
        if row.sop_id not in ticket.sops and actor.may(Action.READ, row.department)
    ]
    names_more = standing.triage is None and actor.may_anywhere(Action.WRITE_TICKETS)
    return TicketPage(
        ticket=ticket,
        drafts=drafts,
        answers=answers,
        proposals=tuple(proposals[:_MOST_PROPOSALS]),
        may_change=permits(actor, Deed.CHANGE, standing.place),
        may_name=names_more or (standing.triage is not None and permits(actor, Deed.NAME_SOPS, standing.triage)),
    )


def _reason(row: Revision, ticket: TicketView) -> str:
    touched = {name.casefold() for name in ticket.systems}
    systems = [name for name in row.systems if name.casefold() in touched]
    processes = [name for name in row.processes if name in ticket.processes]
    if processes:
        return f"It documents {', '.join(processes)}."
    return f"It names the {'system' if len(systems) == 1 else 'systems'} {', '.join(systems)}."
