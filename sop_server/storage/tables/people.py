"""People, what they may do, and how they come in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Person(Table):
    """Somebody with an account. `email` is lower case and unique; a pseudonym, as the name, once they are erased."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class PersonState(Table):
    """A fact: from `happened_at` on this person is active, or is not."""

    __tablename__ = "person_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    active: Mapped[bool]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class RoleGrant(Table):
    """A role for a department, or for all where `department` is null.

    `ended_at` is the end as it was said last, which may lie ahead; `reason` is why. Until it has passed it may be
    moved, and `grant_end` keeps each word about it. `expiry_told_at` is when the trail was told of an end that came by
    itself.
    """

    __tablename__ = "role_grant"
    __table_args__ = (Index("ix_role_grant_person_open", "person_id", "ended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    department: Mapped[str | None]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    end_recorded_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str | None]
    expiry_told_at: Mapped[datetime | None]


class GrantEnd(Table):
    """A fact: what was said at `recorded_at` of the end of a role, null where it has none from then on."""

    __tablename__ = "grant_end"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("role_grant.id"), index=True)
    ends_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Department(Table):
    """A department; it exists from the first time somebody names it."""

    __tablename__ = "department"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


class DepartmentSetting(Table):
    """A fact: how a department works from `happened_at` on."""

    __tablename__ = "department_setting"

    id: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(ForeignKey("department.slug"), index=True)
    approvals_needed: Mapped[int]
    signature: Mapped[bool] = mapped_column(server_default=false())
    break_glass: Mapped[bool] = mapped_column(server_default=true())
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Team(Table):
    """A team of the operation; SOPs name teams as their audience."""

    __tablename__ = "team"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    department: Mapped[str | None]
    created_at: Mapped[datetime]


class Membership(Table):
    """One person's time in one team; the end is written once."""

    __tablename__ = "membership"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    team: Mapped[str] = mapped_column(ForeignKey("team.slug"), index=True)
    joined_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_recorded_at: Mapped[datetime | None]


class Absence(Table):
    """A person is away from `begins_at` until `ends_at`, or until they called it off, which is written once."""

    __tablename__ = "absence"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    note: Mapped[str | None]
    recorded_at: Mapped[datetime]
    called_off_at: Mapped[datetime | None]


class ApiToken(Table):
    """A token that acts as a person; only its SHA-256 is kept."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    scope: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class WebSession(Table):
    """A signed-in browser, from where and what in words; only the SHA-256 of its cookie is kept.

    While `waits_for` names a second step, the browser is not signed in yet. `came_by` says through which door
    that is not ours it came; `sealed_hint` is what the provider wants to see again at the sign-out.
    """

    __tablename__ = "web_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(server_default="")
    browser: Mapped[str] = mapped_column(server_default="")
    waits_for: Mapped[str | None]
    came_by: Mapped[str | None]
    sealed_hint: Mapped[str | None] = mapped_column(deferred=True)


class SignInLink(Table):
    """A link that signs one person in once, before `expires_at`."""

    __tablename__ = "sign_in_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInFailure(Table):
    """A refused sign-in, kept for throttling across processes."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        Index("ix_sign_in_failure_email_at", "email", "at"),
        Index("ix_sign_in_failure_address_at", "address", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    address: Mapped[str]
    at: Mapped[datetime]


class Pin(Table):
    """A SOP that a person keeps at hand."""

    __tablename__ = "pin"
    __table_args__ = (UniqueConstraint("person_id", "sop_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    created_at: Mapped[datetime]
