"""Departments and teams: their names, and how many approvals a department asks for."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.people import clean_name
from sop_server.domain.permissions import Action
from sop_server.domain.roles import clean_slug
from sop_server.errors import InvalidInputError
from sop_server.services.stores import Stores
from sop_server.storage import audit, people
from sop_server.storage.database import Session
from sop_server.storage.tables import DepartmentSetting

MOST_APPROVALS = 5


@dataclass(frozen=True, slots=True)
class DepartmentView:
    """A department, and how many approvals its drafts need."""

    slug: str
    name: str
    approvals_needed: int


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team, and the department that it belongs to, if any."""

    slug: str
    name: str
    department: str | None


def name_department(stores: Stores, *, actor: Doer, now: datetime, slug: str, name: str) -> DepartmentView:
    """Give a department its name; it comes to be where it is new."""
    actor.require_anywhere(Action.ADMINISTER)
    key = clean_slug(slug, what="department", field="slug")
    actor.require(Action.ADMINISTER, key)
    with stores.database.write() as session:
        people.ensure_departments(session, [key], now=now)
        department = people.department(session, key)
        if department is not None:
            department.name = clean_name(name)
        audit.record(session, at=now, actor=actor.email, action="department.named", subject=key, details={"name": name})
        return _department(session, key, now)


def set_approvals_needed(stores: Stores, *, actor: Doer, now: datetime, slug: str, needed: int) -> DepartmentView:
    """Say how many approvals the drafts of a department need from now on."""
    actor.require(Action.ADMINISTER, None)
    key = clean_slug(slug, what="department", field="slug")
    if not 1 <= needed <= MOST_APPROVALS:
        raise InvalidInputError(
            f"A department asks for 1 to {MOST_APPROVALS} approvals, not {needed}.",
            fields={"approvals_needed": f"1 to {MOST_APPROVALS}"},
        )
    with stores.database.write() as session:
        people.ensure_departments(session, [key], now=now)
        session.add(
            DepartmentSetting(
                department=key,
                approvals_needed=needed,
                happened_at=now,
                recorded_at=now,
                recorded_by=actor.person_id,
            )
        )
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="department.approvals_set",
            subject=key,
            details={"approvals_needed": needed},
        )
        return _department(session, key, now)


def name_team(
    stores: Stores, *, actor: Doer, now: datetime, slug: str, name: str, department: str | None = None
) -> TeamView:
    """Give a team its name and its department; it comes to be where it is new."""
    actor.require_anywhere(Action.ADMINISTER)
    key = clean_slug(slug, what="team", field="slug")
    home = None if department is None else clean_slug(department, what="department", field="department")
    actor.require(Action.ADMINISTER, home)
    with stores.database.write() as session:
        people.ensure_departments(session, [home], now=now)
        people.ensure_teams(session, [key], now=now)
        team = people.team(session, key)
        if team is not None:
            if team.department is not None:
                actor.require(Action.ADMINISTER, team.department)
            team.name, team.department = clean_name(name), home
        audit.record(session, at=now, actor=actor.email, action="team.named", subject=key, details={"name": name})
        return TeamView(key, clean_name(name), home)


def list_departments(stores: Stores, *, now: datetime) -> tuple[DepartmentView, ...]:
    """Return all departments by name; their names are nobody's secret to people who are signed in."""
    with stores.database.read() as session:
        settings = people.department_settings(session, now)
        return tuple(
            DepartmentView(row.slug, row.name, settings[row.slug].approvals_needed if row.slug in settings else 1)
            for row in people.departments(session)
        )


def list_teams(stores: Stores) -> tuple[TeamView, ...]:
    """Return all teams by name."""
    with stores.database.read() as session:
        return tuple(TeamView(row.slug, row.name, row.department) for row in people.teams(session))


def _department(session: Session, slug: str, now: datetime) -> DepartmentView:
    session.flush()
    row = people.department(session, slug)
    setting = people.department_settings(session, now).get(slug)
    return DepartmentView(slug, slug if row is None else row.name, 1 if setting is None else setting.approvals_needed)
