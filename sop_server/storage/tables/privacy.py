"""What is known of who somebody is, apart from what they did, so that it can be forgotten."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sop_server.storage.tables.base import Table


class PersonKey(Table):
    """The key that names a person in the audit chain; once it is forgotten, it leads to nobody."""

    __tablename__ = "person_key"

    key: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    forgotten_at: Mapped[datetime | None]


class FormerOwner(Table):
    """A fact: when an address was active that revisions name and whose person was erased; apart from that person."""

    __tablename__ = "former_owner"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(index=True)
    active: Mapped[bool]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
