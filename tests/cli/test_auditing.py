import json
import sqlite3
from pathlib import Path

from tests.cli.conftest import Run


def forge(home: Path, statement: str) -> None:
    with sqlite3.connect(home / "sop.db") as connection:
        for name in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_event_no_{name}")
        connection.execute(statement)
    connection.close()


def test_the_head_is_one_line_that_verifies_later(ready: Run) -> None:
    head = ready("audit", "head").stdout
    number, sealed, at = head.split()
    assert number.isdigit()
    assert len(sealed) == 64
    assert at.endswith("Z")
    assert ready("user", "add", "nora@example.com", "--name", "Nora", "--role", "reader").exit_code == 0

    verified = ready("audit", "verify", head.strip())

    assert verified.exit_code == 0
    assert "verified up to event" in verified.stdout
    assert ready("audit", "head").stdout.split()[1] != sealed


def test_a_head_that_was_carried_away_finds_that_the_newest_events_are_gone(ready: Run, home: Path) -> None:
    # After the first anchor, and before the next one.
    assert ready("user", "add", "nora@example.com", "--name", "Nora", "--role", "reader").exit_code == 0
    head = ready("audit", "head").stdout.strip()
    forge(home, "DELETE FROM audit_event WHERE id = (SELECT max(id) FROM audit_event)")
    assert ready("audit", "verify").exit_code == 0

    told = ready("audit", "verify", head)

    assert told.exit_code == 1
    assert f"audit event {head.split(maxsplit=1)[0]}, which is gone" in told.stdout


def test_a_changed_event_ends_with_1_and_names_it(ready: Run, home: Path) -> None:
    forge(home, "UPDATE audit_event SET actor = 'mallory' WHERE id = 1")

    told = ready("audit", "verify")

    assert told.exit_code == 1
    assert "audit event 1" in told.stdout


def test_a_line_that_no_head_is_is_refused(ready: Run) -> None:
    told = ready("audit", "verify", "12 abc now")

    assert told.exit_code == 1
    assert "is not a line of `sop-server audit head`" in told.stderr


def test_the_trail_is_exported_with_the_filters_of_the_page(ready: Run) -> None:
    events = json.loads(ready("audit", "export").stdout)
    assert events[0]["action"] == "export.made"
    assert events[0]["actor"] == "command line"
    assert json.loads(ready("audit", "export", "--until", "2020-01-01T00:00:00Z").stdout) == []
    some = json.loads(ready("audit", "export", "--action", "person.", "--since", "2020-01-01T00:00:00Z").stdout)
    assert {one["action"] for one in some} == {"person.added"}
    assert ready("audit", "export", "--format", "csv").stdout.startswith("\ufeffid,at,actor")
    assert ready("audit", "export", "--since", "yesterday").exit_code == 1


def test_a_backup_is_told_in_the_trail(ready: Run, tmp_path: Path) -> None:
    assert ready("backup", str(tmp_path / "all.tgz")).exit_code == 0

    (told,) = json.loads(ready("audit", "export", "--action", "backup.").stdout)

    assert (told["actor"], told["subject"]) == ("command line", "all.tgz")


def test_a_report_for_a_program_is_told_in_the_trail_and_one_for_the_eyes_is_not(ready: Run) -> None:
    for form in ("table", "csv", "json"):
        assert ready("report", "window", "--days", "30", "--format", form).exit_code == 0

    told = json.loads(ready("audit", "export", "--action", "export.").stdout)

    assert [one["subject"] for one in told] == ["audit.json", "window.json", "window.csv"]
    assert told[-1]["details"] == {"days": "30"}
