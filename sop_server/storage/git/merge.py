"""The three-way merge of one file."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from git import Git

from sop_server.errors import DamagedError
from sop_server.storage.git.git_process import isolate, run

_MOST_CONFLICTS = 127  # git-merge-file(1) counts no further; a failure is above


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of a merge; where it is `conflicted` the content has markers around what collides."""

    content: bytes
    conflicted: bool


def merge(base: bytes, ours: bytes, theirs: bytes, *, labels: tuple[str, str, str]) -> Merged:
    """Bring two changes of `base` together. `labels` name ours, base and theirs at the conflict markers.

    Raises DamagedError where git cannot merge them, as with content that is no text.
    """
    if theirs in (ours, base):
        return Merged(ours, conflicted=False)
    if ours == base:
        return Merged(theirs, conflicted=False)
    with tempfile.TemporaryDirectory(prefix="sop-merge-") as folder:
        names = ("ours", "base", "theirs")
        for name, content in zip(names, (ours, base, theirs), strict=True):
            (Path(folder) / name).write_bytes(content)
        git = Git(folder)
        isolate(git, Path(folder) / "none")
        options = [option for label in labels for option in ("-L", " ".join(label.split()))]
        finished = run(git, ["merge-file", "-p", "-q", *options, *names])
    if not 0 <= finished.status <= _MOST_CONFLICTS:
        raise DamagedError(
            f"The two texts could not be merged: {finished.errors or 'git gave no reason'}. Both are kept as they were."
        )
    return Merged(finished.output, conflicted=finished.status > 0)
