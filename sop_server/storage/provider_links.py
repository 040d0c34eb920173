"""Who is whom at an identity provider, and which roles and teams its groups gave."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Exists, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from sop_server.storage.tables import (
    Membership,
    ProvidedMembership,
    ProvidedRole,
    ProviderLink,
    RoleGrant,
    WebSession,
)


def link_of_subject(session: Session, *, issuer: str, subject: str) -> ProviderLink | None:
    """Return the open link of somebody there."""
    return session.scalar(
        select(ProviderLink).where(
            ProviderLink.issuer == issuer, ProviderLink.subject == subject, ProviderLink.ended_at.is_(None)
        )
    )


def link_of_person(session: Session, *, issuer: str, person_id: int) -> ProviderLink | None:
    """Return the open link of somebody here."""
    return session.scalar(
        select(ProviderLink).where(
            ProviderLink.issuer == issuer, ProviderLink.person_id == person_id, ProviderLink.ended_at.is_(None)
        )
    )


def add_link(session: Session, *, issuer: str, subject: str, person_id: int, now: datetime) -> None:
    """Store who somebody is there."""
    session.add(
        ProviderLink(
            person_id=person_id,
            issuer=issuer,
            subject=subject,
            linked_at=now,
            signed_in_at=now,
            ended_at=None,
            ended_by=None,
        )
    )
    session.flush()


def provided_roles(session: Session, *, issuer: str, person_id: int) -> Sequence[tuple[ProvidedRole, RoleGrant]]:
    """Return the roles that the provider's groups gave a person and still have a say about, ended ones too."""
    query = (
        select(ProvidedRole, RoleGrant)
        .join(RoleGrant, RoleGrant.id == ProvidedRole.role_grant_id)
        .where(ProvidedRole.issuer == issuer, ProvidedRole.closed_at.is_(None), RoleGrant.person_id == person_id)
        .order_by(RoleGrant.id)
    )
    return [(provided, row) for provided, row in session.execute(query)]


def provided_teams(session: Session, *, issuer: str, person_id: int) -> Sequence[tuple[ProvidedMembership, Membership]]:
    """Return the memberships that the provider's groups gave a person and still have a say about, ended ones too."""
    query = (
        select(ProvidedMembership, Membership)
        .join(Membership, Membership.id == ProvidedMembership.membership_id)
        .where(
            ProvidedMembership.issuer == issuer,
            ProvidedMembership.closed_at.is_(None),
            Membership.person_id == person_id,
        )
        .order_by(Membership.id)
    )
    return [(provided, row) for provided, row in session.execute(query)]


def lapsed_roles(session: Session, *, before: datetime) -> Sequence[tuple[ProvidedRole, RoleGrant]]:
    """Return the roles without an end that groups gave to people who came in last before an instant."""
    query = (
        select(ProvidedRole, RoleGrant)
        .join(RoleGrant, RoleGrant.id == ProvidedRole.role_grant_id)
        .where(
            ProvidedRole.closed_at.is_(None),
            RoleGrant.ended_at.is_(None),
            ~_came(ProvidedRole.issuer, RoleGrant.person_id, before),
        )
        .order_by(RoleGrant.id)
    )
    return [(provided, row) for provided, row in session.execute(query)]


def lapsed_teams(session: Session, *, before: datetime) -> Sequence[tuple[ProvidedMembership, Membership]]:
    """Return the memberships that groups gave to people who came in last before an instant."""
    query = (
        select(ProvidedMembership, Membership)
        .join(Membership, Membership.id == ProvidedMembership.membership_id)
        .where(
            ProvidedMembership.closed_at.is_(None),
            Membership.left_at.is_(None),
            ~_came(ProvidedMembership.issuer, Membership.person_id, before),
        )
        .order_by(Membership.id)
    )
    return [(provided, row) for provided, row in session.execute(query)]


def _came(issuer: InstrumentedAttribute[str], person_id: InstrumentedAttribute[int], since: datetime) -> Exists:
    """Return the condition that a person came in through a provider since an instant."""
    return exists().where(
        ProviderLink.issuer == issuer,
        ProviderLink.person_id == person_id,
        func.coalesce(ProviderLink.signed_in_at, ProviderLink.linked_at) >= since,
    )


def add_provided(session: Session, row: RoleGrant | Membership, *, issuer: str) -> None:
    """Store a role or a membership, and that groups gave it."""
    session.add(row)
    session.flush()
    if isinstance(row, RoleGrant):
        session.add(ProvidedRole(role_grant_id=row.id, issuer=issuer, closed_at=None))
    else:
        session.add(ProvidedMembership(membership_id=row.id, issuer=issuer, closed_at=None))
    session.flush()


def keep_grants(session: Session, grant_ids: Sequence[int], *, now: datetime) -> int:
    """Have roles that groups gave count as given by hand; returns how many did not before."""
    found = session.scalars(
        update(ProvidedRole)
        .where(ProvidedRole.role_grant_id.in_(grant_ids), ProvidedRole.closed_at.is_(None))
        .values(closed_at=now)
        .returning(ProvidedRole.role_grant_id)
    )
    return len(found.all())


def keep_memberships(session: Session, membership_ids: Sequence[int], *, now: datetime) -> int:
    """Have teams that groups gave count as joined by hand; returns how many did not before."""
    found = session.scalars(
        update(ProvidedMembership)
        .where(ProvidedMembership.membership_id.in_(membership_ids), ProvidedMembership.closed_at.is_(None))
        .values(closed_at=now)
        .returning(ProvidedMembership.membership_id)
    )
    return len(found.all())


def sealed_hint(session: Session, token_hash: str) -> str | None:
    """Return what the provider wants to see again when this browser signs out there, sealed."""
    return session.scalar(select(WebSession.sealed_hint).where(WebSession.token_hash == token_hash))


def end_links(session: Session, person_id: int, *, by: int | None, now: datetime) -> None:
    """End what links a person with anybody at any provider."""
    session.execute(
        update(ProviderLink)
        .where(ProviderLink.person_id == person_id, ProviderLink.ended_at.is_(None))
        .values(ended_at=now, ended_by=by)
    )
