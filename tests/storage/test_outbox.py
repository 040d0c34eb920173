from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sop_server.storage import outbox, schema
from sop_server.storage.database import Database, Session, sqlite_url

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database(sqlite_url(tmp_path / "sop.db"))
    schema.upgrade(database)
    with database.write() as opened:
        yield opened
    database.close()


def test_what_was_asked_for_once_is_not_asked_for_again(session: Session) -> None:
    for _ in range(2):
        outbox.post(session, key="index:SOP-0001:r1", kind="index", payload={"sop_id": "SOP-0001"}, now=NOON)

    (item,) = outbox.due(session, now=NOON, kind="index")
    outbox.done(item, now=NOON)
    outbox.post(session, key="index:SOP-0001:r1", kind="index", payload={}, now=NOON)

    assert outbox.open_count(session) == 0


def test_items_are_due_oldest_first_and_by_kind(session: Session) -> None:
    for number, kind in enumerate(["a", "b", "a"]):
        outbox.post(session, key=str(number), kind=kind, payload={"n": number}, now=NOON)

    assert [item.payload["n"] for item in outbox.due(session, now=NOON, kind="a")] == [0, 2]
    assert list(outbox.due(session, now=NOON - timedelta(seconds=1), kind="a")) == []
    assert len(outbox.due(session, now=NOON, kind="a", limit=1)) == 1


def test_what_failed_waits_twice_as_long_each_time_and_an_hour_at_most(session: Session) -> None:
    outbox.post(session, key="1", kind="a", payload={}, now=NOON)
    (item,) = outbox.due(session, now=NOON, kind="a")
    waits = []
    for _ in range(14):
        outbox.put_off(session, item.id, error="no answer", now=NOON)
        waits.append(item.due_at - NOON)

    assert waits[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]
    assert waits[-1] == timedelta(hours=1)
    assert list(outbox.due(session, now=NOON, kind="a")) == []
    assert outbox.open_count(session) == 1
    assert item.error == "no answer"


def test_what_is_done_is_open_to_nobody(session: Session) -> None:
    outbox.post(session, key="1", kind="a", payload={}, now=NOON)
    (item,) = outbox.due(session, now=NOON, kind="a")
    outbox.mark_done(session, [item.id], now=NOON)

    assert outbox.open_item(session, item.id) is None
