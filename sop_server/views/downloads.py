"""Tables and figures as files for spreadsheets and scripts; each of them is told in the audit trail."""

import csv
import io
import json
from collections.abc import Iterable, Sequence

from flask import Response, request

from sop_server.domain.csv_rows import harmless_cell
from sop_server.services.trail.exporting import BYTE_ORDER_MARK, MEDIA_TYPES, record_export
from sop_server.views import visitor

# What a file may be narrowed by. Anything else in an address is nobody's filter, and is not kept.
_FILTERS = ("at", "days", "department", "owner", "source", "state", "kind", "sop")


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Return a CSV file; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([harmless_cell(cell) for cell in row] for row in rows)
    return _told(BYTE_ORDER_MARK + written.getvalue(), name, "csv")


def json_file(name: str, value: object) -> Response:
    """Return a value as a JSON file."""
    return _told(json.dumps(value, ensure_ascii=False, indent=2) + "\n", name, "json")


def sent(parts: Iterable[str], name: str, form: str) -> Response:
    """Return a file whose parts are made while it is sent; whoever makes them tells of it."""
    response = Response(parts, content_type=MEDIA_TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _told(text: str, name: str, form: str) -> Response:
    record_export(
        visitor.stores(),
        actor=visitor.actor(),
        now=visitor.now(),
        name=f"{name}.{form}",
        wanted={one: request.args[one] for one in _FILTERS if request.args.get(one)},
    )
    return sent([text], name, form)
