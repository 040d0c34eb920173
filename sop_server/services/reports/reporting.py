"""The six reports, as of any instant, for what the asker may see."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from sop_server.domain.break_glass import GlassReport
from sop_server.domain.coverage import CoverageReport, coverage
from sop_server.domain.doers import Doer
from sop_server.domain.drift import DriftReport, drift_of
from sop_server.domain.feedback import FeedbackReport, feedback
from sop_server.domain.knowledge import KnowledgeReport, knowledge
from sop_server.domain.obligations import ObligationStatus
from sop_server.domain.permissions import Action
from sop_server.domain.staleness import StaleItem, staleness
from sop_server.domain.standing import Standing, glass_report, narrow, obligation_place, standing
from sop_server.domain.window import WindowReport, due_within, window, window_by
from sop_server.errors import ForbiddenError, InvalidInputError
from sop_server.services.changes.ticket_sight import tickets_in_sight
from sop_server.services.library.reading import check_instant
from sop_server.services.stores import Stores
from sop_server.storage import late_facts as late
from sop_server.storage.database import Session
from sop_server.storage.facts import load_facts

DEFAULT_DAYS = 90
_LONGEST = 3660
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Which part of the library, as of when, over how many days; all of it, now, 90 days where nothing is said."""

    at: datetime | None = None
    days: int = DEFAULT_DAYS
    department: str | None = None
    owner: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Report(Generic[Body]):
    """A report as of `at`. `late` counts, by kind, the facts that happened by then but were recorded after it.

    `glass` tells what one person published alone over the last `days`, and what is still to be answered.
    """

    at: datetime
    days: int
    department: str | None
    owner: str | None
    source: str | None
    late: Mapping[str, int]
    body: Body
    glass: GlassReport


@dataclass(frozen=True, slots=True)
class Window:
    """The window report, its groups, and the rows behind its figures."""

    whole: WindowReport
    by_department: Mapping[str | None, WindowReport]
    by_owner: Mapping[str | None, WindowReport]
    by_source: Mapping[str | None, WindowReport]
    rows: tuple[ObligationStatus, ...]
    running: tuple[ObligationStatus, ...]


def drift_report(stores: Stores, *, actor: Doer, request: ReportRequest, now: datetime) -> Report[DriftReport]:
    """Return the drift score with what it is made of."""
    return _report(stores, actor, request, now, drift_of)


def window_report(stores: Stores, *, actor: Doer, request: ReportRequest, now: datetime) -> Report[Window]:
    """Return how well the window was kept over the last `days`."""

    def made(of: Standing) -> Window:
        found = [
            status for status in of.obligations if request.source is None or status.ticket.source == request.source
        ]
        at, days = of.at, request.days
        return Window(
            whole=window(found, at=at, days=days),
            by_department=window_by(
                found, lambda status: obligation_place(of.facts, status).department, at=at, days=days
            ),
            by_owner=window_by(found, lambda status: obligation_place(of.facts, status).owner, at=at, days=days),
            by_source=window_by(found, lambda status: status.ticket.source, at=at, days=days),
            rows=due_within(found, at=at, days=days),
            running=tuple(sorted((one for one in found if one.open), key=lambda one: one.due_at)),
        )

    return _report(stores, actor, request, now, made)


def staleness_report(
    stores: Stores, *, actor: Doer, request: ReportRequest, now: datetime
) -> Report[tuple[StaleItem, ...]]:
    """Return every stale SOP with its reasons, worst first."""
    return _report(stores, actor, request, now, staleness)


def coverage_report(stores: Stores, *, actor: Doer, request: ReportRequest, now: datetime) -> Report[CoverageReport]:
    """Return how much of what the operation does is written down, and what is not."""
    return _report(stores, actor, request, now, coverage)


def knowledge_report(stores: Stores, *, actor: Doer, request: ReportRequest, now: datetime) -> Report[KnowledgeReport]:
    """Return how much of what has to be known is known."""
    return _report(stores, actor, request, now, knowledge)


def feedback_report(stores: Stores, *, actor: Doer, request: ReportRequest, now: datetime) -> Report[FeedbackReport]:
    """Return how well feedback was triaged over the last `days`."""

    def made(of: Standing) -> FeedbackReport:
        return feedback(of.feedback, at=of.at, days=request.days)

    return _report(stores, actor, request, now, made)


def stale_ids(session: Session, *, at: datetime) -> frozenset[str]:
    """Return the ids of all stale SOPs."""
    return frozenset(item.sop_id for item in staleness(standing(load_facts(session, at))))


def _report(
    stores: Stores, actor: Doer, request: ReportRequest, now: datetime, make: Callable[[Standing], Body]
) -> Report[Body]:
    at = _not_before_everything(check_instant(request.at, now=now) or now)
    checked = replace(request, days=_days(request.days))
    departments = _departments(actor, checked.department)
    with stores.database.read() as session:
        facts = load_facts(session, at)
        late_facts = late.late_facts(session, at, _sight(session, actor, now))
    of = narrow(standing(facts), departments=departments, owner=checked.owner)
    return Report(
        at,
        checked.days,
        checked.department,
        checked.owner,
        checked.source,
        late_facts,
        make(of),
        glass_report(of, days=checked.days),
    )


def _sight(session: Session, actor: Doer, now: datetime) -> late.Sight | None:
    reach = actor.reach(Action.SEE_REPORTS)
    if reach is None:
        return None
    return late.Sight(reach, now, lambda ticket_ids: tickets_in_sight(session, actor, ticket_ids, now))


def _departments(actor: Doer, department: str | None) -> frozenset[str] | None:
    actor.require_anywhere(Action.SEE_REPORTS)
    reach = actor.reach(Action.SEE_REPORTS)
    if department is None:
        return reach
    if reach is not None and department not in reach:
        raise ForbiddenError(f"You may not see the reports of the department “{department}”.")
    return frozenset({department})


def _not_before_everything(at: datetime) -> datetime:
    # A period before it has to fit into the calendar too.
    if at < _EARLIEST:
        raise InvalidInputError(
            f"Nothing is known of the year {at.year}. Choose an instant from {_EARLIEST.year} on.",
            fields={"at": f"must not lie before {_EARLIEST.year}"},
        )
    return at


def _days(days: int) -> int:
    if not 1 <= days <= _LONGEST:
        raise InvalidInputError(
            f"A report covers 1 to {_LONGEST} days, not {days}.", fields={"days": f"1 to {_LONGEST}"}
        )
    return days
