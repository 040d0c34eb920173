import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from sop_server.errors import ConflictError
from sop_server.storage import counters, schema
from sop_server.storage.database import Database, is_writing, sqlite_url
from sop_server.storage.tables import Person

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "sop.db"))
    schema.upgrade(made)
    yield made
    made.close()


def person(email: str, *, at: datetime = NOON) -> Person:
    return Person(email=email, name="A", password_hash=None, created_at=at)


@pytest.mark.parametrize(
    "instant",
    [
        NOON,
        NOON.replace(microsecond=0),
        NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_an_instant_comes_back_in_utc_to_the_microsecond(database: Database, instant: datetime) -> None:
    with database.write() as session:
        session.add(person("a@example.com", at=instant))
    with database.read() as session:
        found = session.scalars(select(Person.created_at)).one()

    assert found == instant
    assert found.tzinfo is UTC


def test_an_instant_without_a_zone_cannot_be_stored(database: Database) -> None:
    with pytest.raises(StatementError), database.write() as session:
        session.add(person("a@example.com", at=datetime(2026, 3, 1)))  # noqa: DTZ001 - what is refused


def test_an_instant_can_be_nothing(database: Database) -> None:
    with database.read() as session:
        assert session.scalar(select(Person.created_at)) is None


def test_a_reader_sees_one_state_while_a_writer_commits(database: Database) -> None:
    with database.read() as reader:
        assert reader.scalars(select(Person.email)).all() == []
        with database.write() as writer:
            writer.add(person("a@example.com"))
        assert reader.scalars(select(Person.email)).all() == []
    with database.read() as reader:
        assert reader.scalars(select(Person.email)).all() == ["a@example.com"]


def test_an_exception_rolls_everything_back(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.write() as session:
            session.add(person("a@example.com"))
            session.flush()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_after_writing()

    with database.read() as session:
        assert session.scalars(select(Person.email)).all() == []


def test_the_same_thing_twice_is_a_conflict_that_a_person_understands(database: Database) -> None:
    with pytest.raises(ConflictError), database.write() as session:
        session.add_all([person("a@example.com"), person("a@example.com")])


def test_only_a_writing_transaction_is_one(database: Database) -> None:
    with database.read() as session:
        assert not is_writing(session)
    with database.write() as session:
        assert is_writing(session)


def test_numbers_are_given_once_however_many_ask(database: Database) -> None:
    given: list[int] = []

    def take() -> None:
        for _ in range(10):
            with database.write() as session:
                given.append(counters.next_number(session, "sop"))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(given) == list(range(1, 41))


def test_a_number_that_somebody_else_gave_is_passed(database: Database) -> None:
    with database.write() as session:
        counters.pass_number(session, "sop", 41)
        counters.pass_number(session, "sop", 7)
        assert list(counters.next_numbers(session, "sop", 2)) == [42, 43]
        assert counters.next_number(session, "other") == 1
