import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.storage import audit, schema
from sop_server.storage.database import Database, sqlite_url

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from sop_server.storage import audit
from sop_server.storage.database import Database, sqlite_url

database = Database(sqlite_url(Path(sys.argv[1])))

def write(number):
    with database.write() as session:
        audit.record(session, at=datetime.now(UTC), actor=sys.argv[2], action="a", subject=str(number))

with ThreadPoolExecutor(2) as pool:
    list(pool.map(write, range(20)))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = Database(sqlite_url(tmp_path / "sop.db"))
    schema.upgrade(database)
    database.close()
    return tmp_path / "sop.db"


def test_the_chain_stays_whole_while_processes_and_threads_append_to_it(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("one", "two")]
    database = Database(sqlite_url(path))

    def write(number: int) -> None:
        with database.write() as session:
            audit.record(session, at=NOON, actor="here", action="a", subject=str(number), details={"n": number})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(20)))

    assert [writer.wait() for writer in writers] == [0, 0]
    with database.read() as session:
        assert audit.first_broken_link(session) is None
        assert len(list(audit.events(session, limit=1000))) == 60
    database.close()


def test_events_are_told_newest_first_by_subject(path: Path) -> None:
    database = Database(sqlite_url(path))
    with database.write() as session:
        for number in range(4):
            audit.record(session, at=NOON, actor="x", action=f"a{number}", subject=f"s{number % 2}")

    with database.read() as session:
        assert [event.action for event in audit.events(session, subject="s1")] == ["a3", "a1"]
        assert [event.action for event in audit.events(session, before_id=3)] == ["a1", "a0"]
    database.close()


def test_what_is_rolled_back_leaves_no_gap(path: Path) -> None:
    database = Database(sqlite_url(path))
    with database.write() as session:
        audit.record(session, at=NOON, actor="x", action="lost", subject="s")
        session.rollback()
    with database.write() as session:
        audit.record(session, at=NOON, actor="x", action="kept", subject="s")

    with database.read() as session:
        assert [event.action for event in audit.events(session)] == ["kept"]
        assert audit.first_broken_link(session) is None
    database.close()
