"""Tickets and obligations as the rules read them: what was recorded by an instant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from sop_server.domain.facts import (
    GoLiveConfirmation,
    ObligationFact,
    TicketFact,
    TicketStatus,
    TicketVersion,
)
from sop_server.storage import not_needed
from sop_server.storage.kept_facts import KeptFacts, Known, Size, as_read, recorded
from sop_server.storage.tables import GoLiveConfirmation as ConfirmationRow
from sop_server.storage.tables import Obligation, Ticket
from sop_server.storage.tables import TicketVersion as VersionRow

_RECORDED_AT = attrgetter("recorded_at")
_FOR_EVER = datetime.max.replace(tzinfo=UTC)
_STATUSES = {status.value: status for status in TicketStatus}

_VERSION = select(
    VersionRow.ticket_id,
    Ticket.source,
    Ticket.key,
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
).join(Ticket, Ticket.id == VersionRow.ticket_id)
_VERSIONS = _VERSION.where(VersionRow.id > bindparam("after")).order_by(VersionRow.id)
_VERSIONS_BY = _VERSION.where(VersionRow.recorded_at <= bindparam("at")).order_by(VersionRow.id)
_VERSIONS_OF = _VERSIONS_BY.where(VersionRow.ticket_id.in_(bindparam("ids", expanding=True)))
_CONFIRMATION = select(
    ConfirmationRow.ticket_id,
    ConfirmationRow.t0,
    ConfirmationRow.person_id,
    ConfirmationRow.reason,
    ConfirmationRow.recorded_at,
)
_CONFIRMATIONS = _CONFIRMATION.where(ConfirmationRow.id > bindparam("after")).order_by(ConfirmationRow.id)
_CONFIRMATIONS_BY = _CONFIRMATION.where(ConfirmationRow.recorded_at <= bindparam("at")).order_by(ConfirmationRow.id)
_CONFIRMATIONS_OF = _CONFIRMATIONS_BY.where(ConfirmationRow.ticket_id.in_(bindparam("ids", expanding=True)))
_OBLIGATIONS = (
    select(Obligation.id, Obligation.ticket_id, Obligation.sop_id, Obligation.window_hours, Obligation.recorded_at)
    .where(Obligation.id > bindparam("after"))
    .order_by(Obligation.id)
)
_UNCOUNTED = select(Obligation.id, Obligation.uncounted_from).where(Obligation.uncounted_from <= bindparam("at"))
_OBLIGATIONS_OF = (
    select(
        Obligation.id,
        Obligation.ticket_id,
        Obligation.sop_id,
        Obligation.window_hours,
        Obligation.recorded_at,
        Obligation.uncounted_from,
    )
    .where(
        Obligation.recorded_at <= bindparam("at"),
        or_(
            Obligation.sop_id.in_(bindparam("ids", expanding=True)),
            and_(
                Obligation.sop_id.is_(None),
                or_(Obligation.uncounted_from.is_(None), Obligation.uncounted_from > bindparam("at")),
            ),
        ),
    )
    .order_by(Obligation.id)
)


class _Said(NamedTuple):
    """A version as a ticket said it, with what names the ticket."""

    ticket_id: int
    source: str
    key: str
    title: str
    version: TicketVersion

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded."""
        return self.version.recorded_at


class _Confirmed(NamedTuple):
    """A confirmation, and the ticket that it is of."""

    ticket_id: int
    confirmation: GoLiveConfirmation

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded."""
        return self.confirmation.recorded_at


@dataclass(frozen=True, slots=True)
class _Tickets:
    """Everything that was said of all tickets, and what that makes of them once all of it is known."""

    known: Known[_Said]
    facts: Mapping[int, TicketFact]

    @property
    def latest(self) -> datetime:
        """When the last of it was recorded."""
        return self.known.latest


def load(
    session: Session, at: datetime, *, kept: KeptFacts, sizes: Mapping[str, Size]
) -> tuple[Mapping[int, TicketFact], tuple[ObligationFact, ...]]:
    """Return the tickets and obligations recorded by `at`."""
    obligations = kept.get(
        "obligation",
        sizes["obligation"],
        read=lambda after: [ObligationFact(*row) for row in session.execute(_OBLIGATIONS, {"after": after})],
        shape=as_read,
    )
    return _tickets(session, at, kept, sizes), _decided(session, at, recorded(obligations, at))


def load_of(
    session: Session, at: datetime, sop_ids: Collection[str]
) -> tuple[Mapping[int, TicketFact], tuple[ObligationFact, ...]]:
    """Return the obligations of some SOPs and every open triage, recorded by `at`, with their tickets."""
    rows = session.execute(_OBLIGATIONS_OF, {"ids": sorted(sop_ids), "at": at}).all()
    proposed = not_needed.proposals(session, at, {row.id for row in rows}) if rows else {}
    obligations = tuple(
        ObligationFact(
            id=row.id,
            ticket_id=row.ticket_id,
            sop_id=row.sop_id,
            window_hours=row.window_hours,
            recorded_at=row.recorded_at,
            uncounted_from=row.uncounted_from if _known(row.uncounted_from, at) else None,
            proposals=proposed.get(row.id, ()),
        )
        for row in rows
    )
    return load_tickets(session, at, {obligation.ticket_id for obligation in obligations}), obligations


def all_tickets(session: Session, kept: KeptFacts, sizes: Mapping[str, Size]) -> Mapping[int, TicketFact]:
    """Return every ticket with all that was ever said of it, whatever a report is as of."""
    return _tickets(session, _FOR_EVER, kept, sizes)


def load_tickets(session: Session, at: datetime, ids: Collection[int] | None) -> Mapping[int, TicketFact]:
    """Return the tickets recorded by `at`, all or those with these ids, with all that was said of them by then."""
    if ids is None:
        return _assembled(
            [_said(row) for row in session.execute(_VERSIONS_BY, {"at": at})],
            [_confirmed(*row) for row in session.execute(_CONFIRMATIONS_BY, {"at": at})],
        )
    if not ids:
        return {}
    given = {"at": at, "ids": sorted(ids)}
    return _assembled(
        [_said(row) for row in session.execute(_VERSIONS_OF, given)],
        [_confirmed(*row) for row in session.execute(_CONFIRMATIONS_OF, given)],
    )


def _tickets(session: Session, at: datetime, kept: KeptFacts, sizes: Mapping[str, Size]) -> Mapping[int, TicketFact]:
    versions = kept.get(
        "ticket_version",
        sizes["ticket_version"],
        read=lambda after: [_said(row) for row in session.execute(_VERSIONS, {"after": after})],
        shape=lambda said: _Tickets(as_read(said), _assembled(said, ())),
    )
    confirmations = kept.get(
        "confirmation",
        sizes["confirmation"],
        read=lambda after: [_confirmed(*row) for row in session.execute(_CONFIRMATIONS, {"after": after})],
        shape=as_read,
    )
    if at < versions.known.latest:
        return _assembled(recorded(versions.known, at), recorded(confirmations, at))
    found = dict(versions.facts)
    for ticket_id, several in _by_ticket(recorded(confirmations, at)).items():
        if ticket_id in found:
            found[ticket_id] = found[ticket_id]._replace(confirmations=several)
    return found


def _assembled(said: Sequence[_Said], confirmed: Sequence[_Confirmed]) -> dict[int, TicketFact]:
    versions: dict[int, list[_Said]] = {}
    for one in sorted(said, key=_RECORDED_AT):
        versions.setdefault(one.ticket_id, []).append(one)
    confirmations = _by_ticket(confirmed)
    return {
        ticket_id: TicketFact(
            ticket_id,
            several[-1].source,
            several[-1].key,
            several[-1].title,
            tuple(one.version for one in several),
            confirmations.get(ticket_id, ()),
        )
        for ticket_id, several in sorted(versions.items())
    }


def _by_ticket(confirmed: Sequence[_Confirmed]) -> dict[int, tuple[GoLiveConfirmation, ...]]:
    found: dict[int, list[GoLiveConfirmation]] = {}
    for one in sorted(confirmed, key=_RECORDED_AT):
        found.setdefault(one.ticket_id, []).append(one.confirmation)
    return {ticket_id: tuple(several) for ticket_id, several in found.items()}


def _said(row: Any) -> _Said:
    version = TicketVersion(
        status=_STATUSES[row.status],
        effective_at=row.effective_at,
        planned_end=row.planned_end,
        actual_end=row.actual_end,
        announced_at=row.announced_at,
        created_at=row.created_at,
        systems=tuple(row.systems),
        processes=tuple(row.processes),
        recorded_at=row.recorded_at,
    )
    return _Said(row.ticket_id, row.source, row.key, row.title, version)


def _confirmed(ticket_id: int, t0: datetime, person_id: int, reason: str, recorded_at: datetime) -> _Confirmed:
    return _Confirmed(ticket_id, GoLiveConfirmation(t0, person_id, reason, recorded_at))


def _decided(session: Session, at: datetime, obligations: tuple[ObligationFact, ...]) -> tuple[ObligationFact, ...]:
    """Add what was decided of obligations after they were born: few of them, of many."""
    uncounted = dict(session.execute(_UNCOUNTED, {"at": at}).all())
    proposed = not_needed.proposals(session, at)
    touched = uncounted.keys() | proposed.keys()
    if not touched:
        return obligations
    return tuple(
        one._replace(uncounted_from=uncounted.get(one.id), proposals=proposed.get(one.id, ()))
        if one.id in touched
        else one
        for one in obligations
    )


def _known(recorded_at: datetime | None, at: datetime) -> bool:
    return recorded_at is not None and recorded_at <= at
