from collections.abc import Callable

import pytest

from sop_server.errors import BusyError
from sop_server.resources import resource
from sop_server.storage.git.library import MAIN, Library, NewCommit

Commit = Callable[..., NewCommit]
Publish = Callable[..., str]


@pytest.mark.parametrize("left", ["refs/drafts/7.lock", "HEAD.lock", "packed-refs.lock"])
def test_a_write_goes_on_past_the_lock_file_of_a_dead_git(library: Library, commit: Commit, left: str) -> None:
    (library.path / left).parent.mkdir(parents=True, exist_ok=True)
    (library.path / left).touch()

    (written,) = library.write("refs/drafts/7", None, [commit("a.md", b"x\n")])

    assert library.ref("refs/drafts/7") == written.oid
    assert list(library.path.glob("fast_import_crash_*")) == []


@pytest.mark.parametrize("left", ["refs/heads/main.lock", "HEAD.lock", "packed-refs.lock"])
def test_main_moves_past_the_lock_file_of_a_dead_git(
    library: Library, publish: Publish, commit: Commit, left: str
) -> None:
    head = publish("a.md", b"1\n")
    (written,) = library.write("refs/intents/2", head, [commit("a.md", b"2\n")])
    (library.path / left).touch()

    library.advance(MAIN, written.oid, head)
    library.delete_ref("refs/intents/2")

    assert library.head() == written.oid
    assert library.ref("refs/intents/2") is None
    assert not (library.path / left).exists() or left == "packed-refs.lock"


def test_a_reference_is_taken_away_past_the_lock_file_of_a_dead_git(library: Library, commit: Commit) -> None:
    library.write("refs/intents/2", None, [commit("a.md", b"2\n")])
    (library.path / "packed-refs.lock").touch()

    library.delete_ref("refs/intents/2")

    assert library.ref("refs/intents/2") is None
    assert library.locks() == []


def test_what_cannot_be_removed_is_told_and_nothing_changes(library: Library, publish: Publish, commit: Commit) -> None:
    """A folder in the place of a lock file stands for what this process may not remove."""
    head = publish("a.md", b"1\n")
    (written,) = library.write("refs/intents/2", head, [commit("a.md", b"2\n")])
    (library.path / "refs/heads/main.lock").mkdir()
    (library.path / "refs/drafts/3.lock").mkdir(parents=True)

    with pytest.raises(BusyError, match=r": refs/heads/main\.lock is in the way .* Nothing was changed"):
        library.advance(MAIN, written.oid, head)
    with pytest.raises(BusyError, match=r": refs/drafts/3\.lock is in the way .* Nothing was changed"):
        library.write("refs/drafts/3", None, [commit("a.md", b"3\n")])

    assert library.head() == head
    assert library.ref("refs/drafts/3") is None


def test_a_library_is_opened_past_a_left_lock_of_its_settings(library: Library) -> None:
    (library.path / "config.lock").touch()

    Library.create(library.path, resource("hooks")).close()

    assert library.locks() == []


def test_lock_files_are_seen_without_the_lock(library: Library, publish: Publish) -> None:
    publish("a.md", b"1\n")
    assert library.locks() == []
    for name in ("packed-refs.lock", "refs/heads/main.lock"):
        (library.path / name).touch()
    assert library.locks() == ["packed-refs.lock", "refs/heads/main.lock"]
