import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ADMIN, Run, run


@pytest.fixture
def filled(ready: Run, tmp_path: Path) -> Run:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.md").write_text("# A\n\nText.\n", encoding="utf-8")
    assert ready("import", str(source)).exit_code == 0
    return ready


def test_a_sound_home_agrees_and_has_nothing_to_bring_up(filled: Run) -> None:
    assert "agree" in filled("check").stdout
    assert "up to main" in filled("sync").stdout
    assert "with 1 SOPs" in filled("reindex").stdout
    scanned = filled("scan")
    assert scanned.exit_code == 0
    assert "findings opened" in scanned.stdout
    assert "0 findings opened" in filled("scan").stdout


def test_a_lost_index_is_told_and_repaired(filled: Run, home: Path) -> None:
    shutil.rmtree(home / "index")
    (home / "index").mkdir()
    told = filled("check")
    assert told.exit_code == 1
    assert "Problem: " in told.stdout
    repaired = filled("check", "--repair")
    assert repaired.exit_code == 0
    assert filled("check").exit_code == 0


def test_a_backup_is_restored_into_a_new_home_and_proven(filled: Run, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "all.backup", tmp_path / "elsewhere"
    assert filled("backup", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    restored = run(elsewhere, "restore", str(file))
    assert restored.exit_code == 0, restored.output
    assert "Restored into" in restored.stdout
    assert run(elsewhere, "check").exit_code == 0
    assert run(elsewhere, "token", "create", ADMIN).exit_code == 0


def test_a_restore_writes_over_nothing_and_takes_no_broken_file(filled: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    filled("backup", str(file))
    over = run(home, "restore", str(file))
    assert over.exit_code == 1
    assert "not empty" in over.stderr
    cut = tmp_path / "cut.backup"
    cut.write_bytes(file.read_bytes()[:2000])
    for bad in (cut, tmp_path / "missing.backup"):
        refused = run(tmp_path / "fresh", "restore", str(bad))
        assert refused.exit_code == 1
        assert not (tmp_path / "fresh").exists()
