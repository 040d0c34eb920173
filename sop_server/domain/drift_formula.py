"""The formula of the drift score, 0.0 (worst) to 10.0: shares in; score, band, caps and what each share costs out."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

FORMULA_VERSION = "1"

# Sums of fractions miss a round figure by some units in the last place.
_ROUNDING = 1e-9


class ComponentName(StrEnum):
    """What the score is made of."""

    WINDOW = "window"
    FRESHNESS = "freshness"
    COVERAGE = "coverage"
    REVIEWS = "reviews"
    KNOWLEDGE = "knowledge"
    FEEDBACK = "feedback"


class Band(StrEnum):
    """The score in a word."""

    HEALTHY = "healthy"
    AT_RISK = "at_risk"
    FAILURE = "failure"


WEIGHTS = {
    ComponentName.WINDOW: 0.35,
    ComponentName.FRESHNESS: 0.25,
    ComponentName.COVERAGE: 0.15,
    ComponentName.REVIEWS: 0.10,
    ComponentName.KNOWLEDGE: 0.10,
    ComponentName.FEEDBACK: 0.05,
}


@dataclass(frozen=True, slots=True)
class DriftInputs:
    """All that the formula takes. Shares lie between 0 and 1; None is "no data".

    `compliance` is that of the scored obligations, so None means that none has matured: unproven. `long_open` counts
    the obligations open 30 days or more after T0. The shares of `undocumented`, `long_open_share` and `lost_share`
    (either of the two) are weighted, over the active processes past their grace; None where there are none.
    """

    compliance: float | None = None
    freshness: float | None = None
    coverage: float | None = None
    reviews: float | None = None
    knowledge: float | None = None
    feedback: float | None = None
    long_open: int = 0
    critical_undocumented: int = 0
    undocumented_share: float | None = None
    long_open_share: float | None = None
    lost_share: float | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its share `q`, and the points of ten that it costs."""

    name: ComponentName
    weight: float
    q: float | None
    lost: float


@dataclass(frozen=True, slots=True)
class Cap:
    """The score is at most `limit`, because of `reason`."""

    limit: float
    reason: str


def clip(value: float) -> float:
    """Return the value held between 0 and 1."""
    return min(1.0, max(0.0, value))


def components(inputs: DriftInputs) -> tuple[Component, ...]:
    """Return each component with what it costs; the weights are those of the components that have data."""
    shares = _shares(inputs)
    total = math.fsum(WEIGHTS[name] for name, q in shares if q is not None)
    return tuple(
        Component(name, WEIGHTS[name], q, 0.0 if q is None else 10 * WEIGHTS[name] * (1 - q) / total)
        for name, q in shares
    )


def _shares(inputs: DriftInputs) -> tuple[tuple[ComponentName, float | None], ...]:
    window = None if inputs.compliance is None else clip((inputs.compliance - 0.50) / 0.45)
    return (
        (ComponentName.WINDOW, window),
        (ComponentName.FRESHNESS, inputs.freshness),
        (ComponentName.COVERAGE, inputs.coverage),
        (ComponentName.REVIEWS, inputs.reviews),
        (ComponentName.KNOWLEDGE, inputs.knowledge),
        (ComponentName.FEEDBACK, inputs.feedback),
    )


def caps(inputs: DriftInputs) -> tuple[Cap, ...]:
    """Return every cap that applies, the lowest first."""
    found: list[Cap] = []
    if inputs.undocumented_share is not None and inputs.undocumented_share >= 1:
        found.append(Cap(0.0, "No active process has a SOP in force."))
    if inputs.lost_share is not None and inputs.lost_share >= 0.5:  # noqa: PLR2004 - "half or more" of the rule
        found.append(
            Cap(
                3.0,
                f"{_percent(inputs.lost_share)} of the active processes, by weight, have no SOP in force or one that "
                "has not reflected a change for 30 days or more.",
            )
        )
    if inputs.compliance is not None and inputs.compliance < 0.90:  # noqa: PLR2004 - the rule's own figure
        found.append(
            Cap(7.0, f"{_percent(inputs.compliance)} of the changes were reflected in time; 90 % are asked for.")
        )
    if inputs.long_open:
        found.append(Cap(7.0, f"{_obligations(inputs.long_open)} open 30 days or more after go-live."))
    if inputs.knowledge is not None and inputs.knowledge < 0.70 - _ROUNDING:
        found.append(Cap(7.0, f"Knowledge is at {_percent(inputs.knowledge)}; 70 % are asked for."))
    if inputs.critical_undocumented:
        found.append(Cap(7.0, f"{_critical(inputs.critical_undocumented)} no SOP in force."))
    if inputs.compliance is None:
        found.append(Cap(8.0, "No obligation has matured yet, so the window is unproven."))
    return tuple(sorted(found, key=lambda cap: cap.limit))


def score(inputs: DriftInputs) -> float | None:
    """Return the score, truncated to one decimal; None without any data.

    S = 10 · sum(w·q) / sum(w) over the components with data, then the lowest cap, then floor(10·S + 1e-9) / 10.
    """
    capped = _capped(inputs)
    return None if capped is None else math.floor(10 * capped + _ROUNDING) / 10


def _capped(inputs: DriftInputs) -> float | None:
    known = [(WEIGHTS[name], q) for name, q in _shares(inputs) if q is not None]
    if not known:
        return None
    raw = 10 * math.fsum(weight * q for weight, q in known) / math.fsum(weight for weight, _ in known)
    return min([raw, *(cap.limit for cap in caps(inputs))])


def band(found: float) -> Band:
    """Return the band of a score: 8 to 10 healthy, 4 to 7 at risk, 0 to 3 a failure signal, by its floor."""
    if found >= 8:  # noqa: PLR2004 - the bands of the rule
        return Band.HEALTHY
    return Band.AT_RISK if found >= 4 else Band.FAILURE  # noqa: PLR2004 - the same


def would_raise_most(inputs: DriftInputs) -> str:
    """Return in a sentence the one thing that would raise the score most."""
    now = _capped(inputs)
    if now is None:
        return "There is nothing to score yet: register the processes and publish their SOPs."
    gains = [
        (gained - now, sentence) for sentence, better in _ways_up(inputs) if (gained := _capped(better)) is not None
    ]
    gain, sentence = max(gains, key=lambda way: way[0], default=(0.0, ""))
    if gain > _ROUNDING:
        return f"{sentence} That would add up to {_points(gain)}."
    in_force = caps(inputs)
    if in_force and in_force[0].limit <= now:
        if inputs.compliance is None and len(in_force) == 1:
            return "Reflect the next change within its window: until one has matured the score is capped at 8.0."
        reasons = " ".join(cap.reason for cap in in_force if cap.limit == in_force[0].limit)
        return f"These hold the score at {in_force[0].limit:.1f} together: {reasons}"
    return "Nothing: every component has all its points."


def _ways_up(inputs: DriftInputs) -> Iterable[tuple[str, DriftInputs]]:
    if inputs.compliance is not None and inputs.compliance < 1:
        yield "Reflect every change within its window.", replace(inputs, compliance=1.0)
    if inputs.long_open or (inputs.freshness is not None and inputs.freshness < 1):
        better = replace(
            inputs,
            freshness=None if inputs.freshness is None else 1.0,
            long_open=0,
            long_open_share=None if inputs.long_open_share is None else 0.0,
            lost_share=inputs.undocumented_share,
        )
        yield "Meet the obligations that are open past their go-live, the oldest first.", better
    if (inputs.coverage is not None and inputs.coverage < 1) or inputs.critical_undocumented:
        better = replace(
            inputs,
            coverage=None if inputs.coverage is None else 1.0,
            critical_undocumented=0,
            undocumented_share=None if inputs.undocumented_share is None else 0.0,
            lost_share=inputs.long_open_share,
        )
        yield "Write the SOPs of the undocumented processes, the critical ones first.", better
    if inputs.reviews is not None and inputs.reviews < 1:
        yield "Do the reviews that are overdue.", replace(inputs, reviews=1.0)
    if inputs.knowledge is not None and inputs.knowledge < 1:
        yield (
            "Have the outstanding acknowledgements done, and name an owner and a deputy for every SOP.",
            replace(inputs, knowledge=1.0),
        )
    if inputs.feedback is not None and inputs.feedback < 1:
        yield "Triage feedback within seven days.", replace(inputs, feedback=1.0)


def _percent(share: float) -> str:
    """Return a share in per cent, truncated, so that a missed target never looks reached."""
    return f"{math.floor(1000 * share + _ROUNDING) / 10:g} %"


def _points(gain: float) -> str:
    shown = max(0.1, math.floor(10 * gain + _ROUNDING) / 10)
    return "1 point" if shown == 1 else f"{shown:g} points"


def _obligations(number: int) -> str:
    return "1 obligation is" if number == 1 else f"{number} obligations are"


def _critical(number: int) -> str:
    return "1 critical process has" if number == 1 else f"{number} critical processes have"
