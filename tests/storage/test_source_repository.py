import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.domain.content import MAX_BYTES
from sop_server.errors import InvalidInputError
from sop_server.storage.git.commits import Identity
from sop_server.storage.git.source_repository import SourceHistory
from sop_server.storage.git.source_tree import SourceTree

START = 1_700_000_000


class Repository:
    """A work tree of somebody else's, each commit an hour after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hours = 0
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=trunk")

    def git(self, *arguments: str, **environment: str) -> str:
        finished = subprocess.run(
            ["git", "-c", "user.name=Dana", "-c", "user.email=dana@example.com", *arguments],
            cwd=self.path,
            env={
                "PATH": "/usr/bin:/bin:/usr/local/bin",
                "HOME": str(self.path),
                "GIT_CONFIG_NOSYSTEM": "1",
                **environment,
            },
            check=True,
            capture_output=True,
            text=True,
        )
        return finished.stdout.strip()

    def commit(self, subject: str, author: str = "Dana <dana@example.com>", **files: str | None) -> str:
        """Commit files; `a__b` stands for `a/b.md`, None deletes."""
        for name, content in files.items():
            path = self.path / (name.replace("__", "/") + ".md")
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "--all")
        return self.record("commit", "--quiet", "--allow-empty", "-m", subject, "--author", author)

    def record(self, *arguments: str) -> str:
        self._hours += 1
        when = f"{START + 3600 * self._hours} +0200"
        self.git(*arguments, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "source")


def text(number: int) -> str:
    return "# Refunds\n" + "A line that stays as it is.\n" * 20 + f"State {number}.\n"


def histories(root: Path) -> dict[str, SourceHistory]:
    with SourceTree(root) as source:
        return {found.path: found for found in source.histories()}


def states(root: Path, path: str) -> list[str]:
    with SourceTree(root) as source:
        (found,) = (one for one in source.histories() if one.path == path)
        return [source.read(revision.blob_oid).decode() for revision in found.revisions]


def test_each_past_commit_of_a_file_is_a_revision_oldest_first(repository: Repository) -> None:
    oids = [repository.commit(f"Change {n}", "Åsha Rao <asha@example.com>", care__refunds=text(n)) for n in range(3)]
    repository.commit("Another file", other="x\n")
    found = histories(repository.path)["care/refunds.md"]
    assert [revision.commit_oid for revision in found.revisions] == oids
    assert [revision.subject for revision in found.revisions] == ["Change 0", "Change 1", "Change 2"]
    assert {revision.author for revision in found.revisions} == {Identity("Åsha Rao", "asha@example.com")}
    assert found.revisions[0].authored_at == datetime.fromtimestamp(START + 3600, UTC)
    assert states(repository.path, "care/refunds.md") == [text(0), text(1), text(2)]


def test_renames_are_followed(repository: Repository) -> None:
    repository.commit("First", old=text(1))
    repository.commit("Move", old=None, care__new=text(2))
    repository.commit("Edit", care__new=text(3))
    repository.commit("Move again", care__new=None, care__newest=text(4))
    found = histories(repository.path)
    assert list(found) == ["care/newest.md"]
    assert [revision.path for revision in found["care/newest.md"].revisions] == [
        "old.md",
        "care/new.md",
        "care/new.md",
        "care/newest.md",
    ]
    assert states(repository.path, "care/newest.md") == [text(1), text(2), text(3), text(4)]


def test_a_mere_move_is_no_state_of_its_own(repository: Repository) -> None:
    first = repository.commit("First", old=text(1))
    repository.commit("Move", old=None, new=text(1))
    (revision,) = histories(repository.path)["new.md"].revisions
    assert (revision.commit_oid, revision.path) == (first, "old.md")


def test_files_that_swap_their_names_keep_their_own_histories(repository: Repository) -> None:
    other = "# Payments\n" + "Something else altogether, line by line.\n" * 20
    repository.commit("First", a=text(1), b=other)
    repository.commit("Swap", a=other + "a\n", b=text(2))
    repository.git("config", "diff.renames", "false")
    found = states(repository.path, "a.md")
    assert found[-1] == other + "a\n"
    assert states(repository.path, "b.md")[-1] == text(2)


def test_a_name_used_again_does_not_take_the_renamed_files_past(repository: Repository) -> None:
    repository.commit("First", a=text(1))
    repository.commit("Move", a=None, b=text(2))
    repository.commit("A new one of the old name", a="# Another\n")
    assert states(repository.path, "b.md") == [text(1), text(2)]
    assert states(repository.path, "a.md") == ["# Another\n"]


def test_a_file_that_was_deleted_and_made_again_is_read(repository: Repository) -> None:
    repository.commit("First", a=text(1))
    repository.commit("Delete", a=None)
    repository.commit("Again", a=text(2))
    assert states(repository.path, "a.md") == [text(1), text(2)]


def test_deleted_files_are_left_out(repository: Repository) -> None:
    repository.commit("First", a=text(1), b=text(2))
    repository.commit("Delete", a=None)
    assert list(histories(repository.path)) == ["b.md"]


def test_a_revert_is_a_state(repository: Repository) -> None:
    for number in (1, 2, 1):
        repository.commit("Change", a=text(number))
    assert states(repository.path, "a.md") == [text(1), text(2), text(1)]


def test_merges_are_left_out_but_for_a_text_of_their_own(repository: Repository) -> None:
    base = "one\n" + "line\n" * 20 + "two\n"
    repository.commit("Base", a=base)
    repository.git("checkout", "--quiet", "-b", "side")
    side = repository.commit("Side", a=base.replace("one", "ONE"))
    repository.git("checkout", "--quiet", "trunk")
    trunk = repository.commit("Trunk", a=base.replace("two", "TWO"), b="b\n")
    merged = repository.record("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    found = histories(repository.path)
    assert [revision.commit_oid for revision in found["a.md"].revisions][1:] == [side, trunk, merged]
    assert [revision.commit_oid for revision in found["b.md"].revisions] == [trunk]
    assert states(repository.path, "a.md")[-1] == base.replace("one", "ONE").replace("two", "TWO")


def test_the_last_state_is_always_heads(repository: Repository) -> None:
    repository.commit("Base", a=text(0))
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("Side", a=text(1))
    repository.git("checkout", "--quiet", "trunk")
    repository.commit("Trunk", a=text(2))
    repository.git("checkout", "--quiet", "side")
    repository.commit("Side again", a=text(3))
    repository.git("checkout", "--quiet", "trunk")
    repository.record("merge", "--quiet", "-s", "ours", "-m", "Ours", "side")
    assert states(repository.path, "a.md")[-1] == text(2)


def test_links_submodules_and_large_files_of_the_past_are_told(repository: Repository) -> None:
    (repository.path / "link.md").symlink_to("/etc/passwd")
    repository.commit("Links", kept=text(1), large="x" * (MAX_BYTES + 1), was_large="x" * (MAX_BYTES + 1))
    head = repository.commit("Smaller", was_large="small\n")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},module.md")
    repository.record("commit", "--quiet", "-m", "A submodule")
    found = histories(repository.path)
    assert "symbolic link" in str(found["link.md"].problem)
    assert "submodule" in str(found["module.md"].problem)
    assert "1 MiB" in str(found["large.md"].problem)
    assert found["kept.md"].problem is None
    with SourceTree(repository.path) as source:
        old, new = found["was_large.md"].revisions
        with pytest.raises(InvalidInputError, match="1 MiB"):
            source.read(old.blob_oid)
        assert source.read(new.blob_oid) == b"small\n"


def test_odd_names_and_authors_are_kept_as_far_as_a_commit_can_carry_them(repository: Repository) -> None:
    for name in ('say "yes"', "-rf", "é日本", "a\nb"):
        (repository.path / f"{name}.md").write_text(name)
    (repository.path / "UPPER.MD").write_text("upper")
    repository.commit("Subject with \x07 <b>", "Eve \x1b[31m <eve@example.com>")
    found = histories(repository.path)
    assert set(found) == {'say "yes".md', "-rf.md", "é日本.md", "a\nb.md", "UPPER.MD"}
    for history in found.values():
        (revision,) = history.revisions
        assert revision.author == Identity("Eve [31m", "eve@example.com")
        assert revision.subject == "Subject with  <b>"


@pytest.mark.parametrize("form", ["bare", "packed", "detached", "linked", "shallow"])
def test_every_form_of_repository_is_read(repository: Repository, tmp_path: Path, form: str) -> None:
    repository.commit("First", care__a=text(1))
    repository.commit("Second", care__a=text(2))
    root = tmp_path / "other"
    if form == "bare":
        repository.git("clone", "--quiet", "--bare", ".", str(root))
    elif form == "shallow":
        repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(root))
    elif form == "linked":
        repository.git("worktree", "add", "--quiet", "--detach", str(root))
    else:
        root = repository.path
        repository.git(*(("pack-refs", "--all") if form == "packed" else ("checkout", "--quiet", "--detach")))
    expected = [text(2)] if form == "shallow" else [text(1), text(2)]
    assert states(root, "care/a.md") == expected
    with SourceTree(root) as source:
        assert [(found.path, found.content) for found in source.files()] == [("care/a.md", text(2).encode())]


def test_the_work_tree_is_what_lies_there_and_history_is_what_was_committed(repository: Repository) -> None:
    repository.commit("First", a=text(1))
    (repository.path / "a.md").write_text(text(2))
    with SourceTree(repository.path) as source:
        assert [found.content for found in source.files()] == [text(2).encode()]
    assert states(repository.path, "a.md") == [text(1)]


def test_a_repository_without_commits_has_no_histories(repository: Repository) -> None:
    assert histories(repository.path) == {}


def test_a_head_that_leads_out_of_the_repository_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit("First", a=text(1))
    (tmp_path / "secret").write_text("1" * 40)
    for head in ("ref: refs/../../../secret\n", "ref: ../secret\n", "ref: refs/heads/-x y\n", "nonsense\n"):
        (repository.path / ".git/HEAD").write_text(head)
        with pytest.raises(InvalidInputError, match="HEAD"):
            SourceTree(repository.path)


@pytest.fixture
def alarm(tmp_path: Path) -> Iterator[Path]:
    """A program that must never run."""
    program = tmp_path / "alarm"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> "{tmp_path}/rang"\n')
    program.chmod(0o755)
    yield program
    assert not (tmp_path / "rang").exists(), (tmp_path / "rang").read_text()


def test_nothing_of_a_hostile_repository_runs(repository: Repository, alarm: Path) -> None:
    (repository.path / ".gitattributes").write_text("*.md diff=evil filter=evil\n")
    repository.commit("First", a=text(1))
    lost = repository.commit("Second", a=text(2))
    repository.git("commit-graph", "write", "--reachable")
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.askPass",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.smudge",
        "filter.evil.clean",
        "gpg.program",
        "pager.log",
        "uploadpack.packObjectsHook",
        "alias.log",
    ):
        repository.git("config", name, ("!" if name.startswith("alias") else "") + str(alarm))
    repository.git("config", "log.showSignature", "true")
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        hook = repository.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.symlink_to(alarm)
    assert states(repository.path, "a.md") == [text(1), text(2)]
    # A clone that lacks an object would ask its remote for it, by a program that its configuration names.
    repository.git("config", "extensions.partialClone", "origin")
    repository.git("config", "core.repositoryFormatVersion", "1")
    repository.git("config", "remote.origin.url", f"ext::{alarm} %S")
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "protocol.ext.allow", "always")
    blob = repository.git("rev-parse", f"{lost}:a.md")
    (repository.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with SourceTree(repository.path) as source, pytest.raises(InvalidInputError, match="not in the repository"):
        source.read(blob)


def test_two_thousand_commits_are_read_in_one_quick_pass(repository: Repository) -> None:
    stream: list[str] = []
    for number in range(2000):
        stream.append(f"commit refs/heads/trunk\ncommitter D <d@x> {START + number} +0000\ndata 1\nm\n")
        for file in range(3):
            content = f"# {number}\n" + "line\n" * 20
            stream.append(f"M 100644 inline d{file}/{(number * 3 + file) % 300}.md\ndata {len(content)}\n{content}\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repository.path, input="".join(stream), text=True, check=True)
    begun = time.perf_counter()
    found = histories(repository.path)
    assert time.perf_counter() - begun < 10
    assert len(found) == 300
    assert sum(len(history.revisions) for history in found.values()) == 6000
