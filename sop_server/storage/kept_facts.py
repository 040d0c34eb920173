"""Facts that never change once they are written: decoded once by a process, and kept while their tables only grow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sop_server.storage.tables import (
    Acknowledgement,
    GoLiveConfirmation,
    Mark,
    Obligation,
    PersonState,
    ProcessVersion,
    Review,
    Revision,
    Sop,
    TicketVersion,
)

KEPT = "kept_facts"
PROJECTED_AGAIN = "projected-again"

_NUMBERS = {
    "acknowledgement": Acknowledgement.id,
    "confirmation": GoLiveConfirmation.id,
    "obligation": Obligation.id,
    "person_state": PersonState.id,
    "process_version": ProcessVersion.id,
    "review": Review.id,
    "revision": Revision.id,
    "sop": Sop.number,
    "ticket_version": TicketVersion.id,
}
_SIZES = select(
    select(Mark.value).where(Mark.name == PROJECTED_AGAIN).scalar_subquery(),
    *(
        one
        for number in _NUMBERS.values()
        for one in (
            select(func.count()).select_from(number.class_).scalar_subquery(),
            select(func.max(number)).scalar_subquery(),
        )
    ),
)

_RECORDED_AT = attrgetter("recorded_at")
_HAPPENED_AT = attrgetter("happened_at")
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

Row = TypeVar("Row")
Shape = TypeVar("Shape")


class Size(NamedTuple):
    """How far a table has grown; `generation` changes where its rows were made again."""

    generation: str
    rows: int
    last: int


@dataclass(frozen=True, slots=True)
class Known(Generic[Row]):
    """Facts with a `recorded_at`, in their order, and the instant at which the last of them was recorded."""

    facts: tuple[Row, ...]
    latest: datetime


def as_read(facts: Sequence[Row]) -> Known[Row]:
    """Keep facts in the order in which they came."""
    return Known(tuple(facts), max(map(_RECORDED_AT, facts), default=LONG_AGO))


def in_order(facts: Sequence[Row]) -> Known[Row]:
    """Keep facts in the order in which they happened, those of one instant in the order in which they came."""
    return as_read(sorted(facts, key=_HAPPENED_AT))


def recorded(known: Known[Row], at: datetime) -> tuple[Row, ...]:
    """Return the facts that were recorded by `at`."""
    return known.facts if at >= known.latest else tuple(fact for fact in known.facts if _RECORDED_AT(fact) <= at)


class KeptFacts:
    """What one process has decoded so far, of one database. Safe to share between threads.

    What is kept is replaced as a whole and never changed, and is used only where the reader's own transaction sees a
    table of the very same size: rows that only came are read and added, anything else is read anew.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Size, tuple[Any, ...], Any]] = {}

    def latest(self, name: str, size: Size) -> datetime | None:
        """Return when the last row of a table was recorded; None where that is not kept."""
        held = self._kept.get(name)
        found: datetime | None = None if held is None or held[0] != size else held[2].latest
        return found

    def get(
        self,
        name: str,
        size: Size,
        *,
        read: Callable[[int], Sequence[Row]],
        shape: Callable[[Sequence[Row]], Shape],
    ) -> Shape:
        """Return the shape of all rows of a table; `read` gives those whose number lies above the one it is given."""
        held = self._kept.get(name)
        if held is not None and held[0] == size:
            shaped: Shape = held[2]
            return shaped
        rows: tuple[Row, ...] | None = None
        if held is not None and held[0].generation == size.generation and held[0].last < size.last:
            grown = (*held[1], *read(held[0].last))
            rows = grown if len(grown) == size.rows else None
        if rows is None:
            rows = tuple(read(0))
        made = shape(rows)
        self._kept[name] = (size, rows, made)
        return made


def kept_facts(session: Session) -> KeptFacts:
    """Return what the session's database keeps; nothing yet for a session that was made elsewhere."""
    kept: KeptFacts = session.info.get(KEPT) or KeptFacts()
    return kept


def sizes(session: Session) -> Mapping[str, Size]:
    """Return how far each table of facts has grown, as the session's transaction sees it."""
    generation, *numbers = session.execute(_SIZES).one()
    return {
        name: Size(generation or "", numbers[2 * place], numbers[2 * place + 1] or 0)
        for place, name in enumerate(_NUMBERS)
    }
