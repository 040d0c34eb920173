"""Whose tickets are, as it is recorded, and who may know of them: one rule for every door."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.domain.ticket_places import Deed, TicketPlace, permits, triage_departments
from sop_server.errors import InvalidInputError, NotFoundError
from sop_server.storage import obligations, processes, ticket_references, tickets
from sop_server.storage.database import Session


def triage_places(
    session: Session, named: Mapping[int, Collection[str]], now: datetime
) -> Mapping[int, frozenset[str | None]]:
    """Return whose the triage of each ticket is; `named` are the processes that the tickets name."""
    wanted = {process_id for several in named.values() for process_id in several}
    known = processes.newest_versions(session, now, wanted) if wanted else {}
    departments = {process_id: version.department for process_id, version in known.items()}
    return {ticket_id: triage_departments(several, departments) for ticket_id, several in named.items()}


def tickets_in_sight(session: Session, actor: Doer, ticket_ids: Collection[int], now: datetime) -> frozenset[int]:
    """Return those of the tickets that are the actor's to know of, in a fixed number of queries.

    A ticket is in sight by any of its obligations that counts: by a SOP that the actor may read, or by its triage.
    """
    rows = [
        row
        for row in obligations.obligation_rows(session, ticket_ids)
        if row.uncounted_from is None or row.uncounted_from > now
    ]
    standings = tickets.sop_standings(session, {row.sop_id for row in rows if row.sop_id is not None}, now)
    readable = {sop_id for sop_id, standing in standings.items() if actor.may(Action.READ, standing.department)}
    in_triage = {row.ticket_id for row in rows if row.sop_id is None}
    newest = tickets.newest_versions(session, in_triage)
    places = triage_places(session, {number: newest[number].processes for number in in_triage}, now)
    triaging = {number for number, place in places.items() if permits(actor, Deed.SEE, TicketPlace(place))}
    return frozenset(
        row.ticket_id for row in rows if row.sop_id in readable or (row.sop_id is None and row.ticket_id in triaging)
    )


def ticket_in_sight(session: Session, actor: Doer, reference: str, now: datetime) -> int:
    """Return the ticket behind `TKT-0012` or `source:key`; NotFoundError where it is not the actor's to know of."""
    ticket_id = ticket_references.ticket_id_of(session, reference)
    if ticket_id is None or not tickets_in_sight(session, actor, [ticket_id], now):
        raise NotFoundError(f"There is no ticket {reference}. Check the address, or look under Tickets.")
    return ticket_id


def tickets_named(session: Session, actor: Doer, references: Sequence[str], now: datetime) -> frozenset[int]:
    """Return the tickets behind the references; raises InvalidInputError naming those that are not known.

    What is not the actor's to know of is as unknown as what does not exist: naming a ticket must tell nothing of it.
    """
    found = {reference: ticket_references.ticket_id_of(session, reference) for reference in references}
    known = tickets_in_sight(session, actor, {number for number in found.values() if number is not None}, now)
    unknown = [reference for reference, number in found.items() if number not in known]
    if unknown:
        raise InvalidInputError(
            f"No ticket is known as {', '.join(unknown)}. Register it first, or write it as TKT-0012 or source:key.",
            fields={"tickets": f"unknown: {', '.join(unknown)}"},
        )
    return known
