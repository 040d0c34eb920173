"""Campaigns in which roles are confirmed: what is in them, how far they are, who is asked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from sop_server.domain.permissions import Role
from sop_server.domain.recertification import Counted, Holder, Outcome, Spared, Watchers
from sop_server.storage.people import active_at
from sop_server.storage.tables import (
    Person,
    Recertification,
    RecertificationAsked,
    RecertificationItem,
    RoleGrant,
)

Reach = Collection[str] | None
"""The departments whose roles somebody sees; None: all, and what holds for all departments."""


@dataclass(frozen=True, slots=True)
class Item:
    """A role in a campaign, with its person and with what became of the role since."""

    row: RecertificationItem
    person: Person
    active: bool
    ended_at: datetime | None


def watchers(session: Session, at: datetime) -> Watchers:
    """Return who manages and who administers where at an instant."""
    rows = session.execute(
        select(RoleGrant.role, RoleGrant.person_id, RoleGrant.department)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.role.in_([Role.MANAGER.value, Role.ADMIN.value]),
            RoleGrant.happened_at <= at,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > at),
            active_at(at) == true(),
        )
    ).all()

    def of(role: Role) -> frozenset[Holder]:
        return frozenset(Holder(person_id, department) for name, person_id, department in rows if name == role.value)

    return Watchers(of(Role.MANAGER), of(Role.ADMIN))


def grants_to_decide(session: Session, department: str | None, at: datetime) -> Sequence[RoleGrant]:
    """Return the roles that are held in a department, or anywhere, but for those that wait in a campaign already."""
    waiting = select(RecertificationItem.grant_id).where(RecertificationItem.outcome.is_(None))
    query = (
        select(RoleGrant)
        .where(
            RoleGrant.happened_at <= at,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > at),
            RoleGrant.id.not_in(waiting),
        )
        .order_by(RoleGrant.id)
    )
    return session.scalars(query if department is None else query.where(RoleGrant.department == department)).all()


def add(
    session: Session,
    row: Recertification,
    *,
    grants: Iterable[RoleGrant],
    asked: Iterable[tuple[str | None, int, Role]],
) -> None:
    """Store a campaign with the roles in it and the people who are asked."""
    session.add(row)
    session.flush()
    session.add_all(
        RecertificationItem(
            recertification_id=row.id,
            grant_id=grant.id,
            person_id=grant.person_id,
            role=grant.role,
            department=grant.department,
            since=grant.happened_at,
            until=grant.ended_at,
            granted_by=grant.granted_by,
            bulk=False,
        )
        for grant in grants
    )
    session.add_all(
        RecertificationAsked(recertification_id=row.id, department=department, person_id=person_id, role=role.value)
        for department, person_id, role in asked
    )
    session.flush()


def one(session: Session, recertification_id: int) -> Recertification | None:
    """Return a campaign."""
    return session.get(Recertification, recertification_id)


def of_period(session: Session, period: str) -> Recertification | None:
    """Return the campaign that a schedule opened for a period."""
    return session.scalar(select(Recertification).where(Recertification.period == period))


def campaigns(session: Session, reach: Reach) -> Sequence[Recertification]:
    """Return the campaigns in which there is something of `reach`, the newest first."""
    query = select(Recertification).order_by(Recertification.id.desc())
    if reach is not None:
        query = query.where(or_(Recertification.department.is_(None), Recertification.department.in_(sorted(reach))))
    return session.scalars(query).all()


def open_campaigns(session: Session) -> Sequence[Recertification]:
    """Return the campaigns that are not closed, that which is due first at the top."""
    return session.scalars(
        select(Recertification).where(Recertification.closed_at.is_(None)).order_by(Recertification.due_at)
    ).all()


def counts(session: Session, ids: Collection[int], reach: Reach, *, now: datetime) -> Mapping[int, list[Counted]]:
    """Count the roles of campaigns by department and by what became of them; ended otherwise is gone, told or not."""
    query = (
        select(
            RecertificationItem.recertification_id,
            RecertificationItem.department,
            RecertificationItem.outcome,
            RecertificationItem.bulk,
            func.count(RecertificationItem.id),
            func.sum(case((RoleGrant.ended_at <= now, 1), else_=0)),
        )
        .join(RoleGrant, RoleGrant.id == RecertificationItem.grant_id)
        .where(RecertificationItem.recertification_id.in_(sorted(ids)))
        .group_by(
            RecertificationItem.recertification_id,
            RecertificationItem.department,
            RecertificationItem.outcome,
            RecertificationItem.bulk,
        )
    )
    found: dict[int, list[Counted]] = {}
    for campaign, department, outcome, bulk, number, ended in session.execute(query.where(_reached(reach))):
        counted = found.setdefault(campaign, [])
        if outcome is not None:
            counted.append(Counted(department, Outcome(outcome), bool(bulk), number))
            continue
        gone = int(ended or 0)
        counted += [Counted(department, Outcome.GONE, bulk=False, number=gone)] if gone else []
        counted += [Counted(department, None, bulk=False, number=number - gone)] if number > gone else []
    return found


def items(
    session: Session,
    recertification_id: int,
    reach: Reach,
    *,
    now: datetime,
    ids: Collection[int] | None = None,
    department: str | None = None,
    words: str | None = None,
    undecided: bool = False,
    unsettled: bool = False,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[Item]:
    """Return roles of a campaign in the order in which they were put into it; `undecided` those alone to decide.

    `unsettled` are those of which nothing is written yet, whether there is anything to decide about them or not.
    """
    query = (
        select(RecertificationItem, Person, active_at(now), RoleGrant.ended_at)
        .join(Person, Person.id == RecertificationItem.person_id)
        .join(RoleGrant, RoleGrant.id == RecertificationItem.grant_id)
        .where(RecertificationItem.recertification_id == recertification_id, RecertificationItem.id > after)
        .order_by(RecertificationItem.id)
    )
    if ids is not None:
        query = query.where(RecertificationItem.id.in_(sorted(ids)))
    if department is not None:
        query = query.where(RecertificationItem.department == department)
    if words:
        query = query.where(
            or_(Person.email.icontains(words, autoescape=True), Person.name.icontains(words, autoescape=True))
        )
    if undecided:
        query = query.where(
            RecertificationItem.outcome.is_(None), or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > now)
        )
    if unsettled:
        query = query.where(RecertificationItem.outcome.is_(None))
    if limit is not None:
        query = query.limit(limit)
    return [
        Item(row, person, bool(active), ended)
        for row, person, active, ended in session.execute(query.where(_reached(reach)))
    ]


def waiting(
    session: Session, *, now: datetime, reach: Reach, apart: Collection[int]
) -> Sequence[tuple[int, int | None, str | None, int]]:
    """Count the roles to decide in open campaigns: campaign, whose, department, how many.

    Those of the people `apart` are counted by person, those of everybody else, where it is None, together.
    """
    holder = RecertificationItem.person_id
    alone = _waiting(session, holder.in_(sorted(apart)), now, reach, holder)
    return [
        *((campaign, person_id, department, number) for campaign, department, number, person_id in alone),
        *(
            (campaign, None, department, number)
            for campaign, department, number in _waiting(session, holder.not_in(sorted(apart)), now, reach)
        ),
    ]


def _waiting(
    session: Session, whose: ColumnElement[bool], now: datetime, reach: Reach, *also: InstrumentedAttribute[int]
) -> Sequence[Any]:
    group = (RecertificationItem.recertification_id, RecertificationItem.department)
    query = (
        select(*group, func.count(RecertificationItem.id), *also)
        .join(RoleGrant, RoleGrant.id == RecertificationItem.grant_id)
        .join(Recertification, Recertification.id == RecertificationItem.recertification_id)
        .where(
            Recertification.closed_at.is_(None),
            Recertification.due_at > now,
            RecertificationItem.outcome.is_(None),
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > now),
            whose,
            _reached(reach),
        )
        .group_by(*group, *also)
    )
    return session.execute(query).all()


def asked(session: Session, recertification_id: int) -> Sequence[tuple[RecertificationAsked, Person]]:
    """Return who was asked to decide, by department and name."""
    rows = session.execute(
        select(RecertificationAsked, Person)
        .join(Person, Person.id == RecertificationAsked.person_id)
        .where(RecertificationAsked.recertification_id == recertification_id)
        .order_by(RecertificationAsked.department, Person.name, RecertificationAsked.id)
    )
    return [(row, person) for row, person in rows]


def grant(session: Session, grant_id: int) -> RoleGrant | None:
    """Return one role that somebody was given."""
    return session.get(RoleGrant, grant_id)


def oldest_grants(session: Session, now: datetime) -> Mapping[str | None, datetime]:
    """Return when the oldest role was given that is held now, by department."""
    rows = session.execute(
        select(RoleGrant.department, func.min(RoleGrant.happened_at))
        .where(RoleGrant.happened_at <= now, or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > now))
        .group_by(RoleGrant.department)
    )
    return {department: oldest for department, oldest in rows if oldest is not None}


def last_certified(session: Session) -> Mapping[str | None, datetime]:
    """Return when the last campaign with roles of a department was closed, by department."""
    rows = session.execute(
        select(RecertificationItem.department, func.max(Recertification.closed_at))
        .join(Recertification, Recertification.id == RecertificationItem.recertification_id)
        .where(Recertification.closed_at.is_not(None))
        .group_by(RecertificationItem.department)
    )
    return {department: closed_at for department, closed_at in rows if closed_at is not None}


def spared(session: Session, now: datetime) -> Sequence[Spared]:
    """Return the roles that a campaign could not end, are held still, and were not confirmed since."""
    later = aliased(RecertificationItem)
    kept_since = exists().where(
        later.grant_id == RecertificationItem.grant_id,
        later.outcome == Outcome.KEPT.value,
        later.id > RecertificationItem.id,
    )
    rows = session.execute(
        select(func.max(RecertificationItem.recertification_id), Person.name)
        .join(Person, Person.id == RecertificationItem.person_id)
        .join(RoleGrant, RoleGrant.id == RecertificationItem.grant_id)
        .where(
            RecertificationItem.outcome == Outcome.SPARED.value,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > now),
            ~kept_since,
        )
        .group_by(RecertificationItem.grant_id, Person.name)
    )
    return [Spared(campaign, name) for campaign, name in rows]


def _reached(reach: Reach) -> ColumnElement[bool]:
    return true() if reach is None else RecertificationItem.department.in_(sorted(reach))
