"""What goes into the library, and what it answers: files, people and commits as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """The person whom a commit names as its author."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a commit: its new bytes, or None where the file is deleted."""

    path: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to be written. Its committer is always the system; times are aware datetimes."""

    message: str
    author: Identity
    authored_at: datetime
    committed_at: datetime
    changes: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True)
class WrittenCommit:
    """A commit as it was written: its id, and by path the id of each file that it set."""

    oid: str
    blobs: Mapping[str, str]
