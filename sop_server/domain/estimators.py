"""The two estimators behind the figures of the window: Kaplan-Meier for durations, Wilson for shares."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# The 97.5 % point of the standard normal distribution.
_Z95 = 1.959963984540054
# A product of fractions misses a round share by some units in the last place.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Step:
    """From `duration` on, the share `open` of what was started is estimated to be still open."""

    duration: float
    open: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a share."""

    low: float
    high: float


def kaplan_meier(stopped: Iterable[float], still_open: Iterable[float]) -> tuple[Step, ...]:
    """Return the share still open after each duration at which something stopped, shortest first.

    `still_open` are the ages of what has not stopped yet (censored); one censored at the very duration of a stop is
    still at risk there. Kaplan and Meier, JASA 53 (1958), 457-481.
    """
    # Sorting puts a stop before what is censored at the same duration.
    ends = sorted([*((duration, 0) for duration in stopped), *((age, 1) for age in still_open)])
    at_risk = len(ends)
    share = 1.0
    steps: list[Step] = []
    for duration, censored in ends:
        if not censored:
            share *= (at_risk - 1) / at_risk
            if steps and steps[-1].duration == duration:
                steps.pop()
            steps.append(Step(duration, share))
        at_risk -= 1
    return tuple(steps)


def quantile(curve: Sequence[Step], share: float) -> float | None:
    """Return the duration by which `share` (0 to 1) had stopped; None where the curve never gets there."""
    return next((step.duration for step in curve if step.open <= 1 - share + _ROUNDING), None)


def wilson(successes: int, n: int) -> Interval | None:
    """Return the Wilson score interval at 95 % of `successes` of `n`; None where there is nothing to judge by.

    Wilson, JASA 22 (1927), 209-212.
    """
    if n == 0:
        return None
    z2 = _Z95 * _Z95
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(max(0.0, centre - reach), min(1.0, centre + reach))
