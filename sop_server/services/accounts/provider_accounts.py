"""The accounts that are linked with an identity provider: how they stand, whose password is off, undoing a link."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action, Grant, Role
from sop_server.domain.roles import format_grant
from sop_server.errors import ConflictError, NotFoundError, NotSignedInError
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people, provider_links
from sop_server.storage.database import Session


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    """`name` is that of the provider, "" where there is none; `since` when the account was linked, None: it is not.

    `roles` and `teams` are those that groups gave and may end. `alone`: the password here is switched off.
    """

    name: str = ""
    since: datetime | None = None
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    alone: bool = False


def comes_by_provider_alone(stores: Stores, session: Session, person_id: int, now: datetime) -> bool:
    """Whether passwords and links are switched off for somebody.

    Never for administrators of all departments: while the provider is away nobody else could help.
    """
    provider = stores.provider
    if provider is None or not provider.rules.replaces_passwords:
        return False
    linked = provider_links.link_of_person(session, issuer=provider.issuer, person_id=person_id)
    return linked is not None and person_id not in people.administrators(session, now)


def provider_standing(stores: Stores, *, actor: Doer, now: datetime, email: str) -> ProviderStanding:
    """Return how an account stands with the provider; administrators see everyone's, others their own."""
    if actor.email != email.strip().lower():
        actor.require_anywhere(Action.ADMINISTER)
    provider = stores.provider
    if provider is None:
        return ProviderStanding()
    with stores.database.read() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address.")
        link = provider_links.link_of_person(session, issuer=provider.issuer, person_id=person.id)
        held = {row.id for row in people.open_grants(session, [person.id], now)}
        roles = provider_links.provided_roles(session, issuer=provider.issuer, person_id=person.id)
        member_of = {row.id for row in people.open_memberships(session, [person.id], now)}
        teams = provider_links.provided_teams(session, issuer=provider.issuer, person_id=person.id)
        return ProviderStanding(
            name=provider.rules.name,
            since=None if link is None else link.linked_at,
            roles=frozenset(format_grant(Grant(Role(row.role), row.department)) for _, row in roles if row.id in held),
            teams=frozenset(row.team for _, row in teams if row.id in member_of),
            alone=comes_by_provider_alone(stores, session, person.id, now),
        )


def undo_link(stores: Stores, *, actor: Doer, now: datetime, email: str) -> str:
    """Undo an account's link and end its sessions; returns the person's name.

    The next sign-in with its address, verified by the provider, links it anew. Raises ConflictError where it has none.
    """
    actor.require(Action.ADMINISTER, None)
    with stores.database.write() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address; nothing was changed.")
        issuer = "" if stores.provider is None else stores.provider.issuer
        link = provider_links.link_of_person(session, issuer=issuer, person_id=person.id)
        if link is None:
            raise ConflictError(f"{person.name} is linked with no account of the provider. Nothing was changed.")
        link.ended_at, link.ended_by = now, actor.person_id
        credentials.end_sessions(session, person.id, now=now)
        told = {"through": issuer}
        audit.record(session, at=now, actor=actor.email, action="provider.unlinked", subject=person.email, details=told)
        return person.name


def refuse_password(stores: Stores, session: Session, person_id: int, now: datetime) -> None:
    """Raise NotSignedInError where whoever was right about password or link comes in through the provider alone."""
    if stores.provider is not None and comes_by_provider_alone(stores, session, person_id, now):
        raise NotSignedInError(f"You come in through {stores.provider.rules.name} alone: sign in there.")


def refuse_link(stores: Stores, session: Session, person_id: int, now: datetime) -> None:
    """Raise ConflictError where a password or a link would let nobody in."""
    if stores.provider is not None and comes_by_provider_alone(stores, session, person_id, now):
        raise ConflictError(
            f"This account comes in through {stores.provider.rules.name} alone, so a password or a link of its own "
            "would let nobody in. Nothing was changed."
        )
