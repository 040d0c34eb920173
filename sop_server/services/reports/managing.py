"""What a manager sees first: the score and its year, what moved it, and where to look."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.break_glass import BrokenGlassFact
from sop_server.domain.coverage import Undocumented, coverage
from sop_server.domain.deviations import DeviationFigures, figures
from sop_server.domain.doers import Doer
from sop_server.domain.drift import DriftReport, drift_of
from sop_server.domain.drift_formula import Component
from sop_server.domain.obligations import ObligationStatus
from sop_server.domain.permissions import Action
from sop_server.domain.staleness import StaleItem, staleness
from sop_server.domain.standing import loud_glass, narrow, sop_place, standing
from sop_server.domain.window import WindowReport, window
from sop_server.services.reports.year import past_months
from sop_server.services.stores import Stores
from sop_server.storage.facts import load_facts

_DAYS = 90


@dataclass(frozen=True, slots=True)
class ManagerHome:
    """The drift score now, at each end of the months before (oldest first), and the figures of the tiles.

    `lost_most` is the component that lost the most points; None where nothing was lost. `broken_glass` is what one
    person published alone and no second one has confirmed.
    """

    drift: DriftReport
    months: tuple[DriftReport, ...]
    lost_most: Component | None
    window: WindowReport
    running: tuple[ObligationStatus, ...]
    stale: tuple[StaleItem, ...]
    in_force: int
    undocumented: tuple[Undocumented, ...]
    critical_undocumented: int
    deviations: DeviationFigures
    broken_glass: tuple[BrokenGlassFact, ...]


def manager_home(stores: Stores, *, actor: Doer, now: datetime) -> ManagerHome:
    """Return the home of a manager, for the departments whose reports they see."""
    actor.require_anywhere(Action.SEE_REPORTS)
    reach = actor.reach(Action.SEE_REPORTS)
    with stores.database.read() as session:
        facts = load_facts(session, now)
    of = narrow(standing(facts), departments=reach)
    report = drift_of(of)
    missing = coverage(of).undocumented
    lost = max(report.components, key=lambda component: component.lost, default=None)
    return ManagerHome(
        drift=report,
        months=(*past_months(stores, facts, departments=reach), report),
        lost_most=lost if lost is not None and lost.lost > 0 else None,
        window=window(of.obligations, at=now, days=_DAYS),
        running=tuple(sorted((one for one in of.obligations if one.open), key=lambda one: one.due_at)),
        stale=staleness(of),
        in_force=len(of.in_force),
        undocumented=missing,
        critical_undocumented=sum(row.criticality == "critical" for row in missing),
        deviations=figures(
            (fact for fact in facts.deviations if reach is None or sop_place(facts, fact.sop_id).department in reach),
            at=now,
            days=_DAYS,
        ),
        broken_glass=loud_glass(of),
    )
