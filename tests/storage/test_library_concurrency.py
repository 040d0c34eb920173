import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sop_server.errors import BusyError
from sop_server.storage.git.library import Library, NewCommit
from sop_server.storage.git.library_lock import LibraryLock

Commit = Callable[..., NewCommit]
Publish = Callable[..., str]

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sop_server.storage.git.library import MAIN, FileChange, Identity, Library, NewCommit

library, name = Library(Path(sys.argv[1])), sys.argv[2]
at = datetime(2026, 3, 1, tzinfo=UTC)
for number in range(25):
    with library.lock():
        head = library.head()
        commit = NewCommit(
            f"{name} {number}", Identity(name, ""), at, at, (FileChange(f"{name}/{number}.md", name.encode()),)
        )
        (written,) = library.write(f"refs/intents/{name}", head, [commit])
        library.advance(MAIN, written.oid, head)
library.close()
"""

HOLDER = """
import sys, os, time
from pathlib import Path
from sop_server.storage.git.library_lock import LibraryLock

with LibraryLock(Path(sys.argv[1])).hold(timeout=0):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_four_processes_lose_no_commit(library: Library) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(library.path), name])
        for name in ("one", "two", "six", "ten")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0, 0]
    found = list(library.publications())
    assert len(found) == 100
    assert {change.path for one in found for change in one.changes} == {
        f"{name}/{number}.md" for name in ("one", "two", "six", "ten") for number in range(25)
    }
    head = library.head()
    assert head is not None
    assert all(library.blob_at(head, change.path) for one in found for change in one.changes)
    assert library.verify() == []


def test_threads_that_read_at_once_get_their_own_files(library: Library, commit: Commit) -> None:
    contents = {f"a/{number}.md": f"{number}\n".encode() * (number + 1) for number in range(200)}
    written = library.write("refs/intents/1", None, [commit(path, content) for path, content in contents.items()])
    blobs = {path: oid for one in written for path, oid in one.blobs.items()}
    head = written[-1].oid
    wrong: list[str] = []

    def read_all(paths: list[str]) -> None:
        wrong.extend(
            path
            for path in paths
            if library.blob_at(head, path) != blobs[path] or library.read(blobs[path]) != contents[path]
        )

    threads = [threading.Thread(target=read_all, args=(order,)) for order in (list(blobs), list(blobs)[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_each_thread_has_a_repository_of_its_own_and_gives_it_back(library: Library) -> None:
    processes: list[int] = []

    def look() -> None:
        library.head()
        process = library._repositories.current().git.cat_file_header  # noqa: SLF001 (nobody else's to see)
        assert process is not None
        processes.append(process.proc.pid)

    for _ in range(2):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(30)
    look()
    assert len(set(processes)) == 3
    for ended in processes[:2]:
        with pytest.raises(ProcessLookupError):
            os.kill(ended, 0)


def test_a_fork_reads_with_a_git_of_its_own(library: Library, publish: Publish) -> None:
    head = publish("a.md", b"x\n")
    blob = library.blob_at(head, "a.md")
    assert blob is not None
    assert library.read(blob) == b"x\n"
    child = os.fork()
    if child == 0:
        sound = library.read(blob) == b"x\n" and library.head() == head
        library.close()
        os._exit(0 if sound else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert library.read(blob) == b"x\n"
    assert library.head() == head


def test_files_stay_readable_while_another_process_packs(library: Library, publish: Publish) -> None:
    other = Library(library.path)
    blobs = []
    for number in range(5):
        head = publish("a.md", b"%d\n" % number)
        blobs.append(library.blob_at(head, "a.md"))
        other.maintain()
        assert [library.read(str(blob)) for blob in blobs] == [b"%d\n" % earlier for earlier in range(number + 1)]
    other.close()


def test_the_lock_is_refused_while_another_thread_has_it(tmp_path: Path) -> None:
    lock = LibraryLock(tmp_path / "lock")
    refused: list[str] = []

    def try_it() -> None:
        try:
            with lock.hold(timeout=0.02):
                pass
        except BusyError as error:
            refused.append(error.message)

    with lock.hold(timeout=0):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join(30)
    assert len(refused) == 1
    assert "try again" in refused[0]
    try_it()
    assert len(refused) == 1


def test_the_holder_may_take_the_lock_again(tmp_path: Path) -> None:
    lock = LibraryLock(tmp_path / "lock")
    with lock.hold(timeout=0) as outer:
        with lock.hold(timeout=0) as inner:
            assert inner == outer
        assert lock.descriptor == outer
        with pytest.raises(BusyError), LibraryLock(tmp_path / "lock").hold(timeout=0):
            pass
    assert lock.descriptor is None


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(BusyError), LibraryLock(tmp_path / "lock").hold(timeout=0):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
    with LibraryLock(tmp_path / "lock").hold(timeout=0):
        pass


def test_the_lock_stays_with_a_writer_that_outlives_its_parent(tmp_path: Path) -> None:
    lock = LibraryLock(tmp_path / "lock")
    with lock.hold(timeout=0) as descriptor:
        writer = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    with writer:
        with pytest.raises(BusyError), lock.hold(timeout=0):
            pass
        assert writer.stdin is not None
        writer.stdin.close()
        writer.wait(30)
    with lock.hold(timeout=0):
        pass


def test_a_git_that_writes_inherits_the_lock(library: Library, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `git` in front of git tells which descriptors it was given."""
    seen = library.path / "seen"
    script = library.path / "git"
    script.write_text(f'#!/bin/sh\nls -l /proc/$$/fd >> "{seen}"\nexec /usr/bin/env -u X git "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("git.Git.GIT_PYTHON_GIT_EXECUTABLE", str(script))
    (written,) = library.write("refs/intents/1", None, [commit("a.md", b"x\n")])
    assert "sop-server.flock" in seen.read_text()
    seen.unlink()
    library.advance("refs/heads/main", written.oid, None)
    assert "sop-server.flock" in seen.read_text()
    seen.unlink()
    library.close()
    library.read(written.blobs["a.md"])
    assert "sop-server.flock" not in seen.read_text()


def test_a_stream_that_is_cut_leaves_the_ref_alone(library: Library, publish: Publish, commit: Commit) -> None:
    head = publish("a.md", b"1\n")
    (kept,) = library.write("refs/drafts/1", head, [commit("a.md", b"2\n")])
    stream = (
        f"feature done\ncommit refs/drafts/1\nmark :1\ncommitter A <a@b> 1 +0000\ndata 2\nm\nfrom {kept.oid}\n"
        "M 100644 inline a.md\ndata 2\n3\n"
    ).encode()
    for length in range(len(stream) + 1):
        if length % 7 and length < len(stream):
            continue
        cut = subprocess.run(
            ["git", "--git-dir", str(library.path), "fast-import", "--done", "--quiet", "--force"],
            input=stream[:length],
            capture_output=True,
            check=False,
        )
        assert cut.returncode != 0
        assert library.ref("refs/drafts/1") == kept.oid
    with library.lock():
        assert any(name.startswith("fast_import_crash_") for name in library.remove_stale_locks())
    assert library.verify() == []
