"""The audit trail as a file: what an auditor verifies with the program of the documentation, and nothing else."""

import csv
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ForbiddenError
from sop_server.resources import resource
from sop_server.services.stores import Stores
from sop_server.services.trail.events import AuditFilter
from sop_server.services.trail.exporting import export_trail
from sop_server.storage import audit
from tests.services.conftest import NOW, Cast

ALL = AuditFilter()


def record(stores: Stores, *numbers: int) -> None:
    with stores.database.write() as session:
        for number in numbers:
            at = NOW + timedelta(microseconds=number)
            details = {"why": f"„ü“ \U0001f600 {number}", "b": [1, None, True], "a": {"z": 1, "y": '\n"\\'}}
            audit.record(session, at=at, actor="asha@example.com", action="test.done", subject="ß", details=details)


def program(tmp_path: Path) -> Path:
    documented = (resource("templates").parent / "docs" / "audit-chain.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", documented, re.DOTALL)
    path = tmp_path / "verify.py"
    path.write_text(source, encoding="utf-8")
    return path


def verified(tmp_path: Path, exported: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "audit.json").write_text(exported, encoding="utf-8")
    command = [sys.executable, str(program(tmp_path)), str(tmp_path / "audit.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_of_the_documentation_verifies_an_export(stores: Stores, cast: Cast, tmp_path: Path) -> None:
    record(stores, 0, 1, 2)

    exported = "".join(export_trail(stores, actor=cast.admin, now=NOW, wanted=ALL, form="json"))

    told = verified(tmp_path, exported)
    assert told.returncode == 0, told.stderr
    with stores.database.read() as session:
        head = audit.head(session)
    assert head is not None
    assert told.stdout.splitlines()[-1] == f"{head.id} {head.hash}"


@pytest.mark.parametrize(
    ("was", "becomes"), [('"actor": "P-', '"actor": "Q-'), ("test.done", "test.undone"), ("true", "false")]
)
def test_the_program_of_the_documentation_finds_a_change(
    stores: Stores, cast: Cast, tmp_path: Path, was: str, becomes: str
) -> None:
    record(stores, 0)
    exported = "".join(export_trail(stores, actor=cast.admin, now=NOW, wanted=ALL, form="json"))

    assert "broken at event" in verified(tmp_path, exported.replace(was, becomes)).stderr


def test_the_program_of_the_documentation_has_twenty_lines(tmp_path: Path) -> None:
    assert len([line for line in program(tmp_path).read_text(encoding="utf-8").splitlines() if line]) <= 20


def test_both_forms_hold_the_same_events(stores: Stores, cast: Cast) -> None:
    record(stores, 0, 1)
    wanted = AuditFilter(action="test.")

    told = json.loads("".join(export_trail(stores, actor=cast.admin, now=NOW, wanted=wanted, form="json")))
    text = "".join(export_trail(stores, actor=cast.admin, now=NOW, wanted=wanted, form="csv"))
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline="")))

    parsed = [{name: json.loads(row[name]) for name in ("id", "details", "hashed")} for row in rows]
    assert [{**row, **some} for row, some in zip(rows, parsed, strict=True)] == told
    assert [one["at"] for one in told] == ["2026-03-02T09:00:00.000001Z", "2026-03-02T09:00:00Z"]


def test_an_export_is_read_while_it_is_sent_and_holds_what_there_was_when_it_began(stores: Stores) -> None:
    record(stores, *range(4500))

    parts = export_trail(stores, actor=OPERATOR, now=NOW, wanted=ALL, form="json")
    first = next(parts)
    assert len(first) < 1_000_000
    record(stores, 4501)
    events = json.loads(first + "".join(parts))

    assert len(events) == 4501
    assert [one["id"] for one in events] == sorted((one["id"] for one in events), reverse=True)
    assert events[0]["action"] == "export.made"


def test_an_export_without_events_is_a_whole_file(stores: Stores) -> None:
    wanted = AuditFilter(until=datetime(2020, 1, 1, tzinfo=UTC))

    assert json.loads("".join(export_trail(stores, actor=OPERATOR, now=NOW, wanted=wanted, form="json"))) == []
    assert len("".join(export_trail(stores, actor=OPERATOR, now=NOW, wanted=wanted, form="csv")).splitlines()) == 1


def test_only_administrators_export_and_a_refused_one_is_no_export(stores: Stores, cast: Cast) -> None:
    for somebody in (cast.reader, cast.editor, cast.approver, cast.manager, cast.nobody):
        with pytest.raises(ForbiddenError):
            export_trail(stores, actor=somebody, now=NOW, wanted=ALL, form="json")

    with stores.database.read() as session:
        assert list(audit.events(session, action="export.made")) == []
