"""Who is away, and until when."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.domain.absences import Absence
from sop_server.storage.tables import Absence as AbsenceRow
from sop_server.storage.tables import Person

_CHUNK = 500


def add(session: Session, person_id: int, absence: Absence, *, now: datetime) -> None:
    """Store that somebody is, or will be, away."""
    session.add(
        AbsenceRow(
            person_id=person_id,
            begins_at=absence.begins_at,
            ends_at=absence.ends_at,
            note=absence.note,
            recorded_at=now,
            called_off_at=None,
        )
    )
    session.flush()


def rows_ahead(session: Session, person_id: int, now: datetime) -> Sequence[AbsenceRow]:
    """Return the absences of a person that hold or are to come, and were not called off."""
    return session.scalars(
        select(AbsenceRow)
        .where(AbsenceRow.person_id == person_id, AbsenceRow.ends_at > now, AbsenceRow.called_off_at.is_(None))
        .order_by(AbsenceRow.begins_at, AbsenceRow.id)
    ).all()


def by_email(session: Session, emails: Collection[str | None], now: datetime) -> Mapping[str, tuple[Absence, ...]]:
    """Return the absences that hold at `now` or are to come, by the address of the person in lower case."""
    wanted = sorted({email.lower() for email in emails if email})
    found: dict[str, tuple[Absence, ...]] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(Person.email, AbsenceRow)
            .join(AbsenceRow, AbsenceRow.person_id == Person.id)
            .where(Person.email.in_(wanted[start : start + _CHUNK]), AbsenceRow.ends_at > now)
            .order_by(AbsenceRow.id)
        )
        for email, row in rows:
            absence = Absence(row.begins_at, row.ends_at, row.note, row.called_off_at)
            found[email] = (*found.get(email, ()), absence)
    return found
