"""How drafts and revisions name tickets: `TKT-0012` or `source:key`; and what a reference brings about."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.domain import identifiers
from sop_server.storage.tables import Obligation, Ticket


def ticket_id_of(session: Session, reference: str) -> int | None:
    """Return the ticket behind `TKT-0012` or `source:key`; None where there is none."""
    text = reference.strip()
    number = identifiers.parse_ticket_id(text)
    if number is not None:
        return session.scalar(select(Ticket.id).where(Ticket.id == number))
    source, colon, key = text.partition(":")
    if not colon:
        return None
    return session.scalar(select(Ticket.id).where(Ticket.source == source.strip(), Ticket.key == key.strip()))


def labels(session: Session, ticket_ids: Collection[int]) -> Mapping[int, str]:
    """Return `source:key` of each ticket, the name that commits and people know it by."""
    rows = session.execute(select(Ticket.id, Ticket.source, Ticket.key).where(Ticket.id.in_(ticket_ids)))
    return {ticket_id: f"{source}:{key}" for ticket_id, source, key in rows}


def add_obligations_of_revision(
    session: Session, *, sop_id: str, ticket_ids: Collection[int], window_hours: float, recorded_at: datetime
) -> None:
    """Add the (ticket, SOP) pairs that a revision references and no ticket names; a triage goes on beside them."""
    known = set(
        session.scalars(
            select(Obligation.ticket_id).where(Obligation.sop_id == sop_id, Obligation.ticket_id.in_(ticket_ids))
        )
    )
    session.add_all(
        Obligation(
            ticket_id=ticket_id,
            sop_id=sop_id,
            origin="revision",
            window_hours=window_hours,
            recorded_at=recorded_at,
        )
        for ticket_id in sorted(set(ticket_ids) - known)
    )
    session.flush()
