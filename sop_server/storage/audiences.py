"""Groups of people by what they may do or where they belong."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from sop_server.domain.permissions import ALLOWED, Action
from sop_server.storage.people import active_at
from sop_server.storage.tables import Membership, Person, RoleGrant


def people_who_may(
    session: Session, action: Action, departments: Collection[str | None], at: datetime
) -> Sequence[Person]:
    """Return the active people who may do `action` in any of the departments, by name."""
    roles = [role.value for role, actions in ALLOWED.items() if action in actions]
    named = [department for department in departments if department is not None]
    return session.scalars(
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role.in_(roles),
            or_(RoleGrant.department.is_(None), RoleGrant.department.in_(named)),
            RoleGrant.happened_at <= at,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > at),
            active_at(at),
        )
        .distinct()
        .order_by(Person.name, Person.id)
    ).all()


def count_members(session: Session, teams: Collection[str], at: datetime) -> int:
    """Count the active people who are in any of the teams."""
    return (
        session.scalar(
            select(func.count(func.distinct(Person.id)))
            .select_from(Person)
            .join(Membership, Membership.person_id == Person.id)
            .where(
                Membership.team.in_(sorted(teams)),
                Membership.joined_at <= at,
                or_(Membership.left_at.is_(None), Membership.left_at > at),
                active_at(at),
            )
        )
        or 0
    )
