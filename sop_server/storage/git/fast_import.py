"""The stream that `git fast-import` reads. A line feed in a path or a name would be a command: none passes."""

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sop_server.errors import InvalidInputError
from sop_server.storage.git.commits import FileChange, Identity, NewCommit

SYSTEM = Identity("sop-server", "system@sop-server.invalid")

_MAX_COMPONENT = 255  # bytes: what file systems take, so that a clone can be checked out
_MAX_PATH = 4096


def stream(ref: str, parent: str | None, commits: Sequence[NewCommit]) -> bytes:
    """Return the commands that put `commits` on `ref`, on top of `parent`; answered by one object id per commit.

    Format: git-fast-import(1). `done` at its end tells a whole stream from one that was cut. Raises
    InvalidInputError for a path, a name or a message that git could not keep as it is.
    """
    parts = [b"feature done\n"]
    for mark, commit in enumerate(commits, start=1):
        parts += _commit(ref, mark, commit, start=parent if mark == 1 else None)
    parts += [b"get-mark :%d\n" % mark for mark in range(1, len(commits) + 1)]
    parts.append(b"done\n")
    return b"".join(parts)


def snapshot(ref: str, parent: str | None, commit: NewCommit, files: Mapping[str, str]) -> bytes:
    """Return the commands that put one commit on `ref` which has exactly `files`, ids by path, and nothing else."""
    parts = [b"feature done\n", *_commit(ref, 1, commit, start=parent), b"deleteall\n"]
    for path, oid in sorted(files.items()):
        check_path(path)
        parts.append(b'M 100644 %s "%s"\n' % (oid.encode("ascii"), _quoted(path)))
    parts += [b"get-mark :1\n", b"done\n"]
    return b"".join(parts)


def blob_oid(content: bytes) -> str:
    """Return the id that git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def check_path(path: str) -> None:
    """Raise InvalidInputError unless `path` is a plain relative path that is safe in every clone."""
    reason = _why_unusable(path)
    if reason is not None:
        raise InvalidInputError(
            f"The path {path[:120]!r} cannot be used in the library: {reason}. Nothing was stored; choose another one.",
            fields={"path": reason},
        )


def check_identity(identity: Identity) -> None:
    """Raise InvalidInputError for a name or an address that git cannot write into a commit."""
    for field, text in (("name", identity.name), ("email", identity.email)):
        if any(character in "<>" or unicodedata.category(character) in {"Cc", "Cs"} for character in text):
            raise InvalidInputError(
                f"The author's {field} {text[:120]!r} holds a character that a commit cannot carry "
                "(“<”, “>”, or a control character). Nothing was stored; correct it and try again.",
                fields={field: "must not hold “<”, “>” or control characters"},
            )
    if not identity.name.strip():
        raise InvalidInputError(
            "The author has no name. Nothing was stored; give the person a name and try again.",
            fields={"name": "is required"},
        )


def _commit(ref: str, mark: int, commit: NewCommit, *, start: str | None) -> Iterator[bytes]:
    check_identity(commit.author)
    if "\0" in commit.message:
        raise InvalidInputError(
            "The message of a commit cannot hold the character NUL. Nothing was stored; remove it and try again.",
            fields={"message": "must not hold NUL"},
        )
    message = _encoded(commit.message, "message")
    yield f"commit {ref}\nmark :{mark}\n".encode("ascii")
    yield b"author %s\ncommitter %s\n" % (
        _stamp(commit.author, commit.authored_at),
        _stamp(SYSTEM, commit.committed_at),
    )
    yield b"data %d\n%s\n" % (len(message), message)
    if start is not None:
        yield f"from {start}\n".encode("ascii")
    for change in commit.changes:
        yield _change(change)


def _change(change: FileChange) -> bytes:
    check_path(change.path)
    path = _quoted(change.path)
    if change.content is None:
        return b'D "%s"\n' % path
    return b'M 100644 inline "%s"\ndata %d\n%s\n' % (path, len(change.content), change.content)


def _quoted(path: str) -> bytes:
    return path.encode("utf-8").replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _stamp(identity: Identity, at: datetime) -> bytes:
    if at.tzinfo is None:
        raise ValueError("a commit's time must say its zone")
    # git's dates start in 1970; a clock that was wrong must not keep a text out of the library.
    seconds = max(0, int(at.timestamp()))
    return f"{identity.name.strip()} <{identity.email.strip()}> {seconds} +0000".encode()


def _encoded(text: str, field: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise InvalidInputError(
            f"The {field} holds half of a character (U+{ord(text[exc.start]):04X}). Nothing was stored; type it again.",
            fields={field: "is not valid Unicode"},
        ) from exc


def _why_unusable(path: str) -> str | None:
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in path):
        return "it holds a control character, or half of a character"
    if len(path.encode("utf-8")) > _MAX_PATH:
        return f"it is longer than {_MAX_PATH} bytes"
    # Windows reads a backslash as a folder, so that `..\x` would leave a clone there.
    components = path.replace("\\", "/").split("/")
    return next((reason for reason in map(_why_unusable_component, components) if reason is not None), None)


def _why_unusable_component(component: str) -> str | None:
    if component in {"", ".", ".."}:
        return "it must be relative, without empty parts, “.” and “..”"
    if component.startswith("-"):
        return "no part of it may begin with “-”"
    if len(component.encode("utf-8")) > _MAX_COMPONENT:
        return f"a part of it is longer than {_MAX_COMPONENT} bytes"
    return "names that begin with “.git” are git's own" if _is_gits_own(component) else None


def _is_gits_own(component: str) -> bool:
    # As git's own check does: file systems drop invisible characters and letter case, NTFS has short names.
    visible = "".join(character for character in component if unicodedata.category(character) != "Cf")
    name = visible.casefold()
    return name.startswith((".git", "git~"))
