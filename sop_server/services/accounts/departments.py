"""Departments and teams: their names, and how a department decides on its drafts."""

from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.people import clean_name
from sop_server.domain.permissions import Action
from sop_server.domain.roles import clean_slug
from sop_server.errors import InvalidInputError
from sop_server.services.accounts import team_reach
from sop_server.services.stores import Stores
from sop_server.storage import audit, people
from sop_server.storage.database import Session
from sop_server.storage.tables import DepartmentSetting

MOST_APPROVALS = 5

_EVENTS = {
    "approvals_needed": "department.approvals_set",
    "signature": "department.signature_set",
    "break_glass": "department.break_glass_set",
}


@dataclass(frozen=True, slots=True)
class DepartmentView:
    """A department: how many approvals its drafts need, whether they are signed, whether one person may break-glass."""

    slug: str
    name: str
    approvals_needed: int
    signature: bool = False
    break_glass: bool = True


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


def set_rules(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    slug: str,
    approvals_needed: int | None = None,
    signature: bool | None = None,
    break_glass: bool | None = None,
) -> DepartmentView:
    """Say how a department decides on its drafts from now on; None leaves a rule as it is.

    `signature`: decisions take the person's password or code again. `break_glass`: in an emergency one person may
    publish alone.
    """
    actor.require(Action.ADMINISTER, None)
    key = clean_slug(slug, what="department", field="slug")
    if approvals_needed is not None and not 1 <= approvals_needed <= MOST_APPROVALS:
        raise InvalidInputError(
            f"A department asks for 1 to {MOST_APPROVALS} approvals, not {approvals_needed}.",
            fields={"approvals_needed": f"1 to {MOST_APPROVALS}"},
        )
    with stores.database.write() as session:
        people.ensure_departments(session, [key], now=now)
        before = _department(session, key, now)
        asked = {"approvals_needed": approvals_needed, "signature": signature, "break_glass": break_glass}
        after = replace(
            before,
            approvals_needed=before.approvals_needed if approvals_needed is None else approvals_needed,
            signature=before.signature if signature is None else signature,
            break_glass=before.break_glass if break_glass is None else break_glass,
        )
        session.add(
            DepartmentSetting(
                department=key,
                approvals_needed=after.approvals_needed,
                signature=after.signature,
                break_glass=after.break_glass,
                happened_at=now,
                recorded_at=now,
                recorded_by=actor.person_id,
            )
        )
        for name, value in asked.items():
            if value is None:
                continue
            audit.record(session, at=now, actor=actor.email, action=_EVENTS[name], subject=key, details={name: value})
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
        if people.team(session, key) is not None:
            team_reach.require_team(session, actor, key)
        people.ensure_teams(session, [key], now=now, department=home)
        team = people.team(session, key)
        if team is not None:
            team.name, team.department = clean_name(name), home
        audit.record(session, at=now, actor=actor.email, action="team.named", subject=key, details={"name": name})
        return TeamView(key, clean_name(name), home)


def list_departments(stores: Stores, *, now: datetime) -> tuple[DepartmentView, ...]:
    """Return all departments by name; their names are nobody's secret to people who are signed in."""
    with stores.database.read() as session:
        settings = people.department_settings(session, now)
        return tuple(_view(row.slug, row.name, settings.get(row.slug)) for row in people.departments(session))


def list_teams(stores: Stores, *, actor: Doer) -> tuple[TeamView, ...]:
    """Return the teams of the departments that the actor administers, and those of none, by name."""
    with stores.database.read() as session:
        return tuple(
            TeamView(row.slug, row.name, row.department)
            for row in people.teams(session)
            if row.department is None or actor.may(Action.ADMINISTER, row.department)
        )


def _department(session: Session, slug: str, now: datetime) -> DepartmentView:
    session.flush()
    row = people.department(session, slug)
    return _view(slug, slug if row is None else row.name, people.department_settings(session, now).get(slug))


def _view(slug: str, name: str, setting: DepartmentSetting | None) -> DepartmentView:
    if setting is None:
        return DepartmentView(slug, name, 1)
    return DepartmentView(slug, name, setting.approvals_needed, setting.signature, setting.break_glass)
