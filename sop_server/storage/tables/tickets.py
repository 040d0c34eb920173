"""Business changes, their go-live and their obligations; the process register."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Ticket(Table):
    """The identity of a business change: (source, key) is unique."""

    __tablename__ = "ticket"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str]
    recorded_at: Mapped[datetime]


class TicketVersion(Table):
    """A fact: what a ticket said from `recorded_at` on."""

    __tablename__ = "ticket_version"
    __table_args__ = (Index("ix_ticket_version_ticket", "ticket_id", "recorded_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    title: Mapped[str]
    status: Mapped[str]
    effective_at: Mapped[datetime | None]
    planned_end: Mapped[datetime | None]
    actual_end: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    systems: Mapped[list[str]]
    processes: Mapped[list[str]]
    url: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class GoLiveConfirmation(Table):
    """A fact: a person says when the change took effect, and why."""

    __tablename__ = "go_live_confirmation"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    t0: Mapped[datetime]
    reason: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]


class Obligation(Table):
    """One (ticket, SOP) pair, or the triage of a ticket where `sop_id` is null."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("ticket_id", "sop_id"),
        Index("ix_obligation_sop", "sop_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    sop_id: Mapped[str | None] = mapped_column(ForeignKey("sop.id"))
    origin: Mapped[str]
    window_hours: Mapped[float]
    recorded_at: Mapped[datetime]
    uncounted_from: Mapped[datetime | None]


class NotNeeded(Table):
    """One person's proposal that an obligation is not needed, and a second person's confirmation or refusal of it.

    An obligation may have several, of which all but the last were declined.
    """

    __tablename__ = "not_needed"
    __table_args__ = (
        Index(
            "uq_not_needed_standing",
            "obligation_id",
            unique=True,
            sqlite_where=text("declined_at IS NULL"),
            postgresql_where=text("declined_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligation.id"), index=True)
    reason: Mapped[str]
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    declined_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    declined_at: Mapped[datetime | None]
    declined_because: Mapped[str | None]


class Process(Table):
    """The identity of an entry of the process register."""

    __tablename__ = "process"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    registered_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class ProcessVersion(Table):
    """A fact: what the register says of a process from `happened_at` on."""

    __tablename__ = "process_version"
    __table_args__ = (Index("ix_process_version_process", "process_id", "recorded_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    process_id: Mapped[str] = mapped_column(ForeignKey("process.id"))
    name: Mapped[str]
    department: Mapped[str | None]
    criticality: Mapped[str]
    owner: Mapped[str | None]
    deputy: Mapped[str | None]
    systems: Mapped[list[str]]
    status: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
