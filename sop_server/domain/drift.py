"""The drift score: how far what is written has drifted from what is done.

`inputs_of` measures the library; the formula itself is `drift_formula`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest

from sop_server.domain.coverage import coverage_share
from sop_server.domain.drift_formula import (
    FORMULA_VERSION,
    Band,
    Cap,
    Component,
    DriftInputs,
    band,
    caps,
    clip,
    components,
    score,
    would_raise_most,
)
from sop_server.domain.facts import Criticality, Facts
from sop_server.domain.feedback import feedback
from sop_server.domain.knowledge import knowledge_share
from sop_server.domain.obligations import MATURED, ObligationState, ObligationStatus
from sop_server.domain.reviews import review_share
from sop_server.domain.standing import ActiveProcess, Standing, standing

_DAY = timedelta(days=1)
_SCORED_PERIOD = timedelta(days=90)
_SCORED_AT_LEAST = 10
_SCORED_AT_MOST_AGO = timedelta(days=365)
_LONG_OPEN = timedelta(days=30)
_FRESH_DAYS = 2
_WORTHLESS_DAYS = 30


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The score with everything that explains it; score and band are None without any data."""

    at: datetime
    score: float | None
    band: Band | None
    components: tuple[Component, ...]
    caps: tuple[Cap, ...]
    formula_version: str
    would_raise_most: str


def drift(facts: Facts) -> DriftReport:
    """Return the drift score of a snapshot, at its instant."""
    return drift_of(standing(facts))


def drift_of(of: Standing) -> DriftReport:
    """Return the drift score of a library, or of a part of it."""
    inputs = inputs_of(of)
    found = score(inputs)
    return DriftReport(
        at=of.at,
        score=found,
        band=None if found is None else band(found),
        components=components(inputs),
        caps=() if found is None else caps(inputs),
        formula_version=FORMULA_VERSION,
        would_raise_most=would_raise_most(inputs),
    )


def inputs_of(of: Standing) -> DriftInputs:
    """Measure the library: everything that the formula takes."""
    judged = [process for process in of.processes.values() if not process.in_grace]
    long_open = sum(status.open_past_go_live and of.at - status.t0 >= _LONG_OPEN for status in of.obligations)
    stale = {process.process.id for process in judged if _oldest(of, process) >= _LONG_OPEN}
    return DriftInputs(
        compliance=compliance(of.obligations, of.at),
        freshness=_freshness(of),
        coverage=coverage_share(of.processes.values()),
        reviews=review_share(of),
        knowledge=knowledge_share(of),
        feedback=feedback(of.feedback, at=of.at).share,
        long_open=long_open,
        critical_undocumented=sum(
            process.version.criticality == Criticality.CRITICAL and not process.documented for process in judged
        ),
        undocumented_share=_weight_share(judged, [process for process in judged if not process.documented]),
        long_open_share=_weight_share(judged, [process for process in judged if process.process.id in stale]),
        lost_share=_weight_share(
            judged, [process for process in judged if not process.documented or process.process.id in stale]
        ),
    )


def compliance(found: Iterable[ObligationStatus], at: datetime) -> float | None:
    """Return met over matured: those due in the last 90 days, with the latest before them up to ten.

    None of them was due more than 365 days ago; None where there is none at all.
    """
    oldest = at - _SCORED_AT_MOST_AGO
    matured = [status for status in found if oldest <= status.due_at <= at and status.state in MATURED]
    recent = at - _SCORED_PERIOD
    scored = [status for status in matured if status.due_at > recent]
    if len(scored) < _SCORED_AT_LEAST:
        scored = nlargest(_SCORED_AT_LEAST, matured, key=lambda status: (status.due_at, status.obligation.id))
    if not scored:
        return None
    return sum(status.state is ObligationState.MET for status in scored) / len(scored)


def _oldest(of: Standing, process: ActiveProcess) -> timedelta:
    """Return how long the oldest change has been live that one of the SOPs of a process does not reflect."""
    return max((of.at - of.exposed[sop][0].t0 for sop in process.sops if sop in of.exposed), default=timedelta(0))


def _freshness(of: Standing) -> float | None:
    documented = [process for process in of.processes.values() if process.documented]
    total = sum(process.weight for process in documented)
    if not total:
        return None
    span = _WORTHLESS_DAYS - _FRESH_DAYS
    return (
        math.fsum(
            process.weight * clip((_WORTHLESS_DAYS - _oldest(of, process) / _DAY) / span) for process in documented
        )
        / total
    )


def _weight_share(all_of: Sequence[ActiveProcess], part: Iterable[ActiveProcess]) -> float | None:
    total = sum(process.weight for process in all_of)
    return sum(process.weight for process in part) / total if total else None
