"""Counting requests over all processes of one server, in memory that they share."""

import mmap
import threading
from collections.abc import Iterator
from dataclasses import dataclass

DOORS = ("page", "api", "webhook", "asset", "probe")
STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_ROWS = 64
_PER_DOOR = len(STATUSES) + len(BOUNDS) + 1 + 1
_CELLS = len(DOORS) * _PER_DOOR
_WIDTH = 8


@dataclass(frozen=True, slots=True)
class DoorCount:
    """The requests through one door: by status, up to each bound of `BOUNDS` (and beyond), and their seconds."""

    door: str
    by_status: tuple[int, ...]
    up_to: tuple[int, ...]
    seconds: float


class Meter:
    """Counters that are made before the processes fork; each process adds to a row of its own, so none waits."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, _ROWS * _CELLS * _WIDTH)).cast("d")
        self._lock = threading.Lock()
        self._row = 0

    def claim(self, row: int) -> None:
        """Make this process count into a row; a process that takes a dead one's place goes on in its row."""
        self._row = row % _ROWS
        self._lock = threading.Lock()

    def count(self, door: str, status: int, seconds: float) -> None:
        """Count one request."""
        start = self._row * _CELLS + DOORS.index(door) * _PER_DOOR
        bucket = sum(seconds > bound for bound in BOUNDS)
        with self._lock:
            self._cells[start + min(max(status // 100, 1), len(STATUSES)) - 1] += 1
            self._cells[start + len(STATUSES) + bucket] += 1
            self._cells[start + _PER_DOOR - 1] += seconds

    def totals(self) -> Iterator[DoorCount]:
        """Add the processes up, by door; `up_to` is cumulative, as Prometheus wants it."""
        for position, door in enumerate(DOORS):
            cells = [self._column(position * _PER_DOOR + cell) for cell in range(_PER_DOOR)]
            buckets = [int(cell) for cell in cells[len(STATUSES) : -1]]
            yield DoorCount(
                door=door,
                by_status=tuple(int(cell) for cell in cells[: len(STATUSES)]),
                up_to=tuple(sum(buckets[: last + 1]) for last in range(len(buckets))),
                seconds=cells[-1],
            )

    def _column(self, cell: int) -> float:
        return sum(self._cells[row * _CELLS + cell] for row in range(_ROWS))
