import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sop_server.resources import resource
from sop_server.storage.git.library import Library, NewCommit

Commit = Callable[..., NewCommit]
Publish = Callable[..., str]

# Stands where `sop-server` is installed: what the hook hands it, and what it does with the answer, is the hook's.
LINTER = """\
#!/bin/sh
[ "$1" = lint ] && [ "$2" = . ] || exit 64
[ -z "${GIT_DIR+x}${GIT_INDEX_FILE+x}" ] || exit 65
grep -rn BAD . | sort | sed 's/BAD.*/problem/' | grep . && exit 1
exit 0
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Git's tools and a shell, and no Python."""
    programs, temporary = tmp_path / "programs", tmp_path / "temporary"
    programs.mkdir()
    temporary.mkdir()
    for name in ("git", "sh", "cat", "cp", "sed", "grep", "sort", "mktemp", "rm", "mkdir"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    return {
        "PATH": str(programs),
        "HOME": str(tmp_path),
        "TMPDIR": str(temporary),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Dana",
        "GIT_AUTHOR_EMAIL": "dana@example.com",
        "GIT_COMMITTER_NAME": "Dana",
        "GIT_COMMITTER_EMAIL": "dana@example.com",
    }


@pytest.fixture
def clone(library: Library, publish: Publish, tmp_path: Path, environment: dict[str, str]) -> Path:
    publish("care/refunds.md", b"# Refunds\n")
    subprocess.run(["git", "clone", "--quiet", str(library.path), str(tmp_path / "clone")], check=True, env=environment)
    return tmp_path / "clone"


def git(clone: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=clone, env=environment, check=False, capture_output=True, text=True, timeout=60
    )


def install_pre_commit(clone: Path) -> None:
    (clone / ".git/hooks").mkdir(exist_ok=True)
    target = clone / ".git/hooks/pre-commit"
    target.write_bytes((resource("hooks") / "pre-commit").read_bytes())
    target.chmod(0o755)


def install_linter(environment: dict[str, str]) -> None:
    target = Path(environment["PATH"]) / "sop-server"
    target.write_text(LINTER)
    target.chmod(0o755)


@pytest.mark.parametrize(
    "refspec", ["HEAD:refs/heads/main", "+HEAD:refs/heads/main", "HEAD:refs/heads/side", "HEAD:refs/drafts/1", ":main"]
)
def test_every_push_is_refused_and_told_where_drafts_are_made(
    library: Library, clone: Path, environment: dict[str, str], refspec: str
) -> None:
    head = library.head()
    (clone / "care/refunds.md").write_text("# Changed\n")
    git(clone, environment, "commit", "--quiet", "--all", "-m", "Change")
    pushed = git(clone, environment, "push", "origin", refspec)
    assert pushed.returncode != 0
    assert library.head() == head
    assert library.ref("refs/heads/side") is None
    assert library.ref("refs/drafts/1") is None
    if "drafts" not in refspec and refspec != ":main":
        assert "Pushes are not accepted" in pushed.stderr
        assert "POST /api/v1/drafts" in pushed.stderr


def test_a_clone_has_main_and_no_drafts(
    library: Library, commit: Commit, clone: Path, environment: dict[str, str]
) -> None:
    library.write("refs/drafts/1", library.head(), [commit("care/secret.md", b"draft\n")])
    listed = git(clone, environment, "ls-remote", "origin")
    assert [line.split("\t")[1] for line in listed.stdout.splitlines()] == ["HEAD", "refs/heads/main"]


def test_good_files_are_committed(clone: Path, environment: dict[str, str]) -> None:
    install_pre_commit(clone)
    install_linter(environment)
    for name in ("a b.md", 'c"d.md', "-e.md", "é.md", "deep/er/f.MD"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("# Good\n")
    (clone / "notes.txt").write_text("BAD but no SOP\n")
    git(clone, environment, "add", "--all")
    committed = git(clone, environment, "commit", "-m", "Add")
    assert committed.returncode == 0, committed.stderr


@pytest.mark.parametrize(
    "name", ["a.md", "a b/c d.md", 'c"d.md', "-e.md", "--all.md", "é日本.md", "x\\y.md", "$(id).MD"]
)
def test_a_bad_file_of_any_name_is_refused_and_named_as_in_the_clone(
    clone: Path, environment: dict[str, str], name: str
) -> None:
    install_pre_commit(clone)
    install_linter(environment)
    head = git(clone, environment, "rev-parse", "HEAD").stdout
    (clone / name).parent.mkdir(parents=True, exist_ok=True)
    (clone / name).write_text("# Good\nBAD\n")
    git(clone, environment, "add", "--all")
    committed = git(clone, environment, "commit", "-m", "Add")
    assert committed.returncode == 1
    assert f"{name}:2:problem" in committed.stderr.splitlines()
    assert "Nothing was committed" in committed.stderr
    assert git(clone, environment, "rev-parse", "HEAD").stdout == head


def test_what_is_staged_counts_and_not_what_lies_there(clone: Path, environment: dict[str, str]) -> None:
    install_pre_commit(clone)
    install_linter(environment)
    (clone / "care/refunds.md").write_text("BAD\n")
    git(clone, environment, "add", "--all")
    (clone / "care/refunds.md").write_text("good\n")
    assert git(clone, environment, "commit", "-m", "Staged bad").returncode == 1
    git(clone, environment, "add", "--all")
    (clone / "care/refunds.md").write_text("BAD\n")
    assert git(clone, environment, "commit", "-m", "Staged good").returncode == 0


def test_a_commit_of_named_files_and_one_from_a_subfolder_are_linted(clone: Path, environment: dict[str, str]) -> None:
    install_pre_commit(clone)
    install_linter(environment)
    (clone / "care/refunds.md").write_text("BAD\n")
    for place, path in ((clone, "care/refunds.md"), (clone / "care", "refunds.md")):
        committed = git(place, environment, "commit", "-m", "Change", path)
        assert committed.returncode == 1
        assert "care/refunds.md:1:problem" in committed.stderr.splitlines()


def test_a_deletion_needs_no_linter(clone: Path, environment: dict[str, str]) -> None:
    install_pre_commit(clone)
    git(clone, environment, "rm", "--quiet", "care/refunds.md")
    assert git(clone, environment, "commit", "-m", "Delete").returncode == 0


def test_without_sop_server_it_says_how_to_install_it(clone: Path, environment: dict[str, str], tmp_path: Path) -> None:
    install_pre_commit(clone)
    (clone / "care/refunds.md").write_text("changed\n")
    committed = git(clone, environment, "commit", "--all", "-m", "Change")
    assert committed.returncode == 1
    assert "pip install sop-server" in committed.stderr
    assert list((tmp_path / "temporary").iterdir()) == []


def test_python_is_asked_where_the_command_is_not_on_the_path(clone: Path, environment: dict[str, str]) -> None:
    install_pre_commit(clone)
    python = Path(environment["PATH"]) / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    package = Path(environment["HOME"]) / "site/sop_server"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys\nprint('./a.md:1: asked', sys.argv[1:])\nsys.exit(1)\n")
    (clone / "a.md").write_text("changed\n")
    git(clone, environment, "add", "--all")
    committed = git(clone, {**environment, "PYTHONPATH": str(package.parent)}, "commit", "-m", "Add")
    assert committed.returncode == 1
    assert "a.md:1: asked ['lint', '.']" in committed.stderr.splitlines()


@pytest.mark.parametrize("name", ["pre-receive", "pre-commit"])
def test_hooks_are_plain_posix_shell(name: str) -> None:
    hook = resource("hooks") / name
    assert hook.read_bytes().startswith(b"#!/bin/sh\n")
    assert os.access(hook, os.X_OK)
    assert subprocess.run(["sh", "-n", str(hook)], check=False).returncode == 0
