import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sop_server.domain.content import MAX_BYTES
from sop_server.errors import InvalidInputError
from sop_server.storage.git.source_tree import SourceTree

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def make(name: str, content: bytes = b"# Text\n") -> Path:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return make


def read(root: Path) -> dict[str, bytes | str | None]:
    with SourceTree(root) as source:
        return {found.path: found.content if found.problem is None else found.problem for found in source.files()}


def test_every_markdown_file_is_read_and_nothing_else(put: Put, tmp_path: Path) -> None:
    for name in ("README.md", "a/b/c.MD", "d.html.md", ".github/e.Md", "f.md.txt", "g.markdown", "a/h.mdx", "i.txt"):
        put(name)
    assert list(read(tmp_path / "source")) == ["README.md", "d.html.md", ".github/e.Md", "a/b/c.MD"]


def test_empty_and_odd_bytes_are_read_as_they_are(put: Put, tmp_path: Path) -> None:
    put("empty.md", b"")
    put("latin.md", b"caf\xe9\r\n")
    assert read(tmp_path / "source") == {"empty.md": b"", "latin.md": b"caf\xe9\r\n"}


def test_odd_names_are_kept(put: Put, tmp_path: Path) -> None:
    names = ["-rf.md", "a b.md", 'c"d.md', "e\nf.md", "é日本🙂.md", "x\\y.md"]
    for name in names:
        put(name)
    assert sorted(read(tmp_path / "source")) == sorted(names)


def test_a_name_that_is_no_unicode_can_be_told_and_stored(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_bytes(b"x\n")
    assert read(tmp_path) == {"caf\\xe9.md": b"x\n"}


def test_what_lies_under_git_is_left_out(put: Put, tmp_path: Path) -> None:
    put("a/.git/description.md")
    put("b.git/kept.md")
    assert list(read(tmp_path / "source")) == ["b.git/kept.md"]


def test_links_are_refused_and_named(put: Put, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    put("kept.md")
    (tmp_path / "source/link.md").symlink_to(secret)
    (tmp_path / "source/gone.md").symlink_to("nowhere")
    (tmp_path / "source/folder").symlink_to(tmp_path)
    found = read(tmp_path / "source")
    assert found.pop("kept.md") == b"# Text\n"
    assert set(found) == {"link.md", "gone.md", "folder"}
    assert all("link" in str(problem) for problem in found.values())


def test_a_file_over_the_limit_is_a_problem_and_one_at_the_limit_is_not(put: Put, tmp_path: Path) -> None:
    put("large.md", b"x" * (MAX_BYTES + 1))
    put("limit.md", b"x" * MAX_BYTES)
    found = read(tmp_path / "source")
    assert "1 MiB" in str(found["large.md"])
    assert found["limit.md"] == b"x" * MAX_BYTES


def test_a_pipe_is_refused_and_not_waited_for(put: Put, tmp_path: Path) -> None:
    put("kept.md")
    os.mkfifo(tmp_path / "source/pipe.md")
    (tmp_path / "source/folder.md").mkdir()
    put("folder.md/inside.md")
    assert read(tmp_path / "source") == {
        "kept.md": b"# Text\n",
        "pipe.md": "is not a regular file",
        "folder.md/inside.md": b"# Text\n",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_what_cannot_be_read_is_named(put: Put, tmp_path: Path) -> None:
    put("kept.md")
    put("closed.md").chmod(0)
    put("shut/inside.md")
    (tmp_path / "source/shut").chmod(0)
    found = read(tmp_path / "source")
    (tmp_path / "source/shut").chmod(stat.S_IRWXU)
    assert found.pop("kept.md") == b"# Text\n"
    assert set(found) == {"closed.md", "shut"}
    assert all("cannot be read" in str(problem) for problem in found.values())


def test_one_file_is_a_source_too(put: Put) -> None:
    assert read(put("a/refunds.md")) == {"refunds.md": b"# Text\n"}


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nothing at"):
        SourceTree(tmp_path / "missing")


def test_a_folder_has_no_history(put: Put, tmp_path: Path) -> None:
    put("a.md")
    with SourceTree(tmp_path / "source") as source, pytest.raises(InvalidInputError, match="not a git repository"):
        source.histories()
