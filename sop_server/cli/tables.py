"""Tables for people on a terminal, and whole lines for what reads a pipe."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sop_server.cli.terminal import harmless

_WIDTH_OF_A_PIPE = 160


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[str] = ()) -> None:
    """Print a table on standard output; columns named in `numeric` are set to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # Broken at its words where it is longer than what stands below it.
        table.add_column(column.replace("_", " "), justify="right" if column in numeric else "left", overflow="fold")
    for row in rows:
        # `Text`, not markup: a title with brackets is shown as it is.
        table.add_row(*(Text("" if cell is None else harmless(str(cell))) for cell in row))
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE).print(table)
