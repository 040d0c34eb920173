"""Naming SOPs on a ticket: each becomes an obligation, and together they take the place of its triage."""

from collections.abc import Sequence
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.storage import obligations, tickets
from sop_server.storage.database import Session


def require_nameable(session: Session, actor: Doer, sop_ids: Sequence[str], now: datetime) -> None:
    """Raise unless the actor may put these SOPs on a ticket: InvalidInputError by name where one is unknown or retired.

    A SOP that the actor may not read is unknown to them.
    """
    standings = tickets.sop_standings(session, sop_ids, now)
    known = {sop_id for sop_id, standing in standings.items() if actor.may(Action.READ, standing.department)}
    for sop_id in sop_ids:
        if sop_id in known:
            actor.require(Action.WRITE_TICKETS, standings[sop_id].department)
    unknown = [sop_id for sop_id in sop_ids if sop_id not in known]
    if unknown:
        raise InvalidInputError(
            f"There is no SOP {', '.join(unknown)}. Check the id; nothing was stored.",
            fields={"sops": f"unknown: {', '.join(unknown)}"},
        )
    retired = [sop_id for sop_id in sop_ids if standings[sop_id].retired]
    if retired:
        raise InvalidInputError(
            f"{', '.join(retired)} is retired, so it has nothing left to change. Name the SOP that took its place; "
            "nothing was stored.",
            fields={"sops": f"retired: {', '.join(retired)}"},
        )


def not_yet_named(session: Session, ticket_id: int, sop_ids: Sequence[str]) -> tuple[str, ...]:
    """Return those of the SOPs that the ticket does not name yet."""
    named = {
        row.sop_id for row in obligations.obligation_rows(session, [ticket_id]) if row.origin == obligations.BY_TICKET
    }
    return tuple(sop_id for sop_id in sop_ids if sop_id not in named)


def add(session: Session, ticket_id: int, sop_ids: Sequence[str], *, window_hours: float, now: datetime) -> None:
    """Make SOPs obligations of a ticket; a ticket without any gets one to triage it.

    An obligation that a revision brought about becomes one of the ticket's, with the window it was born with. The
    triage is uncounted from now on: what its window said until now stays as it was.
    """
    rows = {row.sop_id: row for row in obligations.obligation_rows(session, [ticket_id])}
    for sop_id in sop_ids:
        row = rows.get(sop_id)
        if row is not None:
            row.origin = obligations.BY_TICKET
            continue
        obligations.add_obligation(
            session,
            ticket_id=ticket_id,
            sop_id=sop_id,
            origin=obligations.BY_TICKET,
            window_hours=window_hours,
            now=now,
        )
    triage = rows.get(None)
    if not sop_ids and not rows:
        obligations.add_obligation(
            session,
            ticket_id=ticket_id,
            sop_id=None,
            origin=obligations.TRIAGE,
            window_hours=window_hours,
            now=now,
        )
    elif sop_ids and triage is not None and triage.uncounted_from is None:
        triage.uncounted_from = now
    session.flush()
