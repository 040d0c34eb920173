"""How long work shows how far it is: a bar on a terminal, a line now and then where there is none."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Advance = Callable[[str, int, int | None], None]

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress() -> Iterator[Advance]:
    """Yield a function to be told (phase, done, total); everything goes to standard error."""
    if not sys.stderr.isatty():
        yield _Lines().advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def advance(phase: str, done: int, total: int | None) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(phase, total=total)
            bar.update(tasks[phase], completed=done, total=total)

        yield advance


class _Lines:
    """Tells a line every few seconds, so that a log shows that something goes on."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def advance(self, phase: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._told_at >= _SECONDS_BETWEEN_LINES:
            self._told_at = now
            click.echo(f"{phase}: {done}" if total is None else f"{phase}: {done} of {total}", err=True)
