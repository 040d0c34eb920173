"""Where a new SOP's file lives: chosen once, never moved."""

from sop_server.domain.identifiers import slugify
from sop_server.errors import InvalidInputError
from sop_server.storage import sops
from sop_server.storage.database import Session

_MAX_LENGTH = 240
_MAX_DEPTH = 12


def choose_path(session: Session, *, path: str | None, department: str | None, title: str) -> str:
    """Return a free path: the one asked for, or department and title; with `-2` and so on on a collision.

    Raises InvalidInputError for a path that a file of the library cannot have.
    """
    wanted = checked_path(path) if path else f"{department or 'general'}/{slugify(title)}.md"
    stem = wanted.removesuffix(".md")
    candidate, number = wanted, 1
    while sops.path_taken(session, candidate):
        number += 1
        candidate = f"{stem}-{number}.md"
    return candidate


def checked_path(path: str) -> str:
    """Return `path` as it is kept, or raise InvalidInputError saying what is wrong with it."""
    parts = path.split("/")
    if not path.endswith(".md") or path == ".md":
        raise _unusable(path, "it must end in “.md”")
    if len(path.encode()) > _MAX_LENGTH or len(parts) > _MAX_DEPTH:
        raise _unusable(path, f"it is longer than {_MAX_LENGTH} bytes or deeper than {_MAX_DEPTH} folders")
    if any(part in {"", ".", ".."} or part.startswith(".") for part in parts):
        raise _unusable(path, "it must be a plain path below the library, without “..” or hidden names")
    if any(part.lower().endswith(".md") for part in parts[:-1]):
        raise _unusable(path, "a folder cannot end in “.md”: a SOP of that name could not be kept beside it")
    if any(not character.isprintable() or character in '\\:*?"<>|' for character in path):
        raise _unusable(path, 'it holds a character that a file name cannot have on every system (\\ : * ? " < > |)')
    if any(part.startswith("-") or part != part.strip() for part in parts):
        raise _unusable(path, "no part of it may begin with “-” or begin or end with a space")
    return path


def _unusable(path: str, why: str) -> InvalidInputError:
    shown = path if len(path) < _MAX_LENGTH else path[:60] + "…"
    return InvalidInputError(
        f"The path {shown!r} cannot be used: {why}. Nothing was stored; leave it out to have one chosen.",
        fields={"path": why},
    )
