import json
from pathlib import Path

from tests.cli.conftest import Run


def test_tickets_come_from_csv_and_json_and_a_bad_row_hides_no_other(ready: Run, tmp_path: Path) -> None:
    table = tmp_path / "tickets.csv"
    table.write_text(
        "source,key,title,effective_at\njira,A-1,One,2026-01-05T08:00:00Z\njira,A-2,Two,soon\njira,A-3,Three,\n",
        encoding="utf-8",
    )
    told = ready("tickets", "import", str(table))
    assert told.exit_code == 0
    assert "2 tickets registered, 0 updated, 0 unchanged, 1 skipped" in told.stdout
    assert "line 3:" in told.stdout
    again = ready("tickets", "import", str(table))
    assert "0 tickets registered, 0 updated, 2 unchanged" in again.stdout
    listed = tmp_path / "tickets.json"
    listed.write_text(json.dumps([{"source": "jira", "key": "A-1", "title": "One, corrected"}]), encoding="utf-8")
    assert "0 tickets registered, 1 updated" in ready("tickets", "import", str(listed)).stdout


def test_a_file_whose_columns_are_wrong_imports_nothing(ready: Run, tmp_path: Path) -> None:
    table = tmp_path / "x.csv"
    table.write_text("source,key,titel\njira,A-1,One\n", encoding="utf-8")
    refused = ready("tickets", "import", str(table))
    assert refused.exit_code == 1
    assert "title" in refused.stderr
    assert ready("processes", "import", str(table)).exit_code == 1
    assert ready("tickets", "import", str(tmp_path / "missing.csv")).exit_code == 1


def test_processes_come_from_csv_twice_alike(ready: Run, tmp_path: Path) -> None:
    table = tmp_path / "processes.csv"
    table.write_text("name,department,criticality\nRefunds,payments,critical\n", encoding="utf-8")
    assert "1 processes registered" in ready("processes", "import", str(table)).stdout
    assert "1 unchanged" in ready("processes", "import", str(table)).stdout
    report = json.loads(ready("report", "coverage", "--format", "json").stdout)
    assert [process["process_id"] for process in report["undocumented"]] == ["PROC-001"]
