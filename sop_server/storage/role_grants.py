"""The ends of roles: planned, moved, come by themselves; each word about one is kept."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import GrantEnd, Person, RoleGrant


def say_end(
    session: Session, row: RoleGrant, *, ends_at: datetime | None, reason: str | None, by: int | None, now: datetime
) -> None:
    """Say when a role ends, None for never; what was said before is kept beside it."""
    row.ended_at = ends_at
    row.end_recorded_at = None if ends_at is None else now
    row.ended_by = None if ends_at is None else by
    if reason is not None:
        row.reason = reason
    session.flush()
    session.add(GrantEnd(grant_id=row.id, ends_at=ends_at, reason=reason, recorded_at=now, recorded_by=by))
    session.flush()


def said_ends(session: Session, grant_id: int) -> Sequence[GrantEnd]:
    """Return all that was said about the end of a role, the oldest first."""
    return session.scalars(select(GrantEnd).where(GrantEnd.grant_id == grant_id).order_by(GrantEnd.id)).all()


def expired_untold(session: Session, *, now: datetime, limit: int) -> Sequence[tuple[RoleGrant, str]]:
    """Return the roles that ended by themselves and of which the trail was not told, with whose they were."""
    return [
        (row, email)
        for row, email in session.execute(
            select(RoleGrant, Person.email)
            .join(Person, Person.id == RoleGrant.person_id)
            .where(
                RoleGrant.ended_at <= now,
                RoleGrant.end_recorded_at < RoleGrant.ended_at,
                RoleGrant.expiry_told_at.is_(None),
            )
            .order_by(RoleGrant.ended_at, RoleGrant.id)
            .limit(limit)
        )
    ]


def ending_grants(
    session: Session, *, now: datetime, until: datetime, departments: Collection[str] | None
) -> Sequence[tuple[RoleGrant, Person]]:
    """Return the roles that end by themselves after `now` and by `until`, of some departments or, with None, of all."""
    query = (
        select(RoleGrant, Person)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(RoleGrant.happened_at <= now, RoleGrant.ended_at > now, RoleGrant.ended_at <= until)
        .order_by(RoleGrant.ended_at, RoleGrant.id)
    )
    if departments is not None:
        query = query.where(RoleGrant.department.in_(sorted(departments)))
    return [(row, person) for row, person in session.execute(query)]
