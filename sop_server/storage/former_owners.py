"""When the addresses were active that revisions name and whose people were erased: reports go on as they were."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import FormerOwner

Row = tuple[int, int, str, bool, datetime, datetime]
"""As of a person's states: its number, who, the address, whether active, when it happened and was recorded."""


def former_owners(session: Session, emails: Collection[str] | None = None) -> Sequence[Row]:
    """Return the states of all these addresses, or of some; each as somebody of its own, with a number below zero.

    Where somebody else was given an address since, theirs are the last words: so these come before them.
    """
    query = select(FormerOwner).order_by(FormerOwner.id)
    if emails is not None:
        query = query.where(FormerOwner.address.in_(sorted(emails)))
    rows = session.scalars(query).all()
    numbers: dict[str, int] = {}
    for row in rows:
        numbers.setdefault(row.address, -len(numbers) - 1)
    return [(row.id, numbers[row.address], row.address, row.active, row.happened_at, row.recorded_at) for row in rows]
