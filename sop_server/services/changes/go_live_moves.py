"""Moving a go-live: free until the window is broken, then a manager's decision, or a finding where a source does it."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer, System
from sop_server.domain.golive import go_live
from sop_server.domain.instants import format_instant
from sop_server.domain.obligations import ObligationState, statuses
from sop_server.domain.ticket_places import Deed, TicketPlace, require
from sop_server.errors import NotFoundError
from sop_server.services.changes.ticket_sight import triage_places
from sop_server.storage import audit, obligations, tickets
from sop_server.storage.database import Session
from sop_server.storage.tables import TicketVersion

_BROKEN = frozenset({ObligationState.BREACHED, ObligationState.LATE})


@dataclass(frozen=True, slots=True)
class Before:
    """A ticket as it stood before a change: its T0, whether its window was broken, whose it is.

    `triage` is whose its triage is, None where SOPs took the place of that.
    """

    ticket_id: int
    recorded_at: datetime
    newest: TicketVersion
    t0: datetime
    broken: bool
    place: TicketPlace
    triage: TicketPlace | None


def look(session: Session, ticket_id: int, now: datetime) -> Before:
    """Return how a ticket stands before something new is said of it."""
    row, newest = tickets.ticket_row(session, ticket_id), tickets.newest_version(session, ticket_id)
    if row is None or newest is None:
        raise NotFoundError(f"There is no ticket {identifiers.ticket_id(ticket_id)}.")
    at = max(now, newest.recorded_at)
    facts = obligations.facts_of_tickets(session, at, [ticket_id])
    found = statuses(facts)
    named = {fact.sop_id for fact in facts.obligations if fact.sop_id is not None}
    departments = {standing.department for standing in tickets.sop_standings(session, named, at).values()}
    registered_by = tickets.versions(session, ticket_id)[0].recorded_by
    triage: TicketPlace | None = None
    if any(status.counted and status.obligation.sop_id is None for status in found):
        triage = TicketPlace(triage_places(session, {ticket_id: newest.processes}, at)[ticket_id])
        departments |= triage.departments
    return Before(
        ticket_id=ticket_id,
        recorded_at=row.recorded_at,
        newest=newest,
        t0=go_live(facts.tickets[ticket_id], at).t0,
        broken=any(status.counted and status.state in _BROKEN for status in found),
        place=TicketPlace(frozenset(departments), registered_by),
        triage=triage,
    )


def check_move(session: Session, actor: Doer, before: Before, *, now: datetime) -> None:
    """Raise ForbiddenError where a person who may not do so moved T0 later after a breach; write such a move down.

    Called within the transaction after the new fact is stored: what is refused is rolled back with it. A window
    that was broken and closed late counts as broken, since a later T0 would make it look kept.
    """
    at = max(now, before.newest.recorded_at)
    facts = obligations.facts_of_tickets(session, at, [before.ticket_id])
    t0 = go_live(facts.tickets[before.ticket_id], at).t0
    if not before.broken or t0 <= before.t0:
        return
    require(actor, Deed.MOVE_LATE_GO_LIVE, before.place)
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=tickets.MOVED_AFTER_BREACH,
        subject=identifiers.ticket_id(before.ticket_id),
        details={
            "from": format_instant(before.t0),
            "to": format_instant(t0),
            "by_person": not isinstance(actor, System),
        },
    )
