"""Whether the window was kept: compliance, exposure and response over a period."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sop_server.domain.estimators import Step, kaplan_meier, quantile, wilson
from sop_server.domain.instants import hours
from sop_server.domain.obligations import MATURED, ObligationState, ObligationStatus

TARGET = 0.95

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class WindowReport:
    """How the window was kept over the `days` before `at`; durations in hours.

    `n` = met + late + breached, all due within the period, as are `not_needed` and `void`; `pending` are due later.
    `misses_left` is what is left of the error budget at the target of 95 %, below zero once it is overdrawn.
    `curve` is the share of changes still not reflected, by exposure.
    """

    at: datetime
    days: int
    n: int
    met: int
    late: int
    breached: int
    not_needed: int
    void: int
    pending: int
    compliance: float | None
    wilson_low: float | None
    wilson_high: float | None
    median_exposure_hours: float | None
    p90_exposure_hours: float | None
    median_response_hours: float | None
    target: float
    misses_allowed: int
    misses_left: int
    curve: tuple[Step, ...]


def due_within(found: Iterable[ObligationStatus], *, at: datetime, days: int) -> tuple[ObligationStatus, ...]:
    """Return the obligations that were due in the `days` up to and with `at`; the rows behind the report."""
    since = at - timedelta(days=days)
    return tuple(
        status
        for status in found
        if since < status.due_at <= at and status.state not in {ObligationState.PENDING, ObligationState.UPCOMING}
    )


def window(found: Sequence[ObligationStatus], *, at: datetime, days: int) -> WindowReport:
    """Return how the window was kept; `found` are the counted obligations in question, as they stand at `at`."""
    due = due_within(found, at=at, days=days)
    counts = dict.fromkeys(ObligationState, 0)
    for status in due:
        counts[status.state] += 1
    running = [status for status in found if status.state is ObligationState.PENDING]
    upcoming = sum(status.state is ObligationState.UPCOMING for status in found)
    matured = [status for status in due if status.state in MATURED]
    met = counts[ObligationState.MET]
    n = len(matured)
    interval = wilson(met, n)
    curve = exposure_curve([*matured, *running])
    responses = [hours(status.response) for status in matured if status.response is not None]
    misses_allowed = int((1 - TARGET) * n + _ROUNDING)
    return WindowReport(
        at=at,
        days=days,
        n=n,
        met=met,
        late=counts[ObligationState.LATE],
        breached=counts[ObligationState.BREACHED],
        not_needed=counts[ObligationState.NOT_NEEDED],
        void=counts[ObligationState.VOID],
        pending=len(running) + upcoming,
        compliance=met / n if n else None,
        wilson_low=interval.low if interval else None,
        wilson_high=interval.high if interval else None,
        median_exposure_hours=quantile(curve, 0.5),
        p90_exposure_hours=quantile(curve, 0.9),
        median_response_hours=median(responses) if responses else None,
        target=TARGET,
        misses_allowed=misses_allowed,
        misses_left=misses_allowed - (n - met),
        curve=curve,
    )


def exposure_curve(found: Iterable[ObligationStatus]) -> tuple[Step, ...]:
    """Return the Kaplan-Meier curve of the exposures in hours; the open ones are censored at their age."""
    stopped: list[float] = []
    still_open: list[float] = []
    for status in found:
        if status.exposure is not None:
            (still_open if status.open else stopped).append(hours(status.exposure))
    return kaplan_meier(stopped, still_open)


def window_by(
    found: Iterable[ObligationStatus], key: Callable[[ObligationStatus], str | None], *, at: datetime, days: int
) -> Mapping[str | None, WindowReport]:
    """Return the report of each group, by name; what has no name comes last, under None."""
    groups: dict[str | None, list[ObligationStatus]] = {}
    for status in found:
        groups.setdefault(key(status), []).append(status)
    names = sorted(groups, key=lambda name: (name is None, name or ""))
    return {name: window(groups[name], at=at, days=days) for name in names}
