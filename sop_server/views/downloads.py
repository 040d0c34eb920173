"""Tables and figures as files for spreadsheets and scripts."""

import csv
import io
import json
from collections.abc import Iterable, Sequence

from flask import Response

# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a CSV file; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    # The mark tells spreadsheets that it is UTF-8.
    return _file("\N{ZERO WIDTH NO-BREAK SPACE}" + written.getvalue(), f"{name}.csv", "text/csv; charset=utf-8")


def json_file(name: str, value: object) -> Response:
    """Return a value as a JSON file."""
    return _file(json.dumps(value, ensure_ascii=False, indent=2) + "\n", f"{name}.json", "application/json")


def compact(value: object) -> str:
    """Return a value as JSON in one line, for a cell."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _harmless(cell: object) -> object:
    # Leading blanks do not keep a spreadsheet from running what follows them.
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" \n").startswith(_FORMULA) else cell


def _file(text: str, name: str, content_type: str) -> Response:
    response = Response(text, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
