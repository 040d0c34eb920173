"""Tickets and obligations as the rules read them: what was recorded by an instant."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from sop_server.domain.facts import (
    GoLiveConfirmation,
    NotNeeded,
    ObligationFact,
    TicketFact,
    TicketStatus,
    TicketVersion,
)
from sop_server.storage.tables import GoLiveConfirmation as ConfirmationRow
from sop_server.storage.tables import NotNeeded as NotNeededRow
from sop_server.storage.tables import Obligation, Ticket
from sop_server.storage.tables import TicketVersion as VersionRow


def load(
    session: Session, at: datetime, *, sop_ids: Collection[str] | None
) -> tuple[Mapping[int, TicketFact], tuple[ObligationFact, ...]]:
    """Return the tickets and obligations recorded by `at`.

    Where `sop_ids` are given: the obligations of these SOPs and every open triage, with their tickets.
    """
    obligations = _obligations(session, at, sop_ids)
    ids = None if sop_ids is None else {obligation.ticket_id for obligation in obligations}
    return load_tickets(session, at, ids), obligations


def load_tickets(session: Session, at: datetime, ids: Collection[int] | None) -> Mapping[int, TicketFact]:
    """Return the tickets recorded by `at`, all or those with these ids, with all that was said of them by then."""
    if ids is not None and not ids:
        return {}
    only = [] if ids is None else [Ticket.id.in_(sorted(ids))]
    titles: dict[int, str] = {}
    versions: dict[int, list[TicketVersion]] = {}
    rows = session.execute(
        select(
            VersionRow.ticket_id,
            VersionRow.title,
            VersionRow.status,
            VersionRow.effective_at,
            VersionRow.planned_end,
            VersionRow.actual_end,
            VersionRow.announced_at,
            VersionRow.created_at,
            VersionRow.systems,
            VersionRow.processes,
            VersionRow.recorded_at,
        )
        .join(Ticket, Ticket.id == VersionRow.ticket_id)
        .where(VersionRow.recorded_at <= at, *only)
        .order_by(VersionRow.recorded_at, VersionRow.id)
    )
    for row in rows:
        titles[row.ticket_id] = row.title
        versions.setdefault(row.ticket_id, []).append(
            TicketVersion(
                status=TicketStatus(row.status),
                effective_at=row.effective_at,
                planned_end=row.planned_end,
                actual_end=row.actual_end,
                announced_at=row.announced_at,
                created_at=row.created_at,
                systems=tuple(row.systems),
                processes=tuple(row.processes),
                recorded_at=row.recorded_at,
            )
        )
    confirmations: dict[int, list[GoLiveConfirmation]] = {}
    for confirmation in session.scalars(
        select(ConfirmationRow)
        .join(Ticket, Ticket.id == ConfirmationRow.ticket_id)
        .where(ConfirmationRow.recorded_at <= at, *only)
        .order_by(ConfirmationRow.recorded_at, ConfirmationRow.id)
    ):
        confirmations.setdefault(confirmation.ticket_id, []).append(
            GoLiveConfirmation(confirmation.t0, confirmation.person_id, confirmation.reason, confirmation.recorded_at)
        )
    return {
        ticket_id: TicketFact(
            ticket_id,
            source,
            key,
            titles[ticket_id],
            tuple(versions[ticket_id]),
            tuple(confirmations.get(ticket_id, ())),
        )
        for ticket_id, source, key in session.execute(
            select(Ticket.id, Ticket.source, Ticket.key).where(*only).order_by(Ticket.id)
        )
        if ticket_id in versions
    }


def _obligations(session: Session, at: datetime, sop_ids: Collection[str] | None) -> tuple[ObligationFact, ...]:
    query = (
        select(
            Obligation.id,
            Obligation.ticket_id,
            Obligation.sop_id,
            Obligation.window_hours,
            Obligation.recorded_at,
            Obligation.uncounted_from,
            NotNeededRow.proposed_by,
            NotNeededRow.reason,
            NotNeededRow.proposed_at,
            NotNeededRow.confirmed_by,
            NotNeededRow.confirmed_at,
        )
        .join(NotNeededRow, NotNeededRow.obligation_id == Obligation.id, isouter=True)
        .where(Obligation.recorded_at <= at)
        .order_by(Obligation.id)
    )
    if sop_ids is not None:
        open_triage = and_(
            Obligation.sop_id.is_(None),
            or_(Obligation.uncounted_from.is_(None), Obligation.uncounted_from > at),
        )
        query = query.where(or_(Obligation.sop_id.in_(sorted(sop_ids)), open_triage))
    return tuple(
        ObligationFact(
            id=row.id,
            ticket_id=row.ticket_id,
            sop_id=row.sop_id,
            window_hours=row.window_hours,
            recorded_at=row.recorded_at,
            uncounted_from=row.uncounted_from if _known(row.uncounted_from, at) else None,
            proposal=_proposal(row.proposed_by, row.reason, row.proposed_at, row.confirmed_by, row.confirmed_at, at),
        )
        for row in session.execute(query)
    )


def _proposal(  # noqa: PLR0917 - the columns of one row, in their order
    proposed_by: int | None,
    reason: str | None,
    proposed_at: datetime | None,
    confirmed_by: int | None,
    confirmed_at: datetime | None,
    at: datetime,
) -> NotNeeded | None:
    if proposed_by is None or reason is None or proposed_at is None or proposed_at > at:
        return None
    if not _known(confirmed_at, at):
        confirmed_by, confirmed_at = None, None
    return NotNeeded(proposed_by, reason, proposed_at, confirmed_by, confirmed_at)


def _known(recorded_at: datetime | None, at: datetime) -> bool:
    return recorded_at is not None and recorded_at <= at
