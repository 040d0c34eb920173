"""Annotated tags: statements about the library that stand beside its history, and come along with every clone."""

from datetime import UTC, datetime

from git import Git

from sop_server.errors import DamagedError
from sop_server.storage.git.git_process import run

_SEPARATOR = "%00"
_FIELDS = 3

_TAGGER = "sop-server <sop-server@localhost>"


def tag_object(name: str, target: str, kind: str, message: str, at: datetime) -> bytes:
    """Return an annotated tag as git keeps it."""
    seconds = int(at.astimezone(UTC).timestamp())
    return f"object {target}\ntype {kind}\ntag {name}\ntagger {_TAGGER} {seconds} +0000\n\n{message}".encode()


def read_tags(git: Git, prefix: str) -> dict[str, str]:
    """Return the message of each annotated tag whose name begins with `prefix`, by name; "" for one that has none.

    Raises DamagedError with git's reason.
    """
    finished = run(
        git,
        [
            "for-each-ref",
            f"--format=%(refname:lstrip=2){_SEPARATOR}%(objecttype){_SEPARATOR}%(contents){_SEPARATOR}",
            f"refs/tags/{prefix}*",
        ],
    )
    if finished.status != 0:
        raise DamagedError(f"The library's tags cannot be read: {finished.errors}. Run `sop-server check`.")
    fields = finished.output.decode("utf-8", "replace").split("\0")
    named = zip(*(fields[start::_FIELDS] for start in range(_FIELDS)), strict=False)
    return {name.strip(): message if kind == "tag" else "" for name, kind, message in named}
