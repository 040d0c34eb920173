"""Roles that ended by themselves are told in the audit trail, and those that soon will to whoever can act."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.grant_ends import NOTICE
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action, Grant, Role
from sop_server.domain.roles import format_grant
from sop_server.services.stores import Stores
from sop_server.storage import audit, role_grants
from sop_server.storage.tables import RoleGrant

BY_THE_SERVER = "scan"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class EndingGrant:
    """A role that ends by itself soon, and whose it is."""

    email: str
    name: str
    role: str
    until: datetime
    reason: str | None


def tell_expired(stores: Stores, *, now: datetime) -> int:
    """Tell the trail of each role that has ended by itself, once; returns of how many.

    Nothing depends on it: a role stops at its instant, whenever this runs.
    """
    with stores.database.read() as session:
        if not role_grants.expired_untold(session, now=now, limit=1):
            return 0
    with stores.database.write() as session:
        found = role_grants.expired_untold(session, now=now, limit=_AT_ONCE)
        for row, email in found:
            row.expiry_told_at = now
            details = {"role": _role(row), "until": format_instant(row.ended_at or now)}
            audit.record(session, at=now, actor=BY_THE_SERVER, action="role.expired", subject=email, details=details)
        return len(found)


def ending_soon(stores: Stores, *, actor: Doer, now: datetime) -> tuple[EndingGrant, ...]:
    """Return the roles that end by themselves within a week, in the departments whose roles the actor decides about."""
    with stores.database.read() as session:
        found = role_grants.ending_grants(
            session, now=now, until=now + NOTICE, departments=actor.reach(Action.RECERTIFY)
        )
        return tuple(
            EndingGrant(person.email, person.name, _role(row), row.ended_at, row.reason)
            for row, person in found
            if row.ended_at is not None
        )


def _role(row: RoleGrant) -> str:
    return format_grant(Grant(Role(row.role), row.department))
