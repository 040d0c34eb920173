"""When a business change takes effect (T0), how that is known, and whether it was cancelled before."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sop_server.domain.facts import TicketFact, TicketStatus, TicketVersion


class GoLiveSource(StrEnum):
    """How T0 is known, the surest first."""

    CONFIRMED = "confirmed"
    STATED = "stated"
    ACTUAL_END = "actual_end"
    PLANNED_END = "planned_end"
    ANNOUNCED = "announced"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class GoLive:
    """T0 as it is known at an instant: `provisional` where a planned end has passed and nobody said what came of it."""

    t0: datetime
    source: GoLiveSource
    provisional: bool
    upcoming: bool


def current_version(ticket: TicketFact, at: datetime) -> TicketVersion:
    """Return what the ticket said at the instant; its first version before anything was recorded."""
    for version in reversed(ticket.versions):
        if version.recorded_at <= at:
            return version
    return ticket.versions[0]


def go_live(ticket: TicketFact, at: datetime) -> GoLive:
    """Return T0 from what was recorded by the instant.

    In this order: confirmed by a person, stated, actual end of a successful change, planned end, announced, created.
    The newest version and the newest confirmation apply.
    """
    t0, source = _dated(ticket, at)
    return GoLive(
        t0=t0,
        source=source,
        provisional=source is GoLiveSource.PLANNED_END and t0 <= at,
        upcoming=t0 > at,
    )


def _dated(ticket: TicketFact, at: datetime) -> tuple[datetime, GoLiveSource]:
    for confirmation in reversed(ticket.confirmations):
        if confirmation.recorded_at <= at:
            return confirmation.t0, GoLiveSource.CONFIRMED
    return _stated(current_version(ticket, at))


def _stated(version: TicketVersion) -> tuple[datetime, GoLiveSource]:
    if version.effective_at is not None:
        return version.effective_at, GoLiveSource.STATED
    if version.actual_end is not None and version.status == TicketStatus.DONE:
        return version.actual_end, GoLiveSource.ACTUAL_END
    if version.planned_end is not None:
        return version.planned_end, GoLiveSource.PLANNED_END
    if version.announced_at is not None:
        return version.announced_at, GoLiveSource.ANNOUNCED
    return version.created_at, GoLiveSource.CREATED


def history(ticket: TicketFact) -> tuple[tuple[datetime, GoLive], ...]:
    """Return each T0 that the ticket had and the instant at which it was recorded, oldest first."""
    instants = sorted(
        {version.recorded_at for version in ticket.versions} | {said.recorded_at for said in ticket.confirmations}
    )
    changes: list[tuple[datetime, GoLive]] = []
    for instant in instants:
        known = go_live(ticket, instant)
        if not changes or (changes[-1][1].t0, changes[-1][1].source) != (known.t0, known.source):
            changes.append((instant, known))
    return tuple(changes)


class Told(NamedTuple):
    """That the library was told a T0, and when."""

    t0: datetime
    recorded_at: datetime


def registered(ticket: TicketFact) -> Told:
    """Return the T0 that a ticket brought when it was registered."""
    first = ticket.versions[0]
    return Told(_stated(first)[0], first.recorded_at)


def moved(ticket: TicketFact) -> tuple[Told, ...]:
    """Return each T0 that a later version of the ticket brought, where it is not the one that was known until then."""
    found: list[Told] = []
    known = registered(ticket).t0
    for recorded_at, live in history(ticket):
        by_version = recorded_at > ticket.first_known_at and live.source is not GoLiveSource.CONFIRMED
        if by_version and live.t0 != known:
            found.append(Told(live.t0, recorded_at))
        known = live.t0
    return tuple(found)


def cancelled_at(ticket: TicketFact, at: datetime) -> datetime | None:
    """Return since when, as recorded by the instant, the change has been cancelled without a break; None if not."""
    since: datetime | None = None
    for version in ticket.versions:
        if version.recorded_at > at:
            break
        if version.status != TicketStatus.CANCELLED:
            since = None
        elif since is None:
            since = version.recorded_at
    return since


def cancelled_before_go_live(ticket: TicketFact, at: datetime) -> bool:
    """Whether the change was cancelled before its T0; what is rolled back after it is a new ticket."""
    since = cancelled_at(ticket, at)
    return since is not None and since < go_live(ticket, at).t0
