"""Tickets as they are stored: their identity, their versions, and what they name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import Session

from sop_server.domain.facts import TicketStatus
from sop_server.domain.tickets import TicketContent
from sop_server.storage.tables import (
    GoLiveConfirmation,
    Obligation,
    Revision,
    Ticket,
    TicketVersion,
)

MOVED_AFTER_BREACH = "ticket.go_live_moved_after_breach"

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class SopStanding:
    """How a SOP stands at an instant for those who name it: what governs it, and whether it is retired."""

    sop_id: str
    department: str | None
    owner: str | None
    title: str
    retired: bool


def ticket_by_reference(session: Session, source: str, key: str) -> Ticket | None:
    """Return the ticket that a source calls by this key."""
    return session.scalar(select(Ticket).where(Ticket.source == source, Ticket.key == key))


def ticket_row(session: Session, ticket_id: int) -> Ticket | None:
    """Return one ticket."""
    return session.get(Ticket, ticket_id)


def add_ticket(session: Session, *, source: str, key: str, now: datetime) -> Ticket:
    """Store the identity of a ticket."""
    row = Ticket(source=source, key=key, recorded_at=now)
    session.add(row)
    session.flush()
    return row


def newest_version(session: Session, ticket_id: int) -> TicketVersion | None:
    """Return what a ticket says now."""
    return session.scalar(
        select(TicketVersion)
        .where(TicketVersion.ticket_id == ticket_id)
        .order_by(TicketVersion.recorded_at.desc(), TicketVersion.id.desc())
        .limit(1)
    )


def newest_versions(
    session: Session, ticket_ids: Collection[int], at: datetime | None = None
) -> Mapping[int, TicketVersion]:
    """Return what each ticket said at `at`; what it says now where that is None."""
    found: dict[int, TicketVersion] = {}
    wanted = sorted(ticket_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.scalars(
            select(TicketVersion)
            .where(TicketVersion.ticket_id.in_(wanted[start : start + _CHUNK]))
            .where(true() if at is None else TicketVersion.recorded_at <= at)
            .order_by(TicketVersion.recorded_at, TicketVersion.id)
        )
        found.update({row.ticket_id: row for row in rows})
    return found


def versions(session: Session, ticket_id: int) -> Sequence[TicketVersion]:
    """Return all that a ticket ever said, oldest first."""
    return session.scalars(
        select(TicketVersion)
        .where(TicketVersion.ticket_id == ticket_id)
        .order_by(TicketVersion.recorded_at, TicketVersion.id)
    ).all()


def content_of(row: TicketVersion) -> TicketContent:
    """Return what a stored version says."""
    return TicketContent(
        title=row.title,
        status=TicketStatus(row.status),
        effective_at=row.effective_at,
        planned_end=row.planned_end,
        actual_end=row.actual_end,
        announced_at=row.announced_at,
        created_at=row.created_at,
        systems=tuple(row.systems),
        processes=tuple(row.processes),
        url=row.url,
    )


def add_version(
    session: Session, ticket_id: int, content: TicketContent, *, person_id: int | None, now: datetime
) -> None:
    """Store what a ticket says from now on."""
    session.add(
        TicketVersion(
            ticket_id=ticket_id,
            title=content.title,
            status=content.status.value,
            effective_at=content.effective_at,
            planned_end=content.planned_end,
            actual_end=content.actual_end,
            announced_at=content.announced_at,
            created_at=content.created_at,
            systems=list(content.systems),
            processes=list(content.processes),
            url=content.url,
            recorded_at=now,
            recorded_by=person_id,
        )
    )
    session.flush()


def add_confirmation(
    session: Session, ticket_id: int, *, t0: datetime, reason: str, person_id: int, now: datetime
) -> None:
    """Store that a person says when a change took effect."""
    session.add(GoLiveConfirmation(ticket_id=ticket_id, t0=t0, reason=reason, person_id=person_id, recorded_at=now))
    session.flush()


def confirmations(session: Session, ticket_id: int) -> Sequence[GoLiveConfirmation]:
    """Return what people said of a ticket's go-live, oldest first."""
    return session.scalars(
        select(GoLiveConfirmation)
        .where(GoLiveConfirmation.ticket_id == ticket_id)
        .order_by(GoLiveConfirmation.recorded_at, GoLiveConfirmation.id)
    ).all()


def find_ids(
    session: Session,
    *,
    before: int | None = None,
    limit: int,
    source: str | None = None,
    statuses: Collection[str] = (),
    words: str | None = None,
    sop_id: str | None = None,
    among: Collection[int] | None = None,
) -> Sequence[int]:
    """Return the ids of tickets, the newest first; of those `among` which are looked for, where it is given."""
    newest = (
        select(func.max(TicketVersion.id))
        .where(TicketVersion.ticket_id == Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    query = select(Ticket.id).order_by(Ticket.id.desc()).limit(limit)
    if statuses or words:
        query = query.join(TicketVersion, TicketVersion.id == newest)
    if before is not None:
        query = query.where(Ticket.id < before)
    if source is not None:
        query = query.where(Ticket.source == source)
    if statuses:
        query = query.where(TicketVersion.status.in_(sorted(statuses)))
    if words:
        query = query.where(
            or_(
                TicketVersion.title.icontains(words, autoescape=True),
                Ticket.key.icontains(words, autoescape=True),
            )
        )
    if sop_id is not None:
        query = query.where(
            select(Obligation.id).where(Obligation.ticket_id == Ticket.id, Obligation.sop_id == sop_id).exists()
        )
    if among is None:
        return session.scalars(query).all()
    found: list[int] = []
    wanted = sorted(among, reverse=True)
    for start in range(0, len(wanted), _CHUNK):
        found += session.scalars(query.where(Ticket.id.in_(wanted[start : start + _CHUNK])))
        if len(found) >= limit:
            break
    return found[:limit]


def sources(session: Session) -> Sequence[str]:
    """Return where tickets came from so far."""
    return session.scalars(select(Ticket.source).distinct().order_by(Ticket.source)).all()


def sop_standings(session: Session, sop_ids: Collection[str], at: datetime) -> Mapping[str, SopStanding]:
    """Return how the SOPs that have an approved revision stand at `at`; those that have none are left out."""
    found: dict[str, SopStanding] = {}
    wanted = sorted(set(sop_ids))
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(
                Revision.sop_id,
                Revision.kind,
                Revision.department,
                Revision.owner,
                Revision.title,
                Revision.effective_from,
            )
            .where(Revision.sop_id.in_(wanted[start : start + _CHUNK]))
            .order_by(Revision.sop_id, Revision.number)
        )
        for sop_id, kind, department, owner, title, effective_from in rows:
            # The highest revision in force governs; before the first one is, the first that will be.
            if effective_from <= at or sop_id not in found:
                retired = kind == "retire" and effective_from <= at
                found[sop_id] = SopStanding(sop_id, department, owner, title, retired)
    return found
