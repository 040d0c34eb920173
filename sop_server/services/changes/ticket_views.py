"""What the doors show of a ticket."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import golive, identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.facts import TicketFact, TicketStatus
from sop_server.domain.golive import GoLiveSource
from sop_server.domain.obligations import ticket_met
from sop_server.services.changes import obligation_views
from sop_server.services.changes.obligation_views import ObligationView
from sop_server.services.changes.ticket_sight import tickets_in_sight
from sop_server.services.register.process_sight import processes_in_sight
from sop_server.storage import obligations, people, tickets
from sop_server.storage.database import Session
from sop_server.storage.tables import TicketVersion


@dataclass(frozen=True, slots=True)
class GoLiveView:
    """A T0 that a ticket had from `recorded_at` on; `reason` and `by` where a person said so."""

    recorded_at: datetime
    t0: datetime
    source: GoLiveSource
    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class TicketVersionView:
    """What a ticket said from `recorded_at` on, and who said so (None: its source)."""

    recorded_at: datetime
    recorded_by: str | None
    title: str
    status: TicketStatus
    effective_at: datetime | None
    planned_end: datetime | None
    actual_end: datetime | None
    announced_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket with its obligations as they stand. `replaced` is the triage that named SOPs took the place of.

    `versions` is empty in lists. SOPs and processes that the viewer may not know of are left out.
    """

    id: str
    source: str
    key: str
    title: str
    status: TicketStatus
    url: str | None
    t0: datetime
    t0_source: GoLiveSource
    provisional: bool
    upcoming: bool
    effective_at: datetime | None
    planned_end: datetime | None
    actual_end: datetime | None
    announced_at: datetime | None
    created_at: datetime
    recorded_at: datetime
    systems: tuple[str, ...]
    processes: tuple[str, ...]
    sops: tuple[str, ...]
    obligations: tuple[ObligationView, ...]
    replaced: ObligationView | None
    history: tuple[GoLiveView, ...]
    versions: tuple[TicketVersionView, ...] = ()

    @property
    def label(self) -> str:
        """The ticket as people write it, `source:key`."""
        return f"{self.source}:{self.key}"

    @property
    def met(self) -> bool:
        """Whether all its obligations that the viewer may see are met."""
        return ticket_met(self.obligations)


def view(session: Session, actor: Doer, ticket_id: int, at: datetime) -> TicketView | None:
    """Return one ticket with its history, None where it is not the actor's to know of."""
    found = views(session, actor, [ticket_id], at, whole=True)
    return found[0] if found else None


def views(
    session: Session, actor: Doer, ticket_ids: Sequence[int], at: datetime, *, whole: bool = False
) -> list[TicketView]:
    """Return the tickets that the actor may see, in the order asked for, in a fixed number of queries."""
    facts = obligations.facts_of_tickets(session, at, ticket_ids)
    newest = tickets.newest_versions(session, ticket_ids, at)
    of_ticket: dict[str, list[ObligationView]] = {}
    for obligation in obligation_views.views(session, actor, facts):
        of_ticket.setdefault(obligation.ticket_id, []).append(obligation)
    in_sight = tickets_in_sight(session, actor, ticket_ids, at)
    named = {process_id for version in newest.values() for process_id in version.processes}
    shown_processes = processes_in_sight(session, actor, named, at)
    shown: list[TicketView] = []
    for ticket_id in ticket_ids:
        if ticket_id not in facts.tickets or ticket_id not in in_sight:
            continue
        mine = of_ticket.get(identifiers.ticket_id(ticket_id), [])
        found = _view(session, facts.tickets[ticket_id], newest[ticket_id], mine, at, whole=whole)
        shown.append(replace(found, processes=tuple(one for one in found.processes if one in shown_processes)))
    return shown


def _view(
    session: Session,
    ticket: TicketFact,
    newest: TicketVersion,
    shown: Iterable[ObligationView],
    at: datetime,
    *,
    whole: bool,
) -> TicketView:
    live = golive.go_live(ticket, at)
    content = tickets.content_of(newest)
    counted = tuple(obligation for obligation in shown if obligation.counted)
    return TicketView(
        id=identifiers.ticket_id(ticket.id),
        source=ticket.source,
        key=ticket.key,
        title=content.title,
        status=content.status,
        url=content.url,
        t0=live.t0,
        t0_source=live.source,
        provisional=live.provisional,
        upcoming=live.upcoming,
        effective_at=content.effective_at,
        planned_end=content.planned_end,
        actual_end=content.actual_end,
        announced_at=content.announced_at,
        created_at=content.created_at,
        recorded_at=ticket.first_known_at,
        systems=content.systems,
        processes=content.processes,
        sops=tuple(sorted({one.sop_id for one in counted if one.sop_id is not None})),
        obligations=counted,
        replaced=next((one for one in shown if not one.counted), None),
        history=_history(session, ticket) if whole else (),
        versions=_versions(session, ticket.id, at) if whole else (),
    )


def _history(session: Session, ticket: TicketFact) -> tuple[GoLiveView, ...]:
    said = {confirmation.recorded_at: confirmation for confirmation in ticket.confirmations}
    persons = people.persons_by_id(session, {confirmation.person_id for confirmation in ticket.confirmations})
    changes: list[GoLiveView] = []
    for recorded_at, live in golive.history(ticket):
        confirmation = said.get(recorded_at) if live.source is GoLiveSource.CONFIRMED else None
        changes.append(
            GoLiveView(
                recorded_at=recorded_at,
                t0=live.t0,
                source=live.source,
                reason=None if confirmation is None else confirmation.reason,
                by=None if confirmation is None else persons[confirmation.person_id].name,
            )
        )
    return tuple(changes)


def _versions(session: Session, ticket_id: int, at: datetime) -> tuple[TicketVersionView, ...]:
    rows = [row for row in tickets.versions(session, ticket_id) if row.recorded_at <= at]
    persons = people.persons_by_id(session, {row.recorded_by for row in rows if row.recorded_by is not None})
    return tuple(
        TicketVersionView(
            recorded_at=row.recorded_at,
            recorded_by=None if row.recorded_by is None else persons[row.recorded_by].name,
            title=row.title,
            status=TicketStatus(row.status),
            effective_at=row.effective_at,
            planned_end=row.planned_end,
            actual_end=row.actual_end,
            announced_at=row.announced_at,
            created_at=row.created_at,
        )
        for row in rows
    )
