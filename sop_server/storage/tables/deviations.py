"""Deviations from SOPs: what was proposed, each wording of it, what was decided, and an end before its time."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Deviation(Table):
    """A permission to do something else than a SOP says; the decision and an early end are each written once."""

    __tablename__ = "deviation"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"), index=True)
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("deviation.id"))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    decision: Mapped[str | None]
    decided_hash: Mapped[str | None]
    decided_because: Mapped[str | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    decision_recorded_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_at: Mapped[datetime | None]
    end_recorded_at: Mapped[datetime | None]


class DeviationWording(Table):
    """A fact: what a proposal said from then on, and who wrote it; the last one is what can be approved."""

    __tablename__ = "deviation_wording"
    __table_args__ = (UniqueConstraint("deviation_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deviation_id: Mapped[int] = mapped_column(ForeignKey("deviation.id"))
    number: Mapped[int]
    revision: Mapped[int]
    step: Mapped[str]
    instead: Mapped[str]
    why: Mapped[str]
    reference: Mapped[str]
    teams: Mapped[list[str]]
    control: Mapped[str]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    content_hash: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
