"""Taking a figure: how long, how many statements, how many processes."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any, NamedTuple

import psutil
from sqlalchemy import event

from sop_server.storage.database import Database

Act = Callable[[], object]

_TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


class Taken(NamedTuple):
    """The seconds of one call: those that passed, and those in which this thread had the CPU."""

    passed: float
    worked: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one library: of times the median, with `p95`, and with `cpu`, the median of what the CPU worked.

    Where others use the machine too, `cpu` says what `value` would be without them. `aim` is the most that is wanted.
    """

    name: str
    sops: int
    value: float
    unit: str
    p95: float | None = None
    cpu: float | None = None
    aim: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the figure does not reach its aim."""
        return self.aim is not None and self.value > self.aim


def milliseconds(
    name: str, sops: int, taken: Sequence[Taken], *, aim: float | None = None, elsewhere: bool = False
) -> Figure:
    """Return the median and p95 of what was taken, in milliseconds; `elsewhere` the work is another process's."""
    times = [1000 * one.passed for one in taken]
    p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    cpu = None if elsewhere else median(1000 * one.worked for one in taken)
    return Figure(name, sops, median(times), "ms", p95=p95, cpu=cpu, aim=aim)


def taken_by(act: Act) -> Taken:
    """Return how long one call takes."""
    begun, working = time.perf_counter(), time.thread_time()
    act()
    return Taken(time.perf_counter() - begun, time.thread_time() - working)


def times_of(acts: Iterable[Act], *, warm: bool = True) -> list[Taken]:
    """Return how long each call takes; with `warm` each is made once before, unmeasured."""
    calls = list(acts)
    if warm:
        for act in calls:
            act()
    return [taken_by(act) for act in calls]


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
