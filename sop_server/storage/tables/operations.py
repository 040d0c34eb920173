"""What keeps the system itself honest: counters, the audit chain, the outbox, findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class Counter(Table):
    """The last number given out in a series; numbers are never given twice."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class Mark(Table):
    """How far something has come, such as the commit of `main` that the projection stands at."""

    __tablename__ = "mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class AuditEvent(Table):
    """One link of the audit chain: `hash` covers everything in it and the hash before it."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("ix_audit_event_subject", "subject"), Index("ix_audit_event_actor", "actor", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]
    previous_hash: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)


class OutboxItem(Table):
    """Something to do after the answer; `key` keeps it from being asked for twice."""

    __tablename__ = "outbox_item"
    __table_args__ = (Index("ix_outbox_item_open", "done_at", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    error: Mapped[str | None]
    done_at: Mapped[datetime | None]


class Finding(Table):
    """Something the scan discovered; closed when a later scan no longer finds it."""

    __tablename__ = "finding"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    subject: Mapped[str]
    department: Mapped[str | None]
    why: Mapped[str]
    next_step: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
