"""The second factor of a person, where they have one."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class TotpKey(Table):
    """The key that a person's phone makes codes with, sealed; it counts once `confirmed_at` says so.

    `last_step` is the time step of the last code that was taken, so that none is taken twice.
    """

    __tablename__ = "totp_key"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, autoincrement=False)
    sealed_key: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int]


class RecoveryCode(Table):
    """A code on paper, for once, in place of the phone; only its SHA-256 is kept."""

    __tablename__ = "recovery_code"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    used_at: Mapped[datetime | None]
