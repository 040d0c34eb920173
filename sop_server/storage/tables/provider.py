"""What an identity provider told: who is whom there, and which roles and teams its groups gave."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table

_OPEN = text("ended_at IS NULL")


class ProviderLink(Table):
    """A fact: `subject` of `issuer` is this person, until an administrator ended it; one open link for each at most."""

    __tablename__ = "provider_link"
    __table_args__ = (
        Index("uq_provider_link_subject", "issuer", "subject", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(
            "uq_provider_link_person", "issuer", "person_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ProvidedRole(Table):
    """A role that groups gave; from `closed_at` on groups say nothing about it: they ended it, or it was given by hand.

    One that is open though its role has ended was ended here: groups do not give it again while they go on giving it.
    """

    __tablename__ = "provided_role"

    role_grant_id: Mapped[int] = mapped_column(ForeignKey("role_grant.id"), primary_key=True, autoincrement=False)
    issuer: Mapped[str]
    closed_at: Mapped[datetime | None]


class ProvidedMembership(Table):
    """A team that groups gave, as `ProvidedRole` is a role."""

    __tablename__ = "provided_membership"

    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"), primary_key=True, autoincrement=False)
    issuer: Mapped[str]
    closed_at: Mapped[datetime | None]
