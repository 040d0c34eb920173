import json
from pathlib import Path

import pytest

from tests.cli.conftest import ADMIN, Run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    (folder / "README.md").write_text("# Welcome\n\nTo the quokka desk.\n", encoding="utf-8")
    (folder / "deep" / "b.md").write_text('---\nteam: "#a"\n---\n\n# B\n\nText.\n', encoding="utf-8")
    (folder / "bad.md").write_text("---\ntitle: [\n---\n", encoding="utf-8")
    return folder


def test_an_import_reports_what_came_in_and_what_was_skipped(ready: Run, source: Path) -> None:
    told = ready("import", str(source), "--department", "payments", "--owner", ADMIN)
    assert told.exit_code == 0, told.output
    assert "Imported 2 SOPs with 2 revisions" in told.stdout
    assert "bad.md:3: broken YAML" in told.stdout
    assert ready("check").exit_code == 0


def test_the_report_as_json_has_everything(ready: Run, source: Path) -> None:
    told = json.loads(ready("import", str(source), "--format", "json").stdout)
    assert [sop["path"] for sop in told["imported"]] == ["README.md", "deep/b.md"]
    assert told["skipped"][0]["line"] == 3
    again = json.loads(ready("import", str(source), "--format", "json").stdout)
    assert (again["imported"], again["unchanged"]) == ([], 2)


def test_a_mapping_file_is_used_and_a_bad_one_imports_nothing(ready: Run, source: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text('owner: team\nvalues:\n  owner: {"#a": asha@example.com}\n', encoding="utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text("colour: red\n", encoding="utf-8")
    refused = ready("import", str(source), "--map", str(bad))
    assert refused.exit_code == 1
    assert "“colour”" in refused.stderr
    assert ready("import", str(source), "--map", str(mapping)).exit_code == 0


def test_the_administrator_who_approves_can_be_named(ready: Run, source: Path) -> None:
    refused = ready("import", str(source), "--as", "nobody@example.com")
    assert refused.exit_code == 1
    assert "not an administrator" in refused.stderr
    assert ready("import", str(source), "--as", ADMIN).exit_code == 0


def test_a_source_or_a_history_that_is_not_there_is_told(ready: Run, source: Path) -> None:
    assert ready("import", str(source / "missing")).exit_code == 1
    refused = ready("import", str(source), "--history")
    assert refused.exit_code == 1
    assert "not a git repository" in refused.stderr
