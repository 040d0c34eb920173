"""What `main` says was published: its commits, oldest first, with their trailers and files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from git import Git

from sop_server.storage.git.commits import Identity
from sop_server.storage.git.log_stream import RawChange, RawCommit, read_log

_PLACEHOLDERS = ("%P", "%an", "%ae", "%at", "%ct", "%B", "%(trailers:only=true,unfold=true)")


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a commit: `A`dded, `M`odified, `D`eleted or of another `T`ype; no blob where it is deleted."""

    status: str
    path: str
    blob_oid: str | None


@dataclass(frozen=True, slots=True)
class Publication:
    """One commit of `main`. Trailers are by key, in the order in which they stand."""

    oid: str
    parent: str | None
    author: Identity
    authored_at: datetime
    committed_at: datetime
    message: str
    trailers: Mapping[str, list[str]]
    changes: tuple[Change, ...]


def publications(git: Git, head: str, *, since: str | None) -> Iterator[Publication]:
    """Yield the commits after `since` up to `head` (object ids), oldest first."""
    arguments = ["--first-parent", "--diff-merges=first-parent", "--root", "--no-renames", "--reverse", head]
    if since is not None:
        arguments.append(f"^{since}")
    for commit in read_log(git, [*arguments, "--"], placeholders=_PLACEHOLDERS):
        yield _publication(commit)


def _publication(commit: RawCommit) -> Publication:
    parents, name, email, authored_at, committed_at, message, trailers = (
        field.decode("utf-8", "replace") for field in commit.fields
    )
    return Publication(
        oid=commit.oid,
        parent=parents.split(" ")[0] or None,
        author=Identity(name, email),
        authored_at=instant(authored_at),
        committed_at=instant(committed_at),
        message=message,
        trailers=_trailers(trailers),
        changes=tuple(_change(change) for change in commit.changes),
    )


def instant(seconds: str) -> datetime:
    """Return git's time (seconds since 1970) in UTC; a date that no calendar has becomes the start of 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _trailers(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):  # not `splitlines`: U+2028 in a value would begin a trailer of its own
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip(), []).append(value.strip())
    return found


def _change(change: RawChange) -> Change:
    return Change(
        change.status, change.path.decode("utf-8", "surrogateescape"), None if change.status == "D" else change.oid
    )
