"""The drift score of the first page in sentences, and its year as the points of a line."""

from dataclasses import dataclass

from flask import request
from werkzeug.urls import iri_to_uri

from sop_server.domain.drift import DriftReport
from sop_server.domain.drift_formula import ComponentName
from sop_server.services.reports.managing import ManagerHome

_REPORTS = {
    ComponentName.WINDOW: "window",
    ComponentName.FRESHNESS: "staleness",
    ComponentName.COVERAGE: "coverage",
    ComponentName.REVIEWS: "staleness",
    ComponentName.KNOWLEDGE: "knowledge",
    ComponentName.FEEDBACK: "feedback",
}
_SAID = {ComponentName.WINDOW: "the window", ComponentName.REVIEWS: "overdue reviews"}
_WORTH_SAYING = 0.05


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and the report that holds its facts."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Point:
    """One month of the line; `value` is None where there was nothing to score."""

    label: str
    value: float | None
    href: str


def months(home: ManagerHome) -> list[Point]:
    """Return the twelve months, the present one last."""
    return [
        Point(f"{one.at:%b}", one.score, _report("drift") + f"?at={iri_to_uri(one.at.strftime('%Y-%m-%dT%H:%M:%SZ'))}")
        for one in home.months
    ]


def sentences(home: ManagerHome) -> list[Sentence]:
    """Return what it lost most, what would raise it most, and what changed since last month."""
    found: list[Sentence] = []
    lost = home.lost_most
    if lost is not None:
        found.append(
            Sentence(f"It lost most to {_said(lost.name)}: {lost.lost:.1f} of 10 points.", _report(_REPORTS[lost.name]))
        )
    found.append(Sentence(home.drift.would_raise_most, _report("drift")))
    found.append(Sentence(_since(home.months[-2], home.drift), _report("drift")))
    return found


def _since(before: DriftReport, now: DriftReport) -> str:
    if now.score is None:
        return "There is nothing to score yet."
    if before.score is None:
        return f"At the end of {before.at:%B} there was nothing to score."
    earlier = {component.name: component.lost for component in before.components}
    moves = sorted(
        ((earlier.get(one.name, 0.0) - one.lost, _said(one.name)) for one in now.components),
        key=lambda move: -abs(move[0]),
    )
    said = [
        f"{name} cost {abs(gained):.1f} {'less' if gained > 0 else 'more'}"
        for gained, name in moves[:2]
        if abs(gained) >= _WORTH_SAYING
    ]
    if before.score == now.score:
        same = f"It was {before.score:.1f} at the end of {before.at:%B} too"
        return f"{same}; {', '.join(said)}." if said else f"{same}."
    return f"At the end of {before.at:%B} it was {before.score:.1f}{'; ' + ', '.join(said) if said else ''}."


def _said(name: ComponentName) -> str:
    return _SAID.get(name, name.value)


def _report(name: str) -> str:
    return f"{request.script_root}/reports/{name}"
