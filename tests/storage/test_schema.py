import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from sop_server.errors import DamagedError
from sop_server.storage import audit, migrations, schema
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.tables import Table

STEPS = Path(migrations.__file__).parent
TABLES = set(Table.metadata.tables)
UPGRADE = (
    "import sys; from sop_server.storage import schema; from sop_server.storage.database import Database; "
    "database = Database(sys.argv[1]); sys.stdin.readline(); schema.upgrade(database); "
    "print(schema.is_current(database))"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "sop.db"))
    yield made
    made.close()


def move(database: Database, to: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(STEPS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down or to == "base" else command.upgrade)(config, to)


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Table.metadata))


def shape(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return sorted(connection.scalars(text("SELECT coalesce(sql, name) FROM sqlite_master")))


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_moving_up_from_nothing_gives_exactly_the_tables_of_the_program(database: Database) -> None:
    assert not schema.is_current(database)

    schema.upgrade(database)

    assert schema.is_current(database)
    assert tables(database) == TABLES
    assert differences(database) == []


def test_the_comparison_would_tell_a_column_or_an_index_that_the_steps_lack(database: Database) -> None:
    schema.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_revision_hash"))
        connection.execute(text("ALTER TABLE feedback DROP COLUMN triage_reason"))

    assert len(differences(database)) == 2


def test_the_only_unvoid_intent_of_a_revision_stays_the_only_one(database: Database) -> None:
    schema.upgrade(database)

    (definition,) = [one for one in shape(database) if "uq_publish_intent_sop_revision" in one]

    assert definition.startswith("CREATE UNIQUE INDEX")
    assert definition.endswith("WHERE state <> 'void'")


def test_all_steps_lead_down_and_up_again(database: Database) -> None:
    schema.upgrade(database)
    before = shape(database)

    move(database, "base")

    assert tables(database) == set()
    assert not schema.is_current(database)
    schema.upgrade(database)
    assert shape(database) == before
    assert schema.is_current(database)


@pytest.mark.parametrize("step", ["0001", "0002", "0003", "0004"])
def test_every_step_stands_on_its_own(database: Database, step: str) -> None:
    move(database, step)

    assert not schema.is_current(database)
    assert tables(database) < TABLES
    schema.upgrade(database)
    assert differences(database) == []


def test_proposals_of_before_they_could_be_declined_are_kept(database: Database) -> None:
    move(database, "0005")
    said = (
        "INSERT INTO person (id, email, name, password_hash, created_at) VALUES (1, 'a@example.com', 'A', NULL, :at)",
        "INSERT INTO ticket (id, source, key, recorded_at) VALUES (1, 'jira', 'CHG-1', :at)",
        "INSERT INTO obligation (id, ticket_id, origin, window_hours, recorded_at) VALUES (1, 1, 'triage', 48, :at)",
        "INSERT INTO not_needed (version, obligation_id, reason, proposed_by, proposed_at) VALUES (1, 1, 'No', 1, :at)",
    )
    with database.engine.begin() as connection:
        for one in said:
            connection.execute(text(one), {"at": "2026-03-02 09:00:00.000000"})

    schema.upgrade(database)

    assert differences(database) == []
    again = "INSERT INTO not_needed (version, obligation_id, reason, proposed_by, proposed_at) SELECT 1, 1, 'Yes', 1, "
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(text(f"{again} proposed_at FROM not_needed"))
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE not_needed SET declined_by = 1, declined_at = proposed_at"))
        connection.execute(text(f"{again} proposed_at FROM not_needed"))

    move(database, "0005", down=True)
    with database.engine.connect() as connection:
        assert connection.scalars(text("SELECT reason FROM not_needed")).all() == ["Yes"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'mallory' WHERE id = 1",
        "DELETE FROM audit_event",
        (
            "INSERT OR REPLACE INTO audit_event (id, at, actor, action, subject, details, previous_hash, hash) "
            "VALUES (1, '2026-03-02', 'mallory', 'a', 's', '{}', '', 'other')"
        ),
        (
            "INSERT OR REPLACE INTO audit_event (at, actor, action, subject, details, previous_hash, hash) "
            "SELECT at, 'mallory', action, subject, details, previous_hash, hash FROM audit_event"
        ),
    ],
)
def test_the_database_refuses_to_change_an_audit_event(database: Database, statement: str) -> None:
    schema.upgrade(database)
    with database.write() as session:
        audit.record(session, at=datetime(2026, 3, 2, tzinfo=UTC), actor="asha", action="a", subject="s")

    with pytest.raises(IntegrityError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text(statement))

    with database.read() as session:
        assert [event.actor for event in audit.events(session)] == ["asha"]
        assert audit.first_broken_link(session) is None


def test_who_was_signed_in_stays_so_and_half_a_sign_in_never_becomes_a_whole_one(database: Database) -> None:
    move(database, "0006")
    person = (
        "INSERT INTO person (id, email, name, password_hash, created_at) VALUES (1, 'a@example.com', 'A', NULL, :at)"
    )
    whole = (
        "INSERT INTO web_session (token_hash, person_id, created_at, seen_at, ended_at) "
        "VALUES ('whole', 1, :at, :at, NULL)"
    )
    half = whole.replace("ended_at)", "waits_for)").replace("NULL", "'code'").replace("whole", "half")
    at = {"at": "2026-03-02 09:00:00.000000"}
    with database.engine.begin() as connection:
        connection.execute(text(person), at)
        connection.execute(text(whole), at)

    schema.upgrade(database)

    with database.engine.begin() as connection:
        kept = connection.execute(text("SELECT token_hash, address, browser, waits_for FROM web_session")).all()
        connection.execute(text(half), at)
    assert [tuple(row) for row in kept] == [("whole", "", "", None)]
    move(database, "0006", down=True)
    with database.engine.connect() as connection:
        assert connection.scalars(text("SELECT token_hash FROM web_session")).all() == ["whole"]


def test_moving_up_twice_changes_nothing(database: Database) -> None:
    schema.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(text("INSERT INTO counter (name, value) VALUES ('sop', 7)"))
    before = shape(database)

    schema.upgrade(database)

    assert shape(database) == before
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT value FROM counter WHERE name = 'sop'")) == 7


def test_a_step_that_fails_leaves_the_database_as_it_was(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE review (in_the_way INTEGER)"))

    with pytest.raises(DamagedError, match="as it was"):
        schema.upgrade(database)

    assert tables(database) == {"review"}


def test_processes_that_move_the_database_up_at_once_do_no_harm(database: Database) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, database.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    for one in starters:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate(timeout=60) for one in starters]

    assert told == [("True\n", "")] * 2
    assert differences(database) == []
