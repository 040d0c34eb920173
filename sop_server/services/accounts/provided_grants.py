"""Roles and teams that a provider's groups give: brought up to date at each sign-in, and told in the audit trail."""

from datetime import datetime

from sop_server.domain.doers import System
from sop_server.domain.permissions import Grant, Role
from sop_server.domain.provider_rules import Given
from sop_server.domain.roles import format_grant
from sop_server.services.accounts.guarding import is_last_administrator
from sop_server.storage import audit, people, provider_links, role_grants
from sop_server.storage.database import Session
from sop_server.storage.tables import Membership, Person, RoleGrant

BY_PROVIDER = System("identity provider")

_EVERYTHING = Grant(Role.ADMIN, None)


def bring_up_to_date(session: Session, *, person: Person, given: Given, issuer: str, now: datetime) -> bool:
    """Give what the groups give and is not held yet, end what they gave and give no more; what was given by hand stays.

    What they gave and somebody ended here is not given again before the groups have stopped giving it. Returns False
    where the groups would have ended the role of the only administrator: it stays, and the trail says so.
    """
    all_ended = _roles(session, person, given, issuer, now)
    _teams(session, person, given, issuer, now)
    session.flush()
    return all_ended


def _roles(session: Session, person: Person, given: Given, issuer: str, now: datetime) -> bool:
    held = {row.id: _grant(row) for row in people.open_grants(session, [person.id], now)}
    provided = [
        (of_groups, row, _grant(row))
        for of_groups, row in provider_links.provided_roles(session, issuer=issuer, person_id=person.id)
    ]
    people.ensure_departments(session, [grant.department for grant in given.grants], now=now)
    ended_here = {grant for _, row, grant in provided if row.id not in held}
    for grant in sorted(given.grants - set(held.values()) - ended_here, key=format_grant):
        row = RoleGrant(
            person_id=person.id,
            role=grant.role.value,
            department=grant.department,
            happened_at=now,
            recorded_at=now,
            granted_by=None,
        )
        provider_links.add_provided(session, row, issuer=issuer)
        _record(session, "role.granted", person, issuer, now, role=format_grant(grant))
    all_ended = True
    for of_groups, row, grant in provided:
        if grant in given.grants:
            continue
        if row.id in held:
            if grant == _EVERYTHING and is_last_administrator(session, person.id, now):
                _record(session, "role.kept", person, issuer, now, role=format_grant(grant), why="only administrator")
                all_ended = False
                continue
            role_grants.say_end(session, row, ends_at=now, reason=None, by=None, now=now)
            _record(session, "role.ended", person, issuer, now, role=format_grant(grant))
        of_groups.closed_at = now
    return all_ended


def _teams(session: Session, person: Person, given: Given, issuer: str, now: datetime) -> None:
    held = {row.id: row.team for row in people.open_memberships(session, [person.id], now)}
    provided = provider_links.provided_teams(session, issuer=issuer, person_id=person.id)
    people.ensure_teams(session, given.teams, now=now)
    left_here = {row.team for _, row in provided if row.id not in held}
    for team in sorted(given.teams - set(held.values()) - left_here):
        row = Membership(person_id=person.id, team=team, joined_at=now, recorded_at=now)
        provider_links.add_provided(session, row, issuer=issuer)
        _record(session, "team.joined", person, issuer, now, team=team)
    for of_groups, row in provided:
        if row.team in given.teams:
            continue
        if row.id in held:
            row.left_at = row.left_recorded_at = now
            _record(session, "team.left", person, issuer, now, team=row.team)
        of_groups.closed_at = now


def _grant(row: RoleGrant) -> Grant:
    return Grant(Role(row.role), row.department)


def _record(session: Session, action: str, person: Person, issuer: str, now: datetime, **details: str) -> None:
    told = {**details, "through": issuer}
    audit.record(session, at=now, actor=BY_PROVIDER.email, action=action, subject=person.email, details=told)
