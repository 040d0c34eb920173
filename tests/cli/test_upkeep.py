import shutil
import subprocess
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


def put_past_the_server(home: Path, work: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(home / "library.git"), str(work)], check=True)
    (work / "README.md").write_text("mine", encoding="utf-8")
    identity = ["-c", "user.name=Mallory", "-c", "user.email=m@example.com"]
    subprocess.run(["git", "add", "-A"], cwd=work, check=True)
    subprocess.run(["git", *identity, "commit", "-q", "-m", "Mine"], cwd=work, check=True)
    subprocess.run(["git", "fetch", "-q", str(work), "main:main"], cwd=home / "library.git", check=True)


def test_a_stray_commit_is_told_with_what_to_do_and_a_repair_makes_the_home_whole(
    filled: Run, home: Path, tmp_path: Path
) -> None:
    put_past_the_server(home, tmp_path / "work")
    filled("sync")
    told = filled("check")
    assert told.exit_code == 1
    assert "not approved here" in told.stdout
    assert "check --repair" in told.stdout

    repaired = filled("check", "--repair")
    assert (repaired.exit_code, filled("check").exit_code) == (0, 0)
    assert "Mended: main had what nobody approved at README.md" in repaired.stdout
    assert "It is history" in filled("check").stdout

    file = tmp_path / "all.backup"
    filled("backup", str(file))
    assert run(tmp_path / "elsewhere", "restore", str(file)).exit_code == 0


def test_a_main_that_was_set_back_is_mended(filled: Run, home: Path) -> None:
    library = home / "library.git"
    subprocess.run(["git", "update-ref", "-d", "refs/heads/main"], cwd=library, check=True)
    assert filled("check").exit_code == 1

    repaired = filled("check", "--repair")

    assert repaired.exit_code == 0
    assert "moved forward again" in repaired.stdout
    assert filled("check").exit_code == 0


def test_a_left_lock_file_is_told_and_removed(filled: Run, home: Path) -> None:
    (home / "library.git/refs/drafts").mkdir(exist_ok=True)
    (home / "library.git/refs/drafts/7.lock").touch()
    told = filled("check")
    assert told.exit_code == 1
    assert "refs/drafts/7.lock" in told.stdout

    assert "Mended: Removed" in filled("check", "--repair").stdout
    assert filled("check").exit_code == 0
