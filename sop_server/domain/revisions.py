"""Which revision of a SOP is served when: in force, scheduled, superseded, overtaken, retired.

All functions take the revisions of *one* SOP in ascending number. A retiring revision is in force like any other from
its instant on; the SOP is then retired, and nothing is served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from sop_server.domain.facts import RevisionKind, Significance

__all__ = [
    "Numbered",
    "RevisionKind",
    "RevisionState",
    "Served",
    "Significance",
    "current_major",
    "in_force",
    "is_retired",
    "latest",
    "major_among",
    "overtaken",
    "scheduled",
    "served",
    "served_spans",
    "state",
]


class Numbered(Protocol):
    """What the rules need to know of a revision."""

    @property
    def number(self) -> int:
        """1, 2, … within the SOP."""

    @property
    def kind(self) -> str:
        """`edit` or `retire`."""

    @property
    def significance(self) -> str:
        """`major` or `minor`."""

    @property
    def effective_from(self) -> datetime:
        """The instant at which it comes into force."""


Revision = TypeVar("Revision", bound=Numbered)


class RevisionState(StrEnum):
    """Where a revision stands at an instant."""

    SCHEDULED = "scheduled"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    OVERTAKEN = "overtaken"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Served(Generic[Revision]):
    """A revision and the time in which readers are served it; `until` is None where no end is known."""

    revision: Revision
    since: datetime
    until: datetime | None


def latest(revisions: Sequence[Revision], at: datetime) -> Revision | None:
    """Return the highest revision that has come into force by the instant, be it the retiring one."""
    for revision in reversed(revisions):
        if revision.effective_from <= at:
            return revision
    return None


def in_force(revisions: Sequence[Revision], at: datetime) -> Revision | None:
    """Return what readers read at the instant; None before the first revision and once the SOP is retired."""
    revision = latest(revisions, at)
    return None if revision is None or revision.kind == RevisionKind.RETIRE else revision


def is_retired(revisions: Sequence[Revision], at: datetime) -> bool:
    """Whether the SOP has been retired by the instant."""
    revision = latest(revisions, at)
    return revision is not None and revision.kind == RevisionKind.RETIRE


def served(revisions: Sequence[Revision]) -> Sequence[Revision]:
    """Return the revisions that come into force at some instant, so all but the overtaken ones, in order."""
    if len(revisions) < 2:  # noqa: PLR2004 - one alone is overtaken by none, and most SOPs have one
        return revisions
    kept: list[Revision] = []
    for revision in reversed(revisions):
        if not kept or revision.effective_from < kept[-1].effective_from:
            kept.append(revision)
    kept.reverse()
    return kept


def overtaken(revisions: Sequence[Revision]) -> tuple[Revision, ...]:
    """Return the revisions that never come into force: a later one does so at or before their instant."""
    served_numbers = {revision.number for revision in served(revisions)}
    return tuple(revision for revision in revisions if revision.number not in served_numbers)


def scheduled(revisions: Sequence[Revision], at: datetime) -> tuple[Revision, ...]:
    """Return the approved revisions that come into force after the instant, in order."""
    return tuple(revision for revision in served(revisions) if revision.effective_from > at)


def served_spans(revisions: Sequence[Revision]) -> tuple[Served[Revision], ...]:
    """Return each text that readers are served and when; the retiring revision ends the last one and is none itself."""
    order = served(revisions)
    ends = [*(revision.effective_from for revision in order[1:]), None]
    return tuple(
        Served(revision, revision.effective_from, until)
        for revision, until in zip(order, ends, strict=True)
        if revision.kind != RevisionKind.RETIRE
    )


def state(revisions: Sequence[Numbered], number: int, at: datetime) -> RevisionState:
    """Return where revision `number` of the SOP stands at the instant. KeyError where there is no such revision."""
    order = served(revisions)
    revision = next((served_one for served_one in order if served_one.number == number), None)
    if revision is None:
        if all(known.number != number for known in revisions):
            raise KeyError(number)
        return RevisionState.OVERTAKEN
    if revision.effective_from > at:
        return RevisionState.SCHEDULED
    now_latest = latest(order, at)
    if now_latest is None or now_latest.number != number:
        return RevisionState.SUPERSEDED
    return RevisionState.RETIRED if revision.kind == RevisionKind.RETIRE else RevisionState.IN_FORCE


def current_major(revisions: Sequence[Revision], at: datetime) -> Revision | None:
    """Return the last major text served by the instant, or the first text where none is marked major.

    None before the first revision. r1 is major whatever it says.
    """
    return major_among(served(revisions), at)


def major_among(order: Sequence[Revision], at: datetime) -> Revision | None:
    """Return the same from what `served` gave, for who asks about thousands of SOPs more than once."""
    first = None
    for revision in reversed(order):
        if revision.effective_from <= at and revision.kind != RevisionKind.RETIRE:
            if revision.significance == Significance.MAJOR:
                return revision
            first = revision
    return first
