"""What one person published alone in an emergency, and what a second one said of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table

Kept = JSON(none_as_null=True)
"""A column of JSON that holds nothing where there is nothing."""


class BrokenGlass(Table):
    """A revision that came into force without an approval; the answer is written once.

    `departments` are those that its draft touched, null among them where it had none. Names are those of that time.
    """

    __tablename__ = "broken_glass"
    __table_args__ = (UniqueConstraint("sop_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sop_id: Mapped[str] = mapped_column(ForeignKey("sop.id"))
    revision: Mapped[int]
    intent_id: Mapped[int] = mapped_column(ForeignKey("publish_intent.id"), unique=True)
    departments: Mapped[list[Any]] = mapped_column(JSON)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    reason: Mapped[str]
    content_hash: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answer_name: Mapped[str | None]
    answer_reason: Mapped[str | None]
    answer_signature: Mapped[dict[str, Any] | None] = mapped_column(Kept)
    answered_at: Mapped[datetime | None]
    answer_recorded_at: Mapped[datetime | None]
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("draft.id"))
