"""Reading `git log --raw -z`: one pass over the history, commit by commit, whatever the names and messages hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from git import Git

from sop_server.errors import DamagedError
from sop_server.storage.git.git_process import tokens

_BEGIN = b"commit"
_COMMIT_ID = "%H"
_OPTIONS = (
    "log",
    "-z",
    "--raw",
    "--no-abbrev",
    "--no-color",
    "--no-notes",
    "--no-show-signature",
    "--no-ext-diff",
    "--no-textconv",
    "--encoding=UTF-8",
)
SYMLINK = "120000"
SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class RawChange:
    """One file of one commit: `status` is git's letter, `source` the path that it was renamed from."""

    status: str
    mode: str
    oid: str
    path: bytes
    source: bytes | None


@dataclass(frozen=True, slots=True)
class RawCommit:
    """One commit: the values of the placeholders asked for, in their order, and its files."""

    oid: str
    fields: tuple[bytes, ...]
    changes: tuple[RawChange, ...]


def read_log(git: Git, arguments: Sequence[str], *, placeholders: Sequence[str]) -> Iterator[RawCommit]:
    """Yield the commits that `git log ARGUMENTS` lists. Raises DamagedError where the history cannot be read."""
    wanted = (_COMMIT_ID, *placeholders)
    layout = "%x00".join((_BEGIN.decode(), *wanted)) + "%x00"
    stream = tokens(git, [*_OPTIONS, f"--format=tformat:{layout}", *arguments])
    fields: tuple[bytes, ...] | None = None
    changes: list[RawChange] = []
    for token in stream:
        if token == _BEGIN:
            if fields is not None:
                yield RawCommit(fields[0].decode(), fields[1:], tuple(changes))
            fields = tuple(_next(stream) for _ in wanted)
            changes = []
        elif token.strip():
            changes.append(_change(token.lstrip(b"\n"), stream))
    if fields is not None:
        yield RawCommit(fields[0].decode(), fields[1:], tuple(changes))


def _change(token: bytes, stream: Iterator[bytes]) -> RawChange:
    parents = len(token) - len(token.lstrip(b":"))
    words = token[parents:].decode("ascii").split(" ")
    # A merge has one mode and one id of each parent first: the last ones are the outcome's.
    status = words[-1]
    mode, oid = words[parents], words[-2]
    source = _next(stream) if parents == 1 and status[0] in "RC" else None
    return RawChange(status[0], mode, oid, _next(stream), source)


def _next(stream: Iterator[bytes]) -> bytes:
    token = next(stream, None)
    if token is None:
        raise DamagedError("git's account of the history ended early. Run `sop-server check`.")
    return token
