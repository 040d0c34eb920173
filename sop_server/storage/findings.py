"""Findings over time: opened when a scan first sees them, closed when it no longer does."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.domain.findings import Found
from sop_server.storage.tables import Finding


def keep_findings(session: Session, found: Collection[Found], *, now: datetime) -> tuple[int, int]:
    """Open what is new, close what is gone; returns how many of each. Doing it twice changes nothing."""
    standing = {row.key: row for row in session.scalars(select(Finding).where(Finding.closed_at.is_(None)))}
    seen = {one.key: one for one in found}
    gone = [row for key, row in standing.items() if key not in seen]
    for row in gone:
        row.closed_at = now
    for key, row in standing.items():
        if key in seen:
            row.why, row.next_step, row.department = seen[key].why, seen[key].next_step, seen[key].department
    new = [one for key, one in seen.items() if key not in standing]
    session.add_all(
        Finding(
            key=one.key,
            kind=one.kind,
            subject=one.subject,
            department=one.department,
            why=one.why,
            next_step=one.next_step,
            opened_at=now,
            closed_at=None,
        )
        for one in new
    )
    session.flush()
    return len(new), len(gone)


def open_findings(session: Session, *, departments: Collection[str] | None) -> Sequence[Finding]:
    """Return what is open, in the order of gravity in which the scan found it; of some departments, or all."""
    query = select(Finding).where(Finding.closed_at.is_(None)).order_by(Finding.opened_at, Finding.id)
    if departments is not None:
        query = query.where(Finding.department.in_(departments))
    return session.scalars(query).all()
