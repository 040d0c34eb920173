"""Campaigns in which every role is confirmed or removed."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Recertification(Table):
    """A campaign about the roles of a department, or of all where `department` is null; `closed_at` is written once.

    `period` names what a schedule opened it for. `opened_by` is null where the schedule did.
    """

    __tablename__ = "recertification"

    id: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str | None]
    period: Mapped[str | None] = mapped_column(unique=True)
    note: Mapped[str | None]
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    due_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class RecertificationItem(Table):
    """A role as it was held when the campaign was opened, and what became of it, written once."""

    __tablename__ = "recertification_item"
    __table_args__ = (
        UniqueConstraint("recertification_id", "grant_id"),
        Index("ix_recertification_item_open", "grant_id", "outcome"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recertification_id: Mapped[int] = mapped_column(ForeignKey("recertification.id"))
    grant_id: Mapped[int] = mapped_column(ForeignKey("role_grant.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    department: Mapped[str | None]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None]
    bulk: Mapped[bool]


class RecertificationAsked(Table):
    """Who was asked, when the campaign was opened, to decide about the roles of a department, and as what."""

    __tablename__ = "recertification_asked"

    id: Mapped[int] = mapped_column(primary_key=True)
    recertification_id: Mapped[int] = mapped_column(ForeignKey("recertification.id"), index=True)
    department: Mapped[str | None]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
