"""Files that leave the system: the audit trail itself, event by event, and one event for every file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sop_server.domain.audit_chain import Hashed, TrailEvent, canonical
from sop_server.domain.csv_rows import harmless_cell
from sop_server.domain.doers import Doer
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action
from sop_server.services.stores import Stores
from sop_server.services.trail.events import AuditFilter, all_audit_events
from sop_server.storage import audit

EXPORTED = "export.made"
MEDIA_TYPES: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
"""The forms of a file, by the end of its name."""

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Tells spreadsheets that a file is UTF-8."""

_COLUMNS = ("id", "at", "actor", "action", "subject", "details", "hashed", "previous_hash", "hash")
_AS_JSON = ("details", "hashed")
_LONGEST = 100
_IN_A_PART = 500


def record_export(stores: Stores, *, actor: Doer, now: datetime, name: str, wanted: Mapping[str, str]) -> None:
    """Record that somebody took the file `name`, narrowed by what they `wanted`."""
    details = {filter_name: value[:_LONGEST] for filter_name, value in wanted.items() if value}
    with stores.database.write() as session:
        audit.record(session, at=now, actor=actor.email, action=EXPORTED, subject=name, details=details)


def export_trail(stores: Stores, *, actor: Doer, now: datetime, wanted: AuditFilter, form: str) -> Iterator[str]:
    """Return the events that are wanted, the newest first, as the parts of a file in the form `csv` or `json`.

    They are read while the file is sent, a few thousand at a time. The export is an event itself, and the newest one
    that an export without filters has. Raises ForbiddenError for all but administrators of all departments.
    """
    actor.require(Action.SEE_AUDIT, None)
    record_export(stores, actor=actor, now=now, name=f"audit.{form}", wanted=_filters(wanted))
    events = all_audit_events(stores, actor=actor, wanted=wanted)
    return _parts(_csv(events) if form == "csv" else _json(events))


def _filters(wanted: AuditFilter) -> dict[str, str]:
    chosen = {"actor": wanted.actor, "action": wanted.action, "subject": wanted.subject}
    instants = {"since": wanted.since, "until": wanted.until}
    return {name: value for name, value in chosen.items() if value} | {
        name: format_instant(at) for name, at in instants.items() if at is not None
    }


def _parts(lines: Iterable[str]) -> Iterator[str]:
    part: list[str] = []
    for line in lines:
        part.append(line)
        if len(part) >= _IN_A_PART:
            yield "".join(part)
            part = []
    yield "".join(part)


def _json(events: Iterable[TrailEvent]) -> Iterator[str]:
    yield "["
    before = "\n"
    for event in events:
        yield before + json.dumps(_row(event), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n"


def _csv(events: Iterable[TrailEvent]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _line(_COLUMNS)
    for event in events:
        row = _row(event)
        row |= {name: canonical(row[name]) for name in _AS_JSON}
        yield _line([harmless_cell(row[name]) for name in _COLUMNS])


def _line(cells: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()


def _row(event: TrailEvent) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(event, name) for name in _COLUMNS}
    return row | {"at": format_instant(event.at), "hashed": _hashed(event.hashed)}


def _hashed(parts: Hashed) -> dict[str, Any]:
    return {"actor": parts.actor, "subject": parts.subject, "details": parts.details}
