"""People as administrators see them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action, Grant, Role
from sop_server.domain.roles import format_grant, parse_grant
from sop_server.storage import people
from sop_server.storage.database import Session
from sop_server.storage.people import PersonFacts


@dataclass(frozen=True, slots=True)
class GrantView:
    """A role that is held: since when, and until when and why where it ends by itself."""

    role: str
    since: datetime
    until: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as administrators see them; roles are written `approver@payments`, or `approver` for all."""

    id: int
    email: str
    name: str
    active: bool
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    has_password: bool
    created_at: datetime
    erased_at: datetime | None = None
    grants: tuple[GrantView, ...] = ()


def seen_by(session: Session, actor: Doer, found: Sequence[PersonView]) -> Sequence[PersonView]:
    """Return people as the actor may see them: not what they hold in departments that are not the actor's.

    What holds for all departments is told: it reaches into every one.
    """
    reach = actor.reach(Action.ADMINISTER)
    if reach is None:
        return found
    foreign = {team.slug for team in people.teams(session) if team.department not in {None, *reach}}

    def near(role: str) -> bool:
        return parse_grant(role).department in {None, *reach}

    return [
        one
        if one.email == actor.email
        else replace(
            one,
            roles=tuple(role for role in one.roles if near(role)),
            teams=tuple(team for team in one.teams if team not in foreign),
            grants=tuple(held for held in one.grants if near(held.role)),
        )
        for one in found
    ]


def view_of(facts: PersonFacts) -> PersonView:
    """Return a person with all that they hold."""
    return PersonView(
        id=facts.row.id,
        email=facts.row.email,
        name=facts.row.name,
        active=facts.active,
        roles=tuple(sorted(format_grant(grant) for grant in facts.grants)),
        teams=facts.teams,
        has_password=facts.row.password_hash is not None,
        created_at=facts.row.created_at,
        erased_at=facts.row.erased_at,
        grants=tuple(
            GrantView(format_grant(Grant(Role(row.role), row.department)), row.happened_at, row.ended_at, row.reason)
            for row in sorted(facts.held, key=lambda row: (row.role, row.department or ""))
        ),
    )
