"""Being away: a person says it themselves, and the deputies of their SOPs stand in. It gives nobody a right."""

from datetime import datetime

from sop_server.domain.absences import Absence, check_absence, clean_note
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Actor
from sop_server.services.stores import Stores
from sop_server.storage import absences, audit
from sop_server.storage.database import Session


def my_absence(stores: Stores, *, actor: Actor, now: datetime) -> Absence | None:
    """Return the absence of the actor that holds, or is the next to come."""
    with stores.database.read() as session:
        rows = absences.rows_ahead(session, actor.person_id, now)
        return Absence(rows[0].begins_at, rows[0].ends_at, rows[0].note) if rows else None


def say_away(
    stores: Stores, *, actor: Actor, now: datetime, begins_at: datetime, ends_at: datetime, note: str | None = None
) -> Absence:
    """Say from when until when the actor is away; what they said before is called off. Raises InvalidInputError."""
    begins, ends = check_absence(begins_at, ends_at, now=now)
    absence = Absence(begins, ends, clean_note(note))
    with stores.database.write() as session:
        _call_off(session, actor, now)
        absences.add(session, actor.person_id, absence, now=now)
        details = {"from": format_instant(begins), "until": format_instant(ends)}
        audit.record(session, at=now, actor=actor.email, action="person.away", subject=actor.email, details=details)
    return absence


def come_back(stores: Stores, *, actor: Actor, now: datetime) -> bool:
    """Say that the actor is here, and will be; returns whether they were away, or were to be."""
    with stores.database.write() as session:
        if not _call_off(session, actor, now):
            return False
        audit.record(session, at=now, actor=actor.email, action="person.back", subject=actor.email)
        return True


def _call_off(session: Session, actor: Actor, now: datetime) -> bool:
    rows = absences.rows_ahead(session, actor.person_id, now)
    for row in rows:
        row.called_off_at = now
    session.flush()
    return bool(rows)
