"""The library: one bare git repository whose `main` holds what was approved."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from sop_server.errors import BusyError, ConflictError, DamagedError, InvalidInputError
from sop_server.storage.git import left_overs, library_upkeep, publications
from sop_server.storage.git.commits import FileChange, Identity, NewCommit, WrittenCommit
from sop_server.storage.git.fast_import import blob_oid as oid_of
from sop_server.storage.git.fast_import import check_path, snapshot, stream
from sop_server.storage.git.git_process import Finished, is_oid, require_oid, run
from sop_server.storage.git.library_lock import LibraryLock
from sop_server.storage.git.merge import Merged, merge
from sop_server.storage.git.publications import Change, Publication
from sop_server.storage.git.repositories import Repositories
from sop_server.storage.git.tags import read_tags, tag_object

__all__ = [
    "MAIN",
    "Change",
    "FileChange",
    "Identity",
    "Library",
    "Merged",
    "NewCommit",
    "Publication",
    "WrittenCommit",
    "merge",
]

MAIN = "refs/heads/main"
LOCK_NAME = "sop-server.flock"

_LOCK_TIMEOUT = 30.0
_NOTHING = "0" * 40
_IN_THE_WAY = re.compile(r"'([^'\n]*)': File exists")
_REF = re.compile(r"refs/[a-z]+/[A-Za-z0-9][A-Za-z0-9_-]*")


class Library:
    """One library. Safe to share between threads, and after a fork: each has its own open repository."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = LibraryLock(self.path / LOCK_NAME)
        self._repositories = Repositories(self.path)

    @classmethod
    def create(cls, path: Path, hooks: Path) -> "Library":
        """Make a library at `path` with the hooks of the folder `hooks`; a second call renews hooks and settings."""
        made = cls(path)
        library_upkeep.prepare(made.path, hooks, lock=made._lock, timeout=_LOCK_TIMEOUT)
        return made

    def close(self) -> None:
        """End the git processes of all threads of this process; the next use starts new ones."""
        self._repositories.close()

    def lock(self, *, timeout: float = _LOCK_TIMEOUT) -> AbstractContextManager[object]:
        """Be the only writer, over all threads and processes. Raises BusyError after `timeout` seconds."""
        if not self.path.is_dir():
            raise DamagedError(f"There is no library at {self.path}. Run `sop-server init`, or restore a backup there.")
        return self._lock.hold(timeout=timeout)

    def head(self) -> str | None:
        """Return the id of the newest commit of `main`; None before the first one."""
        return self.ref(MAIN)

    def ref(self, name: str) -> str | None:
        """Return the id that a reference stands at; None where there is none."""
        found = self._look_up(_checked_ref(name))
        if found is None and self._is_recorded(name):
            # Made a moment ago, by another process; otherwise it names a commit that is not there.
            found = self._look_up(name)
            if found is None:
                raise DamagedError(
                    f"The library's {name} names a commit that is lost, or nothing that git can read. "
                    "Have an administrator run `sop-server check --repair`, and put the library back from a backup "
                    "where that does not help."
                )
        return None if found is None else found[0]

    def has(self, oid: str) -> bool:
        """Whether the library holds an object of this id; anything that is no id is not held."""
        return is_oid(oid) and self._look_up(oid) is not None

    def read(self, blob_oid: str) -> bytes:
        """Return the content of a file by its id. Raises DamagedError where the library does not hold it."""
        require_oid(blob_oid)
        for _attempt in ("the open process", "a new one"):
            content = self._read(blob_oid)
            # Proof that the answer belongs to the question, at a hundredth of the cost of the question.
            if content is not None and oid_of(content) == blob_oid:
                return content
            self._repositories.discard()
        raise DamagedError(f"The library does not hold the file {blob_oid}, or not whole. Run `sop-server check`.")

    def blob_at(self, commit_oid: str, path: str) -> str | None:
        """Return the id of the file at `path` in a commit; None where there is no file."""
        check_path(path)
        found = self._look_up(f"{require_oid(commit_oid)}:{path}")
        return found[0] if found is not None and found[1] == "blob" else None

    def ancestry(self, commit_oid: str) -> frozenset[str]:
        """Return the ids of a commit and of all that it was built on. Raises DamagedError where one is lost."""
        finished = run(self._repositories.current().git, ["rev-list", require_oid(commit_oid)])
        if finished.status != 0:
            raise DamagedError(f"The history of {commit_oid} cannot be read: {_reason(finished.errors)}.")
        return frozenset(finished.output.decode("ascii").split())

    def tree(self, commit_oid: str) -> dict[str, str]:
        """Return the id of every file in a commit, by its path."""
        listing = self._repositories.current().git.ls_tree(
            "-r", "-z", "--full-tree", require_oid(commit_oid), stdout_as_string=False
        )
        entries = (entry.split(b"\t", 1) for entry in listing.split(b"\0") if entry)
        # Anybody can write a commit: a name that is no UTF-8 is shown with its odd bytes as `\xe9`.
        return {path.decode("utf-8", "backslashreplace"): head.split()[2].decode() for head, path in entries}

    def write(self, ref: str, parent: str | None, commits: Sequence[NewCommit]) -> list[WrittenCommit]:
        """Write `commits` on top of `parent` and let `ref` stand at the last one, wherever it stood before.

        The same commits on the same parent get the same ids. `main` moves by `advance` alone. Raises
        InvalidInputError for a path or a name that git cannot keep, BusyError where a lock file stays in the way,
        DamagedError with git's reason.
        """
        if _checked_ref(ref).startswith("refs/heads/"):
            raise ValueError("a branch is moved by `advance` alone")
        if not commits:
            return []
        if parent is not None:
            require_oid(parent)
        commands = stream(ref, parent, commits)
        self._check_places(parent, commits)
        oids = self._import(ref, commands, wanted=len(commits))
        return [
            WrittenCommit(
                oid, {change.path: oid_of(change.content) for change in commit.changes if change.content is not None}
            )
            for oid, commit in zip(oids, commits, strict=True)
        ]

    def write_snapshot(self, ref: str, parent: str | None, commit: NewCommit, files: Mapping[str, str]) -> str:
        """Write a commit on top of `parent` that has exactly `files`, by path the id of a text that is held already.

        Whatever else `parent` has, of whatever kind and name, is not in it. Returns its id; raises as `write` does.
        """
        _checked_ref(ref)
        (oid,) = self._import(ref, snapshot(ref, parent, commit, files), wanted=1)
        return oid

    def advance(self, ref: str, new: str, old: str | None) -> None:
        """Move a reference from `old` (None: it must not exist yet) to `new`, as one step that lasts.

        Raises ConflictError, and moves nothing, where it no longer stands at `old`; BusyError where a lock file
        stays in the way.
        """
        self._update(ref, ["update-ref", "-m", "sop-server", ref, require_oid(new)], old or _NOTHING)

    def delete_ref(self, ref: str) -> None:
        """Take a reference away, whatever it stands at; one that is not there stays so."""
        if self.ref(ref) is not None:
            self._update(ref, ["update-ref", "-d", ref], None)

    def tag(self, name: str, message: str, *, at: datetime) -> None:
        """Put an annotated tag on the head of `main`, or on its own text before the first commit.

        The same tag again changes nothing. Raises ConflictError where another one has the name, BusyError where a
        lock file stays in the way, DamagedError with git's reason.
        """
        ref = _checked_ref(f"refs/tags/{name}")
        with self._lock.hold(timeout=_LOCK_TIMEOUT) as descriptor:
            head = self.head()
            target = head or self._made(["hash-object", "-w", "--stdin"], message.encode(), descriptor=descriptor)
            content = tag_object(name, target, "blob" if head is None else "commit", message, at)
            oid = self._made(["mktag"], content, descriptor=descriptor)
            if self.ref(ref) != oid:
                self.advance(ref, oid, None)

    def tags(self, prefix: str) -> dict[str, str]:
        """Return the message of each annotated tag whose name begins with `prefix`; "" where a tag has none."""
        return read_tags(self._repositories.current().git, prefix)

    def publications(self, *, since: str | None = None) -> Iterator[Publication]:
        """Yield the commits of `main` after `since` (an object id), oldest first, as they are read."""
        head = self.head()
        if since is not None:
            require_oid(since)
        if head is None or head == since:
            return
        yield from publications.publications(self._repositories.current().git, head, since=since)

    def locks(self, *, older_than: float = -math.inf) -> list[str]:
        """Return the names of lock files of git: for the holder of the lock left-overs, else perhaps of a writer.

        `older_than` are seconds: who looks every few moments takes no lock away from a git that somebody runs by hand.
        """
        return left_overs.locks(self.path, older_than=older_than)

    def remove_stale_locks(self) -> list[str]:
        """Remove what a killed git left behind, and return its names. The caller holds the lock."""
        if self._lock.descriptor is None:
            raise ValueError("only the holder of the lock knows that no writer lives")
        return left_overs.remove_left_overs(self.path)

    def set_aside_garbage(self) -> str | None:
        """Move a `main` that holds no object id out of the way; returns the name of the file that it is kept in.

        The caller holds the lock. None, and nothing moved, where `main` can be read.
        """
        if self._lock.descriptor is None:
            raise ValueError("only the holder of the lock knows that no writer lives")
        return left_overs.set_aside_garbage(self.path, MAIN)

    def maintain(self) -> None:
        """Pack what has gathered, so that reading stays quick; nothing is ever dropped. Takes the lock."""
        with self._lock.hold(timeout=_LOCK_TIMEOUT) as descriptor:
            library_upkeep.maintain(self._repositories.current(), self.path, descriptor=descriptor)

    def verify(self) -> list[str]:
        """Return what is wrong with the repository, a sentence each; nothing where it is sound."""
        return library_upkeep.verify(self._repositories.current())

    def _look_up(self, name: str) -> tuple[str, str] | None:
        """Return id and kind of what `name` resolves to, by the open `cat-file --batch-check`."""
        for _attempt in ("the open process", "a new one"):
            try:
                oid, kind, _size = self._repositories.current().git.get_object_header(name)
            except (ValueError, OSError) as error:
                if "missing" in str(error):
                    return None
                self._repositories.discard()
            except BaseException:
                # Half an answer may be left in the pipe, for the next one who asks.
                self._repositories.discard()
                raise
            else:
                return _text(oid), _text(kind)
        raise DamagedError("git does not answer for the library. Run `sop-server check`, or look at the log.")

    def _read(self, blob_oid: str) -> bytes | None:
        try:
            _oid, kind, _size, content = self._repositories.current().git.get_object_data(blob_oid)
        except (ValueError, OSError):
            return None
        except BaseException:
            self._repositories.discard()
            raise
        return content if _text(kind) == "blob" else None

    def _check_places(self, parent: str | None, commits: Sequence[NewCommit]) -> None:
        """Refuse a file in the place of a folder, or the reverse: git would silently drop all that is there."""
        files = {change.path for commit in commits for change in commit.changes}
        folders = {folder for path in files for folder in _folders(path)}
        taken = files & folders
        if parent is not None:
            taken |= {path for path in files if self._kind(parent, path) == "tree"}
            taken |= {folder for folder in folders if self._kind(parent, folder) == "blob"}
        if taken:
            path = min(taken)
            raise InvalidInputError(
                f"{path!r} would be a file and a folder at once. Nothing was stored; choose another path.",
                fields={"path": "is a file and a folder at once"},
            )

    def _kind(self, commit_oid: str, path: str) -> str | None:
        found = self._look_up(f"{commit_oid}:{path}")
        return None if found is None else found[1]

    def _import(self, ref: str, commands: bytes, *, wanted: int) -> list[str]:
        """Have git take a stream of commands; returns the ids of the commits that it made, `wanted` many."""
        with self._lock.hold(timeout=_LOCK_TIMEOUT) as descriptor:
            # `--done`: without it a stream that is cut counts as whole, and moves the ref to half of it.
            finished = self._change(
                ["fast-import", "--done", "--quiet", "--force", "--date-format=raw"],
                stdin=commands,
                descriptor=descriptor,
            )
        oids = finished.output.decode("ascii", "replace").split()
        if finished.status != 0 or len(oids) != wanted:
            self._remove_crash_reports()
            self._require_no_lock(finished, ref)
            raise DamagedError(
                f"git did not take the change: {_reason(finished.errors)}. Nothing was published; "
                "try again, and run `sop-server check` if it fails once more."
            )
        return oids

    def _change(self, arguments: Sequence[str], *, descriptor: int, stdin: bytes = b"") -> Finished:
        """Run a git that writes; `descriptor` is the lock's, which the caller holds."""
        git = self._repositories.current().git
        finished = run(git, arguments, stdin=stdin, descriptors=[descriptor])
        if finished.status != 0 and left_overs.remove_locks(self.path):
            # Under the lock no other writer lives: what was in the way, a git left that was killed.
            finished = run(git, arguments, stdin=stdin, descriptors=[descriptor])
        return finished

    def _made(self, arguments: Sequence[str], content: bytes, *, descriptor: int) -> str:
        finished = self._change(arguments, stdin=content, descriptor=descriptor)
        oid = finished.output.decode("ascii", "replace").strip()
        if finished.status != 0 or not is_oid(oid):
            raise DamagedError(f"git could not write to the library: {_reason(finished.errors)}. Nothing was changed.")
        return oid

    def _update(self, ref: str, arguments: list[str], old: str | None) -> None:
        _checked_ref(ref)
        if old is not None:
            arguments.append(require_oid(old))
        with self._lock.hold(timeout=_LOCK_TIMEOUT) as descriptor:
            finished = self._change(arguments, descriptor=descriptor)
            if finished.status == 0:
                return
            if old is not None and (self.ref(ref) or _NOTHING) != old:
                raise ConflictError(
                    f"The library moved on meanwhile: {ref} is no longer where it was. Nothing was changed; try again."
                )
        self._require_no_lock(finished, ref)
        raise DamagedError(f"git could not move {ref}: {_reason(finished.errors)}. Nothing was changed.")

    def _require_no_lock(self, finished: Finished, ref: str) -> None:
        """Raise BusyError where git failed at a lock file that was left and cannot be taken away."""
        found = _IN_THE_WAY.search(finished.errors)
        if found is not None:
            name = found[1].removeprefix(f"{self.path}/").removeprefix("./")
            raise BusyError(
                f"The library's {ref} could not be written: {name} is in the way and could not be removed. Nothing was "
                "changed; try again in a moment, and have an administrator remove it from the library if it stays."
            )

    def _is_recorded(self, ref: str) -> bool:
        if (self.path / ref).is_file():
            return True
        packed = self.path / "packed-refs"
        return packed.is_file() and f" {ref}\n".encode() in packed.read_bytes()

    def _remove_crash_reports(self) -> None:
        for report in self.path.glob("fast_import_crash_*"):
            report.unlink(missing_ok=True)


def _checked_ref(name: str) -> str:
    if _REF.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a reference of the library")
    return name


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _reason(errors: str) -> str:
    lines = [line for line in errors.splitlines() if not line.startswith("fast-import: dumping")]
    return lines[-1].removeprefix("fatal: ").rstrip(".") if lines else "it gave no reason"


def _text(value: str | bytes) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value
