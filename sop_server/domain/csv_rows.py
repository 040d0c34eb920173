"""CSV files as people export them: any of three separators, a byte order mark, lists in cells; bad rows are data.

And the cells of those that we write: none is a formula for the spreadsheet that opens it.
"""

import csv
import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sop_server.errors import InvalidInputError

MAX_ROWS = 50_000

_SEPARATORS = (",", ";", "\t")
_LIST = re.compile(r"[;,\n]")
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its line in the file, its cells by column, and what keeps it from being read (None: nothing)."""

    line: int
    cells: Mapping[str, str]
    problem: str | None = None


def decode(content: bytes) -> str:
    """Return the text of a file; raises InvalidInputError where it is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            "The file is not in UTF-8. Save it as “CSV UTF-8” and try again. Nothing was imported.",
            fields={"file": "must be UTF-8"},
        ) from error
    if "\0" in text:
        raise InvalidInputError("The file is not a text file. Nothing was imported.", fields={"file": "must be text"})
    return text


def read_rows(content: bytes, *, required: Collection[str], optional: Collection[str]) -> tuple[CsvRow, ...]:
    """Return the rows of a CSV file with a header; empty lines are left out.

    Raises InvalidInputError, naming the column and the allowed ones, where the header has an unknown, missing or
    repeated column.
    """
    text = decode(content)
    first = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[CsvRow] = []
    columns: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            started, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells, required=required, optional=optional)
                continue
            rows.append(_row(started, columns, cells))
            if len(rows) > MAX_ROWS:
                raise InvalidInputError(
                    f"The file has more than {MAX_ROWS} rows. Split it. Nothing was imported.",
                    fields={"file": f"at most {MAX_ROWS} rows"},
                )
    except csv.Error as error:
        raise InvalidInputError(
            f"The file cannot be read from line {line} on: {error}. Nothing was imported.",
            fields={"file": f"line {line}: {error}"},
        ) from error
    if columns is None:
        check_columns((), required=required, optional=optional)
    return tuple(rows)


def check_columns(columns: Collection[str], *, required: Collection[str], optional: Collection[str]) -> None:
    """Raise InvalidInputError unless the columns are known and none that is required is missing."""
    allowed = [*required, *optional]
    unknown = [name for name in columns if name not in allowed]
    missing = [name for name in required if name not in columns]
    repeated = sorted({name for name in columns if list(columns).count(name) > 1})
    found = [(name, "unknown") for name in unknown]
    found += [(name, "missing") for name in missing]
    found += [(name, "repeated") for name in repeated]
    if found:
        name, what = found[0]
        raise InvalidInputError(
            f"The column “{name}” is {what}. The columns are {', '.join(allowed)}; "
            f"{', '.join(required)} must be there. Nothing was imported.",
            fields={name: f"is {what}" for name, what in found},
        )


def split_list(cell: str) -> tuple[str, ...]:
    """Return the names in a cell, separated by semicolons or commas."""
    return tuple(name.strip() for name in _LIST.split(cell) if name.strip())


def harmless_cell(cell: object) -> object:
    """Return a cell to be written: text that a spreadsheet would run as a formula gets an apostrophe before it."""
    # Leading blanks do not keep a spreadsheet from running what follows them.
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" \n").startswith(_FORMULA) else cell


def _columns(cells: list[str], *, required: Collection[str], optional: Collection[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    check_columns(names, required=required, optional=optional)
    return names


def _row(line: int, columns: list[str], cells: list[str]) -> CsvRow:
    surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
    if surplus:
        return CsvRow(
            line, {}, f"it has {len(cells)} cells for {len(columns)} columns; put a cell with a separator in quotes"
        )
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    return CsvRow(line, {name: cell.strip() for name, cell in zip(columns, padded, strict=False)})
