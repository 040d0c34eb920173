"""People, what they may do and when: queries over facts that are never overwritten."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, ScalarSelect, and_, bindparam, or_, select, true
from sqlalchemy.orm import Session

from sop_server.domain.permissions import Actor, Grant, Role, Scope
from sop_server.storage.tables import (
    Department,
    DepartmentSetting,
    Membership,
    Person,
    PersonState,
    RoleGrant,
    Team,
)

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One person with what held at an instant."""

    row: Person
    active: bool
    grants: tuple[Grant, ...]
    teams: tuple[str, ...]
    held: tuple[RoleGrant, ...] = ()


def active_at(at: datetime | BindParameter[datetime]) -> ScalarSelect[bool]:
    """Return the condition, for a query on Person, that the person is active at `at`."""
    return (
        select(PersonState.active)
        .where(PersonState.person_id == Person.id, PersonState.happened_at <= at)
        .order_by(PersonState.happened_at.desc(), PersonState.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )


# Built once: every request asks both, and putting them together costs more than the answer.
_NOW = bindparam("now", type_=Person.created_at.type)
_ROLES_HELD = (
    select(Person.email, Person.name, RoleGrant.role, RoleGrant.department)
    .outerjoin(
        RoleGrant,
        and_(
            RoleGrant.person_id == Person.id,
            RoleGrant.happened_at <= _NOW,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > _NOW),
        ),
    )
    .where(Person.id == bindparam("person_id"), active_at(_NOW) == true())
)
_TEAMS_IN = select(Membership.team).where(
    Membership.person_id == bindparam("person_id"),
    Membership.joined_at <= _NOW,
    or_(Membership.left_at.is_(None), Membership.left_at > _NOW),
)


def load_actor(session: Session, person_id: int, now: datetime, *, scope: Scope = Scope.WRITE) -> Actor | None:
    """Return a person with the roles and teams held at `now`, in two queries; None for one who is not active."""
    asked = {"person_id": person_id, "now": now}
    rows = session.execute(_ROLES_HELD, asked).all()
    if not rows:
        return None
    email, name = rows[0][0], rows[0][1]
    return Actor(
        person_id=person_id,
        email=email,
        name=name,
        grants=frozenset(Grant(Role(role), department) for _, _, role, department in rows if role is not None),
        teams=frozenset(session.scalars(_TEAMS_IN, asked)),
        scope=scope,
    )


def person_by_email(session: Session, email: str) -> Person | None:
    """Return the person with this address, in lower case."""
    return session.scalar(select(Person).where(Person.email == email))


def person_row(session: Session, person_id: int) -> Person | None:
    """Return one person."""
    return session.get(Person, person_id)


def persons_by_id(session: Session, person_ids: Collection[int]) -> Mapping[int, Person]:
    """Return many people at once, by their ids."""
    wanted = sorted(set(person_ids))
    found: dict[int, Person] = {}
    for start in range(0, len(wanted), _CHUNK):
        rows = session.scalars(select(Person).where(Person.id.in_(wanted[start : start + _CHUNK])))
        found.update({row.id: row for row in rows})
    return found


def people(
    session: Session,
    at: datetime,
    *,
    ids: Collection[int] | None = None,
    words: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Sequence[PersonFacts]:
    """Return people by address, with what held at `at`, in three queries however many there are."""
    query = select(Person, active_at(at)).order_by(Person.email)
    if ids is not None:
        query = query.where(Person.id.in_(sorted(ids)))
    if words:
        query = query.where(
            or_(Person.email.icontains(words, autoescape=True), Person.name.icontains(words, autoescape=True))
        )
    if after is not None:
        query = query.where(Person.email > after)
    if limit is not None:
        query = query.limit(limit)
    rows = session.execute(query).all()
    person_ids = [person.id for person, _ in rows]
    grants = _grants(session, person_ids, at)
    teams = _teams(session, person_ids, at)
    return [
        PersonFacts(
            person,
            bool(active),
            tuple(Grant(Role(row.role), row.department) for row in grants.get(person.id, ())),
            tuple(teams.get(person.id, ())),
            tuple(grants.get(person.id, ())),
        )
        for person, active in rows
    ]


def _grants(session: Session, person_ids: Sequence[int], at: datetime) -> Mapping[int, list[RoleGrant]]:
    found: dict[int, list[RoleGrant]] = {}
    for row in open_grants(session, person_ids, at):
        found.setdefault(row.person_id, []).append(row)
    return found


def _teams(session: Session, person_ids: Sequence[int], at: datetime) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in open_memberships(session, person_ids, at):
        found.setdefault(row.person_id, []).append(row.team)
    return found


def open_grants(session: Session, person_ids: Sequence[int], at: datetime) -> Sequence[RoleGrant]:
    """Return the roles that these people hold at `at`."""
    return session.scalars(
        select(RoleGrant)
        .where(
            RoleGrant.person_id.in_(person_ids),
            RoleGrant.happened_at <= at,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > at),
        )
        .order_by(RoleGrant.id)
    ).all()


def open_memberships(session: Session, person_ids: Sequence[int], at: datetime) -> Sequence[Membership]:
    """Return the teams that these people are in at `at`, with the instant since when."""
    return session.scalars(
        select(Membership)
        .where(
            Membership.person_id.in_(person_ids),
            Membership.joined_at <= at,
            or_(Membership.left_at.is_(None), Membership.left_at > at),
        )
        .order_by(Membership.team)
    ).all()


def is_active(session: Session, person_id: int, at: datetime) -> bool:
    """Whether a person is active at `at`."""
    return bool(session.scalar(select(active_at(at)).select_from(Person).where(Person.id == person_id)))


def administrators(session: Session, at: datetime, *, lasting: bool = False) -> set[int]:
    """Return the active people who administer all departments; `lasting` those alone whose role has no end."""
    end = RoleGrant.ended_at.is_(None)
    return set(
        session.scalars(
            select(Person.id)
            .join(RoleGrant, RoleGrant.person_id == Person.id)
            .where(
                RoleGrant.role == Role.ADMIN.value,
                RoleGrant.department.is_(None),
                RoleGrant.happened_at <= at,
                end if lasting else or_(end, RoleGrant.ended_at > at),
                active_at(at) == true(),
            )
        )
    )


def ensure_departments(session: Session, slugs: Collection[str | None], *, now: datetime) -> None:
    """Make departments exist that somebody names for the first time."""
    wanted = {slug for slug in slugs if slug}
    known = set(session.scalars(select(Department.slug).where(Department.slug.in_(sorted(wanted)))))
    session.add_all(Department(slug=slug, name=_title(slug), created_at=now) for slug in sorted(wanted - known))
    session.flush()


def ensure_teams(session: Session, slugs: Collection[str], *, now: datetime, department: str | None = None) -> None:
    """Make teams exist that somebody names for the first time, in a department or, with None, in none."""
    wanted = set(slugs)
    known = set(session.scalars(select(Team.slug).where(Team.slug.in_(sorted(wanted)))))
    session.add_all(
        Team(slug=slug, name=_title(slug), department=department, created_at=now) for slug in sorted(wanted - known)
    )
    session.flush()


def department(session: Session, slug: str) -> Department | None:
    """Return one department."""
    return session.get(Department, slug)


def team(session: Session, slug: str) -> Team | None:
    """Return one team."""
    return session.get(Team, slug)


def departments(session: Session) -> Sequence[Department]:
    """Return all departments, by name."""
    return session.scalars(select(Department).order_by(Department.name, Department.slug)).all()


def teams(session: Session) -> Sequence[Team]:
    """Return all teams, by name."""
    return session.scalars(select(Team).order_by(Team.name, Team.slug)).all()


def department_settings(session: Session, at: datetime) -> Mapping[str, DepartmentSetting]:
    """Return how each department works at `at`, where it ever said so."""
    rows = session.scalars(
        select(DepartmentSetting).where(DepartmentSetting.happened_at <= at).order_by(DepartmentSetting.id)
    )
    return {row.department: row for row in rows}


def _title(slug: str) -> str:
    words = slug.replace("-", " ")
    return words[:1].upper() + words[1:]
