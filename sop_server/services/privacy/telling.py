"""Everything that is held about one person, for that person: no secrets, and nothing that is somebody else's."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sop_server.domain.doers import Doer
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action
from sop_server.errors import NotFoundError
from sop_server.services.stores import Stores
from sop_server.services.trail.exporting import record_export
from sop_server.storage import audit, people, person_records
from sop_server.storage.database import Session

_MOST_EVENTS = 100_000


def held_about(stores: Stores, *, actor: Doer, now: datetime, email: str) -> str:
    """Return what is held about a person as JSON: to administrators of all departments about anybody, else oneself.

    The export is told in the audit trail.
    """
    address = email.strip().lower()
    if actor.email != address:
        actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        person = people.person_by_email(session, address)
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address.")
        found = {
            "at": format_instant(now),
            "person": _plain(person_records.person_itself(person)),
            "records": {
                table: [_plain(row) for row in rows]
                for table, rows in person_records.records_of(session, person.id, address).items()
            },
            # What one may not read does not exist for one, though it may name one.
            "sops": [
                named
                for named, department in person_records.sops_naming(session, address)
                if actor.may(Action.READ, department)
            ],
            "events": _events(session, address, whole=actor.may(Action.SEE_AUDIT, None)),
        }
    record_export(stores, actor=actor, now=now, name="held.json", wanted={"about": address})
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _events(session: Session, address: str, *, whole: bool) -> list[dict[str, Any]]:
    """Return what happened by and to a person; to what, as far as that is themselves or the reader sees the trail."""
    by = {one.id: one for one in audit.events(session, actor=address, limit=_MOST_EVENTS)}
    of = {one.id: one for one in audit.events(session, subject=address, limit=_MOST_EVENTS)}
    both = {**by, **of}
    return [
        {
            "id": number,
            "at": format_instant(both[number].at),
            "action": both[number].action,
            "by_this_person": number in by,
            "subject": both[number].subject if whole or number in of else None,
        }
        for number in sorted(both)
    ]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: format_instant(value) if isinstance(value, datetime) else value for name, value in row.items()}
