import csv
import io
import json
import re
from pathlib import Path

import pytest

from sop_server.services.reports.report_shapes import REPORTS
from tests.cli.conftest import Run


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_printed_for_people_spreadsheets_and_scripts(example: Run, name: str) -> None:
    table, as_json, as_csv = (example("report", name, "--format", form) for form in ("table", "json", "csv"))
    assert table.exit_code == as_json.exit_code == as_csv.exit_code == 0, table.output + as_json.output
    assert table.stdout.startswith("As of ")
    assert json.loads(as_json.stdout)["at"].endswith("Z")
    header, *rows = csv.reader(io.StringIO(as_csv.stdout))
    assert all(len(row) == len(header) for row in rows)


def test_a_report_is_of_the_instant_and_the_period_asked_for(example: Run) -> None:
    told = json.loads(
        example("report", "window", "--days", "30", "--at", "2020-01-01T01:00:00+01:00", "--format", "json").stdout
    )
    assert (told["at"], told["days"], told["compliance"]) == ("2020-01-01T00:00:00Z", 30, None)


@pytest.mark.parametrize("arguments", [("--at", "yesterday"), ("--at", "2026-01-01T00:00:00"), ("--days", "0")])
def test_an_instant_or_a_period_that_cannot_be_is_refused(example: Run, arguments: tuple[str, ...]) -> None:
    refused = example("report", "drift", *arguments)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")
    assert refused.stdout == ""


def test_facts_that_came_late_are_counted_and_named(ready: Run, tmp_path: Path) -> None:
    listed = tmp_path / "tickets.csv"
    listed.write_text("source,key,title,created_at\njira,LATE-1,Late,2020-01-01T00:00:00Z\n", encoding="utf-8")
    assert ready("tickets", "import", str(listed)).exit_code == 0

    past = ready("report", "drift", "--at", "2020-06-01T00:00:00Z").stdout

    assert "Happened by then, recorded after it, and not in it: tickets 1.\n" in past
    assert "recorded after it" not in ready("report", "drift").stdout


def test_a_drift_score_comes_with_its_caps_its_formula_and_what_would_raise_it(example: Run) -> None:
    told = json.loads(example("report", "drift", "--format", "json").stdout)
    read = list(csv.DictReader(io.StringIO(example("report", "drift", "--format", "csv").stdout)))
    shown = example("report", "drift").stdout

    assert list(read[0])[:7] == ["at", "score", "band", "component", "weight", "q", "lost"]
    parts, held = [row for row in read if row["component"]], [row for row in read if not row["component"]]
    assert [row["component"] for row in parts] == [part["name"] for part in told["components"]]
    assert told["caps"], "the example is held down by something"
    assert [(row["cap_limit"], row["cap_reason"]) for row in held] == [
        (str(cap["limit"]), cap["reason"]) for cap in told["caps"]
    ]
    assert {(row["score"], row["formula_version"], row["would_raise_most"]) for row in read} == {
        (str(told["score"]), str(told["formula_version"]), told["would_raise_most"])
    }
    assert f"\nFormula version {told['formula_version']}.\n" in shown
    listed = shown[shown.index("component ") :].strip().splitlines()
    assert len(listed) == 1 + len(parts), "a cap stands in its sentence, and leaves no empty row"


def test_a_band_is_told_in_words(example: Run) -> None:
    told = example("report", "drift").stdout
    assert re.search(r"^Drift score: [\d.]+ of 10, (healthy|at risk|failure)\.$", told, re.MULTILINE), told
