"""What a provider's groups gave lapses where its person stays away: nobody says any more that they are in the groups.

Without this a leaver whom the provider let go would keep roles here, and API tokens with them, until somebody thinks of
it. Whoever comes in again gets what their groups give then.
"""

from datetime import datetime

from sop_server.domain.permissions import Grant, Role
from sop_server.domain.roles import format_grant
from sop_server.services.accounts.guarding import is_last_administrator
from sop_server.services.accounts.provided_grants import BY_PROVIDER
from sop_server.services.stores import Stores
from sop_server.storage import audit, people, provider_links, role_grants
from sop_server.storage.database import Session

_EVERYTHING = Grant(Role.ADMIN, None)


def lapse(stores: Stores, *, now: datetime) -> int:
    """End the roles and teams that groups gave to people who stayed away for too long; returns how many."""
    before = now - stores.policy.provided_lapse
    with stores.database.read() as session:
        if not provider_links.lapsed_roles(session, before=before) and not provider_links.lapsed_teams(
            session, before=before
        ):
            return 0
    with stores.database.write() as session:
        return _roles(session, before, now) + _teams(session, before, now)


def _roles(session: Session, before: datetime, now: datetime) -> int:
    ended = 0
    for provided, row in provider_links.lapsed_roles(session, before=before):
        grant = Grant(Role(row.role), row.department)
        if grant == _EVERYTHING and is_last_administrator(session, row.person_id, now):
            continue
        role_grants.say_end(session, row, ends_at=now, reason=None, by=None, now=now)
        provided.closed_at = now
        _record(session, "role.ended", row.person_id, provided.issuer, now, role=format_grant(grant))
        ended += 1
    return ended


def _teams(session: Session, before: datetime, now: datetime) -> int:
    found = provider_links.lapsed_teams(session, before=before)
    for provided, row in found:
        row.left_at = row.left_recorded_at = provided.closed_at = now
        _record(session, "team.left", row.person_id, provided.issuer, now, team=row.team)
    return len(found)


def _record(session: Session, action: str, person_id: int, issuer: str, now: datetime, **details: str) -> None:
    person = people.person_row(session, person_id)
    told = {**details, "through": issuer, "why": "not signed in for too long"}
    subject = "" if person is None else person.email
    audit.record(session, at=now, actor=BY_PROVIDER.email, action=action, subject=subject, details=told)
