"""The SOPs that people keep at hand, and those that others refer to most."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from sop_server.storage.tables import Pin, Revision, RevisionLink

_PINNED = select(Pin.id).where(Pin.person_id == bindparam("person_id"), Pin.sop_id == bindparam("sop_id"))


def pinned_ids(session: Session, person_id: int) -> Sequence[str]:
    """Return the SOPs that a person keeps at hand, the latest first."""
    return session.scalars(
        select(Pin.sop_id).where(Pin.person_id == person_id).order_by(Pin.created_at.desc(), Pin.id.desc())
    ).all()


def is_pinned(session: Session, person_id: int, sop_id: str) -> bool:
    """Whether a person keeps a SOP at hand."""
    return session.scalar(_PINNED, {"person_id": person_id, "sop_id": sop_id}) is not None


def pin(session: Session, person_id: int, sop_id: str, *, now: datetime) -> None:
    """Keep a SOP at hand; doing it again changes nothing."""
    if not is_pinned(session, person_id, sop_id):
        session.add(Pin(person_id=person_id, sop_id=sop_id, created_at=now))
        session.flush()


def unpin(session: Session, person_id: int, sop_id: str) -> None:
    """Keep a SOP at hand no longer."""
    session.execute(delete(Pin).where(Pin.person_id == person_id, Pin.sop_id == sop_id))


def most_referred(session: Session, departments: Collection[str] | None, *, limit: int) -> Sequence[str]:
    """Return the SOPs that the most revisions refer to, the most referred first; None: of all departments."""
    count = func.count(func.distinct(RevisionLink.revision_id))
    query = select(RevisionLink.target).group_by(RevisionLink.target).order_by(count.desc(), RevisionLink.target)
    if departments is not None:
        of_department = select(Revision.sop_id).where(Revision.department.in_(sorted(departments)))
        query = query.where(RevisionLink.target.in_(of_department))
    return session.scalars(query.limit(limit)).all()
