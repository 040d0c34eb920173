"""Following files back through a history that is read once, newest commit first."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sop_server.storage.git.log_stream import RawChange, RawCommit

_REGULAR = frozenset({"100644", "100755"})


@dataclass(frozen=True, slots=True)
class State:
    """What a commit made of one file, under the path that the file had then."""

    commit_oid: str
    path: str
    blob_oid: str


def trace(
    commits: Iterable[RawCommit], paths: Sequence[str], *, shown: Callable[[bytes], str]
) -> dict[str, list[State]]:
    """Return, for each of today's `paths`, its states, oldest first; `commits` come newest first.

    A file that was deleted and made again has the states of both its lives. `shown` names a path as `paths` do.
    """
    states: dict[str, list[State]] = {path: [] for path in paths}
    owners: dict[str, list[str]] = {path: [path] for path in paths}
    born: set[str] = set()
    for commit in commits:
        moves: list[tuple[str, list[str]]] = []
        for change in commit.changes:
            path = shown(change.path)
            _note(commit, change, path, owners.get(path, ()), states)
            if change.status == "A":
                born.add(path)
            elif change.source is not None:
                moves.append((shown(change.source), owners.pop(path, [])))
        for path, movers in moves:
            if not movers:
                continue
            # Before a file of this name was made anew, the name was the renamed one's alone.
            others = [] if path in born else owners.get(path, [])
            born.discard(path)
            owners[path] = [*others, *movers]
    for found in states.values():
        found.reverse()
    return states


def _note(
    commit: RawCommit, change: RawChange, path: str, owners: Sequence[str], states: dict[str, list[State]]
) -> None:
    if change.mode not in _REGULAR:
        return
    for owner in owners:
        found = states[owner]
        if found and found[-1].blob_oid == change.oid:
            # The older of two commits with the same text made it; the younger changed the mode or the name.
            found.pop()
        found.append(State(commit.oid, path, change.oid))
