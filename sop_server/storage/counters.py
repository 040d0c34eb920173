"""Numbers that are given once: no process remembers them, the database does."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import Counter


def next_number(session: Session, series: str) -> int:
    """Return the next number of `series`, from 1; never given again once the transaction is committed."""
    return next_numbers(session, series, 1)[0]


def next_numbers(session: Session, series: str, count: int) -> range:
    """Return the next `count` numbers of `series`."""
    counter = session.scalar(select(Counter).where(Counter.name == series).with_for_update())
    if counter is None:
        counter = Counter(name=series, value=0)
        session.add(counter)
    first = counter.value + 1
    counter.value += count
    session.flush()
    return range(first, first + count)


def pass_number(session: Session, series: str, number: int) -> None:
    """Have the next number of `series` lie above `number`, which somebody else has given already."""
    counter = session.scalar(select(Counter).where(Counter.name == series).with_for_update())
    if counter is None:
        session.add(Counter(name=series, value=number))
    else:
        counter.value = max(counter.value, number)
    session.flush()
