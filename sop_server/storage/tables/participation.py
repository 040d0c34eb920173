"""What people do with SOPs in force: reviews, acknowledgements, feedback, and searches that found nothing."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Review(Table):
    """A fact: somebody decided whether a revision still describes reality."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"), index=True)
    revision: Mapped[int]
    outcome: Mapped[str]
    note: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    bulk: Mapped[bool]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Acknowledgement(Table):
    """A fact: one person read and understood one revision."""

    __tablename__ = "acknowledgement"
    __table_args__ = (
        UniqueConstraint("sop_id", "revision", "person_id"),
        Index("ix_acknowledgement_person", "person_id", "sop_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    revision: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Feedback(Table):
    """A reader's report on a SOP, and what became of it; the triage is written once."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_sop_triaged", "sop_id", "triaged_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it from the class
    sop_id: Mapped[str | None] = mapped_column(ForeignKey("sop.id"))
    revision: Mapped[int | None]
    kind: Mapped[str]
    case_reference: Mapped[str]
    what_happened: Mapped[str]
    what_was_done: Mapped[str]
    reporter_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    triage_outcome: Mapped[str | None]
    triage_reason: Mapped[str | None]
    triaged_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    triaged_at: Mapped[datetime | None]
    triage_recorded_at: Mapped[datetime | None]


class MissedSearch(Table):
    """Words that found nothing, how often, and never who typed them."""

    __tablename__ = "missed_search"

    words: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
