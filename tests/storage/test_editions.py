"""The mark that tells a process whether what it keeps is still what the record says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from sop_server.storage import schema
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.editions import edition
from sop_server.storage.tables import Acknowledgement, Department, Mark, Person, PublishIntent, Revision, Sop

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class _Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def database(tmp_path: Path, clock: _Clock) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "sop.db"), clock=clock)
    schema.upgrade(made)
    yield made
    made.close()


def told(database: Database, now: datetime = NOW) -> str | None:
    with database.read() as session:
        return edition(session, now)


def test_reading_alone_makes_no_new_edition(database: Database) -> None:
    assert told(database) is not None
    assert told(database) == told(database, NOW + 1000 * HOUR)


def test_every_way_of_writing_what_readers_see_makes_a_new_edition(database: Database) -> None:
    seen = [told(database)]
    with database.write() as session:
        session.add(Department(slug="payments", name="Payments", created_at=NOW))
    seen.append(told(database))
    with database.write() as session:
        session.execute(update(Department).values(name="Paying"))
    seen.append(told(database))
    with database.write() as session:
        row = session.scalars(select(Department)).one()
        row.name = "Payments"
    seen.append(told(database))
    with database.write() as session:
        session.execute(delete(Department))
    seen.append(told(database))

    assert len(set(seen)) == 5


def test_what_belongs_to_one_person_makes_no_new_edition(database: Database) -> None:
    with database.write() as session:
        session.add(Sop(id="SOP-0001", number=1, path="a.md", created_at=NOW))
        session.add(Person(id=1, email="asha@example.com", name="Asha", created_at=NOW))
    before = told(database)

    with database.write() as session:
        session.add(Acknowledgement(sop_id="SOP-0001", revision=1, person_id=1, happened_at=NOW, recorded_at=NOW))

    assert told(database) == before


def test_what_was_not_committed_makes_no_new_edition(database: Database) -> None:
    before = told(database)

    with pytest.raises(RuntimeError), database.write() as session:  # noqa: PT012 - it fails after it wrote
        session.add(Department(slug="payments", name="Payments", created_at=NOW))
        session.flush()
        raise RuntimeError
    with database.write() as session:
        session.execute(select(Department))

    assert told(database) == before


def test_what_is_committed_before_an_error_makes_a_new_edition(database: Database) -> None:
    before = told(database)

    with pytest.raises(RuntimeError), database.write() as session:  # noqa: PT012 - it fails after it committed
        session.add(Department(slug="payments", name="Payments", created_at=NOW))
        session.commit()
        raise RuntimeError

    assert told(database) != before


def test_nothing_is_kept_as_of_an_instant_before_the_last_change_nor_by_who_writes(
    database: Database, clock: _Clock
) -> None:
    clock.now = NOW + HOUR
    with database.write() as session:
        session.add(Department(slug="payments", name="Payments", created_at=NOW))
        session.flush()
        assert edition(session, NOW + 2 * HOUR) is None
    clock.now = NOW
    with database.write() as session:
        session.execute(update(Department).values(name="Paying"))

    assert told(database, NOW + HOUR - timedelta(seconds=1)) is None, "a clock that lags behind forgets nothing"
    assert told(database, NOW + HOUR) is not None


def test_a_revision_that_comes_into_force_by_itself_makes_a_new_edition(database: Database) -> None:
    with database.write() as session:
        session.add(Sop(id="SOP-0001", number=1, path="a.md", created_at=NOW))
        session.flush()
        session.add(PublishIntent(id=1, **_EMPTY_INTENT))
        session.flush()
        session.add(Revision(**_EMPTY_REVISION, effective_from=NOW + HOUR))
    before = told(database)

    assert told(database, NOW + HOUR - timedelta(seconds=1)) == before
    assert told(database, NOW + HOUR) != before
    assert told(database, NOW + HOUR) == told(database, NOW + 2 * HOUR)


def test_another_process_sees_the_edition_of_the_one_that_wrote(database: Database) -> None:
    other = Database(database.url)
    before = told(other)
    with database.write() as session:
        session.add(Department(slug="payments", name="Payments", created_at=NOW))

    assert told(other) != before
    assert told(other) == told(database)
    other.close()


def test_a_database_of_before_there_were_editions_has_one_too(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(Mark))

    assert told(database) is not None


_EMPTY_INTENT = {
    "state": "done",
    "sop_id": "SOP-0001",
    "revision": 1,
    "kind": "edit",
    "significance": "major",
    "path": "a.md",
    "content_hash": "",
    "blob_oid": "",
    "change_summary": "",
    "author_name": "",
    "author_email": "",
    "authors": [],
    "approvals": [],
    "tickets": [],
    "authored_at": NOW,
    "approved_at": NOW,
    "effective_from": NOW,
    "created_at": NOW,
}
_EMPTY_REVISION = {
    "sop_id": "SOP-0001",
    "number": 1,
    "kind": "edit",
    "significance": "major",
    "content_hash": "",
    "blob_oid": "",
    "commit_oid": "",
    "intent_id": 1,
    "path": "a.md",
    "title": "A",
    "processes": [],
    "systems": [],
    "audience": [],
    "tags": [],
    "links": [],
    "path_links": [],
    "review_every_days": 365,
    "change_summary": "",
    "author_name": "",
    "author_email": "",
    "approved_at": NOW,
    "recorded_at": NOW,
}
