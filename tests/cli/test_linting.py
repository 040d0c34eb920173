import subprocess
import sys
from pathlib import Path

import pytest

from sop_server.resources import resource
from tests.cli.conftest import Run

GOOD = "---\ntitle: Good\ndepartment: payments\nowner: asha@example.com\n---\n\nText.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "clone"
    place.mkdir()
    return place


def test_files_without_problems_end_with_nothing_and_zero(sop: Run, folder: Path) -> None:
    (folder / "good.md").write_text(GOOD, encoding="utf-8")
    for path in (folder, folder / "good.md"):
        told = sop("lint", str(path))
        assert (told.exit_code, told.output) == (0, "")


def test_an_error_is_told_with_file_and_line_and_ends_with_one(sop: Run, folder: Path) -> None:
    bad = folder / "bad file.md"
    bad.write_text("---\ntitle: Bad\nid: 42\n---\n\nText.\n", encoding="utf-8")
    told = sop("lint", str(bad))
    assert told.exit_code == 1
    assert f"{bad}:3: id:" in told.stdout


def test_warnings_alone_end_with_zero(sop: Run, folder: Path) -> None:
    (folder / "a.md").write_text("---\ntitle: No owner\n---\n\nText.\n", encoding="utf-8")
    told = sop("lint", str(folder))
    assert told.exit_code == 0
    assert "warning: owner" in told.stdout


def test_a_folder_is_looked_at_as_a_whole_and_one_bad_file_hides_no_other(sop: Run, folder: Path) -> None:
    same = GOOD.replace("title:", "id: SOP-0001\ntitle:")
    (folder / "a.md").write_text(same, encoding="utf-8")
    (folder / "b.md").write_text(same, encoding="utf-8")
    (folder / "binary.md").write_bytes(b"\xff\xfe\x00")
    (folder / "-x.md").write_text("---\nowner: [\n---\n", encoding="utf-8")
    told = sop("lint", str(folder))
    assert told.exit_code == 1
    assert f"{folder}/b.md:2: id: SOP-0001 is also the id of {folder}/a.md" in told.stdout
    assert f"{folder}/binary.md:1:" in told.stdout
    assert f"{folder}/-x.md:" in told.stdout


def test_a_name_cannot_steer_the_terminal(sop: Run, folder: Path) -> None:
    (folder / "a\x1b[31m\nb.md").write_text("", encoding="utf-8")
    told = sop("lint", str(folder))
    assert "\x1b" not in told.stdout
    assert f"{folder}/a\\x1b[31m\\nb.md:1:" in told.stdout


def test_a_path_that_is_not_there_is_wrong_usage(sop: Run, folder: Path) -> None:
    assert sop("lint", str(folder / "missing.md")).exit_code == 2


def test_the_example_library_has_no_errors(sop: Run) -> None:
    told = sop("lint", str(resource("sops")))
    assert told.exit_code == 0, told.stdout


def test_the_linter_loads_neither_the_database_nor_the_web_server() -> None:
    script = "import sys; from sop_server.cli import linting; print(*sorted(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "flask", "git", "whoosh", "gunicorn"} & set(told.stdout.split())
