"""SOPs, their drafts and approvals, the intents to publish, and the projection of `main`."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table
from sop_server.storage.tables.break_glass import Kept


class Sop(Table):
    """The permanent identity of one SOP: its id, and the path chosen once."""

    __tablename__ = "sop"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    path: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Draft(Table):
    """A proposed revision. Its text is the blob at `head_oid` on a git reference of its own."""

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_sop_state", "sop_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    kind: Mapped[str]
    reverts: Mapped[int | None]
    base_revision: Mapped[int | None]
    state: Mapped[str] = mapped_column(index=True)
    significance: Mapped[str]
    change_summary: Mapped[str]
    title: Mapped[str]
    department: Mapped[str | None]
    head_oid: Mapped[str]
    blob_oid: Mapped[str]
    content_hash: Mapped[str]
    conflicted: Mapped[bool]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    effective_from: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    published_revision: Mapped[int | None]


class DraftCommit(Table):
    """One saved state of a draft; `person_id` is null where the system merged."""

    __tablename__ = "draft_commit"
    __table_args__ = (UniqueConstraint("draft_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"))
    number: Mapped[int]
    oid: Mapped[str]
    content_hash: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class DraftTicket(Table):
    """A ticket that a draft will answer once it is in force."""

    __tablename__ = "draft_ticket"
    __table_args__ = (Index("ix_draft_ticket_ticket", "ticket_id"),)

    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)


class Approval(Table):
    """One person's decision on a draft, bound to the hash of the exact content; voided, never deleted."""

    __tablename__ = "approval"
    __table_args__ = (Index("ix_approval_draft", "draft_id", "content_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"))
    kind: Mapped[str]
    content_hash: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str]
    comment: Mapped[str]
    effective_from: Mapped[datetime | None]
    decided_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    signature: Mapped[dict[str, Any] | None] = mapped_column(Kept)


class PublishIntent(Table):
    """The decision to publish one revision: all that its commit and its projection can be made from again.

    It stands on `approvals`, or in an emergency on the one record that `break_glass` tells of.
    """

    __tablename__ = "publish_intent"
    __table_args__ = (
        Index(
            "uq_publish_intent_sop_revision",
            "sop_id",
            "revision",
            unique=True,
            sqlite_where=text("state <> 'void'"),
            postgresql_where=text("state <> 'void'"),
        ),
        Index("ix_publish_intent_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    revision: Mapped[int]
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"))
    kind: Mapped[str]
    significance: Mapped[str]
    path: Mapped[str]
    content_hash: Mapped[str]
    blob_oid: Mapped[str]
    base_revision: Mapped[int | None]
    reverts: Mapped[int | None]
    change_summary: Mapped[str]
    author_name: Mapped[str]
    author_email: Mapped[str]
    authors: Mapped[list[str]]
    approvals: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    break_glass: Mapped[dict[str, Any] | None] = mapped_column(Kept)
    tickets: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    authored_at: Mapped[datetime]
    approved_at: Mapped[datetime]
    effective_from: Mapped[datetime]
    created_at: Mapped[datetime]
    commit_oid: Mapped[str | None]
    done_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]


class Revision(Table):
    """A projection of `main`: one approved revision and its front matter. Made again by `sync`."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("sop_id", "number"),
        Index("ix_revision_effective", "effective_from"),
        Index("ix_revision_hash", "content_hash"),
        Index("ix_revision_department", "department", "sop_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    number: Mapped[int]
    kind: Mapped[str]
    significance: Mapped[str]
    content_hash: Mapped[str]
    blob_oid: Mapped[str]
    commit_oid: Mapped[str]
    intent_id: Mapped[int] = mapped_column(ForeignKey("publish_intent.id"), unique=True)
    draft_id: Mapped[int | None]
    path: Mapped[str]
    title: Mapped[str]
    department: Mapped[str | None]
    owner: Mapped[str | None]
    deputy: Mapped[str | None]
    processes: Mapped[list[str]]
    systems: Mapped[list[str]]
    audience: Mapped[list[str]]
    tags: Mapped[list[str]]
    links: Mapped[list[str]]
    path_links: Mapped[list[str]]
    review_every_days: Mapped[int]
    change_summary: Mapped[str]
    author_name: Mapped[str]
    author_email: Mapped[str]
    reverts: Mapped[int | None]
    approved_at: Mapped[datetime]
    effective_from: Mapped[datetime]
    recorded_at: Mapped[datetime]


class RevisionTicket(Table):
    """A projection: this revision references this ticket."""

    __tablename__ = "revision_ticket"
    __table_args__ = (Index("ix_revision_ticket_ticket", "ticket_id"),)

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)


class RevisionLink(Table):
    """A projection: this revision refers to that SOP, in its front matter or its text."""

    __tablename__ = "revision_link"
    __table_args__ = (Index("ix_revision_link_target", "target"),)

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)


class Quarantine(Table):
    """A commit on `main` that no approval here names: reported, never served."""

    __tablename__ = "quarantine"

    commit_oid: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    found_at: Mapped[datetime]


class ImportedFile(Table):
    """Where an imported SOP came from; a second import knows it by this."""

    __tablename__ = "imported_file"
    __table_args__ = (UniqueConstraint("root", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[str]
    path: Mapped[str]
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    source_hash: Mapped[str]
    imported_at: Mapped[datetime]
