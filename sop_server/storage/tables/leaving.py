"""Who left, who stands in for them, and what that left without anybody."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Departure(Table):
    """A fact: somebody's access ended and what they held was handed over; `started_by` is null for the command line."""

    __tablename__ = "departure"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    started_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class HandOver(Table):
    """A fact: from `happened_at` on `successor_id` stands in for who left, on a SOP that still names them.

    `draft_id` is the draft that names the successor, null until the server has written it; where it can not, `problem`
    says why. The end is written once: who left came back, or it was handed over anew.
    """

    __tablename__ = "hand_over"
    __table_args__ = (
        UniqueConstraint("departure_id", "sop_id"),
        Index("ix_hand_over_sop", "sop_id"),
        Index("ix_hand_over_successor", "successor_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    departure_id: Mapped[int] = mapped_column(ForeignKey("departure.id"))
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    successor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"), unique=True)
    problem: Mapped[str | None]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_recorded_at: Mapped[datetime | None]


class DraftKeeper(Table):
    """A fact: from `happened_at` on `keeper_id` sees to a draft that somebody who left began; its authors stay."""

    __tablename__ = "draft_keeper"

    id: Mapped[int] = mapped_column(primary_key=True)
    departure_id: Mapped[int] = mapped_column(ForeignKey("departure.id"))
    draft_id: Mapped[int] = mapped_column(ForeignKey("draft.id"), index=True)
    keeper_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class DepartureGap(Table):
    """A fact: by a departure a department (null: what has none) lost the last person of a role."""

    __tablename__ = "departure_gap"

    id: Mapped[int] = mapped_column(primary_key=True)
    departure_id: Mapped[int] = mapped_column(ForeignKey("departure.id"))
    department: Mapped[str | None]
    role: Mapped[str]
    recorded_at: Mapped[datetime]
