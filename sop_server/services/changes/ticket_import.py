"""Tickets from a CSV or JSON file: good rows are kept, bad ones are named, and a second run changes nothing."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sop_server.domain.csv_rows import check_columns, decode, read_rows, split_list
from sop_server.domain.doers import Doer
from sop_server.domain.instants import parse_instant
from sop_server.domain.permissions import Action
from sop_server.domain.tickets import TicketInput
from sop_server.errors import InvalidInputError, SopError
from sop_server.services.changes.tickets import Outcome, keep
from sop_server.services.register.import_reports import ImportReport, Skipped, Tally
from sop_server.services.stores import Stores

REQUIRED = ("source", "key", "title")
INSTANTS = ("effective_at", "planned_end", "actual_end", "announced_at", "created_at")
LISTS = ("systems", "processes", "sops")
OPTIONAL = ("status", *INSTANTS, *LISTS, "url")

# So many rows are one transaction: a large file never holds the database for longer than others would wait.
_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    source: str
    key: str
    given: TicketInput


def import_tickets(stores: Stores, *, actor: Doer, now: datetime, content: bytes, is_json: bool) -> ImportReport:
    """Register or change the tickets of a file. An empty cell, or a key that is not there, says nothing.

    Raises InvalidInputError, with nothing imported, where the file as a whole cannot be read.
    """
    actor.require_anywhere(Action.WRITE_TICKETS)
    tally = Tally()
    entries = list(_json_entries(content, tally) if is_json else _csv_entries(content, tally))
    for start in range(0, len(entries), _TOGETHER):
        with stores.database.write() as session:
            for entry in entries[start : start + _TOGETHER]:
                try:
                    with session.begin_nested():
                        _, outcome = keep(
                            session,
                            actor,
                            now=now,
                            window_hours=stores.policy.window_hours,
                            source=entry.source,
                            key=entry.key,
                            given=entry.given,
                        )
                except SopError as error:
                    tally.skipped.append(Skipped(entry.line, error.message))
                    continue
                _count(tally, outcome)
    return tally.report()


def _count(tally: Tally, outcome: Outcome) -> None:
    if outcome is Outcome.CREATED:
        tally.created += 1
    elif outcome is Outcome.UPDATED:
        tally.updated += 1
    else:
        tally.unchanged += 1


def _csv_entries(content: bytes, tally: Tally) -> Sequence[_Entry]:
    entries: list[_Entry] = []
    for row in read_rows(content, required=REQUIRED, optional=OPTIONAL):
        if row.problem is not None:
            tally.skipped.append(Skipped(row.line, row.problem))
            continue
        said: dict[str, object] = {name: cell for name, cell in row.cells.items() if cell}
        said.update({name: split_list(row.cells[name]) for name in LISTS if name in said})
        _take(entries, tally, row.line, said)
    return entries


def _json_entries(content: bytes, tally: Tally) -> Sequence[_Entry]:
    try:
        found = json.loads(decode(content))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"The file is not JSON: {error}. Nothing was imported.", fields={"file": "must be JSON"}
        ) from error
    if isinstance(found, dict):
        found = found.get("items", found.get("tickets"))
    if not isinstance(found, list):
        raise InvalidInputError(
            "The file must hold a list of tickets, or an object with such a list under “items”. Nothing was imported.",
            fields={"file": "must be a list of tickets"},
        )
    named = dict.fromkeys(name for item in found if isinstance(item, dict) for name in item)
    check_columns([*dict.fromkeys((*REQUIRED, *named))], required=REQUIRED, optional=OPTIONAL)
    entries: list[_Entry] = []
    for number, item in enumerate(found, start=1):
        if not isinstance(item, dict):
            tally.skipped.append(Skipped(number, "it is not an object with the fields of a ticket"))
            continue
        _take(entries, tally, number, item)
    return entries


def _take(entries: list[_Entry], tally: Tally, line: int, said: Mapping[str, object]) -> None:
    try:
        given = _given(said)
        entries.append(_Entry(line, _text(said, "source"), _text(said, "key"), given))
    except InvalidInputError as error:
        tally.skipped.append(Skipped(line, error.message))


def _given(said: Mapping[str, object]) -> TicketInput:
    readers: dict[str, Callable[[Mapping[str, object], str], object]] = {
        "title": _text,
        "status": _text_or_none,
        "url": _text_or_none,
        **dict.fromkeys(INSTANTS, _instant),
        **dict.fromkeys(LISTS, _names),
    }
    values: dict[str, Any] = {name: read(said, name) for name, read in readers.items() if name in said}
    return TicketInput(**values)


def _text(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InvalidInputError(f"“{name}” is missing.", fields={name: "is required"})
    return value


def _text_or_none(said: Mapping[str, object], name: str) -> str | None:
    return None if said[name] is None else _text(said, name)


def _instant(said: Mapping[str, object], name: str) -> datetime | None:
    value = said[name]
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInputError(f"“{name}” must be an ISO 8601 instant.", fields={name: "must be an instant"})
    return parse_instant(value, field=name)


def _names(said: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    value = said[name]
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise InvalidInputError(f"“{name}” must be a list of names.", fields={name: "must be a list of names"})
    return tuple(value)
