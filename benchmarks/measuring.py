"""Taking a figure: how long, how many statements, how many processes."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import psutil
from sqlalchemy import event

from sop_server.storage.database import Database

Act = Callable[[], object]

_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one library. `p95` stands beside a median; `aim` is the most that is wanted."""

    name: str
    sops: int
    value: float
    unit: str
    p95: float | None = None
    aim: float | None = None
    note: str = ""

    @property
    def missed(self) -> bool:
        """Whether the figure does not reach its aim."""
        return self.aim is not None and self.value > self.aim


def milliseconds(name: str, sops: int, taken: Iterable[float], *, aim: float | None = None, note: str = "") -> Figure:
    """Return the median and p95 of times in seconds as a figure in milliseconds."""
    times = [1000 * one for one in taken]
    p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    return Figure(name, sops, median(times), "ms", p95=p95, aim=aim, note=note)


def seconds_of(act: Act) -> float:
    """Return how long one call takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def times_of(acts: Iterable[Act], *, warm: bool = True) -> list[float]:
    """Return how long each call takes; with `warm` each is made once before, unmeasured."""
    calls = list(acts)
    if warm:
        for act in calls:
            act()
    return [seconds_of(act) for act in calls]


@dataclass(slots=True)
class Count:
    """What was counted so far."""

    statements: list[str] = field(default_factory=list)
    processes: int = 0


@contextmanager
def counted(database: Database) -> Iterator[Count]:
    """Count the SQL statements and the processes that this process starts, but for the bounds of transactions."""
    count = Count()
    ended = False

    def executed(*arguments: Any) -> None:
        statement = str(arguments[2])
        if not statement.startswith(_TRANSACTION):
            count.statements.append(statement)

    def audited(name: str, _arguments: tuple[Any, ...]) -> None:
        # An audit hook stays for good; this one counts for as long as it is wanted.
        if name == "subprocess.Popen" and not ended:
            count.processes += 1

    event.listen(database.engine, "before_cursor_execute", executed)
    sys.addaudithook(audited)
    try:
        yield count
    finally:
        ended = True
        event.remove(database.engine, "before_cursor_execute", executed)


def resident_mebibytes(process: psutil.Process) -> float:
    """Return the memory that a process holds in RAM."""
    return float(process.memory_info().rss) / 2**20
