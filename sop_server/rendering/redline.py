"""What changed between two texts, word by word, in the text as it is read."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from sop_server.rendering.alignment import Pair, align
from sop_server.rendering.links import Resolve
from sop_server.rendering.prepared import prepare
from sop_server.rendering.redline_blocks import Block, Container, blocks
from sop_server.rendering.redline_html import Fate, Place, Writer, placed, shared
from sop_server.rendering.safety import clean

# Two blocks that share less than this of their words are two blocks.
LIKENESS = 0.4
_EXACT = 400
_WINDOW = 6
_MOVED_WORDS = 3


class _Kind(StrEnum):
    KEPT = "kept"
    CHANGED = "changed"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Redline:
    """The comparison: safe HTML, and how many words were inserted, deleted, and how many blocks only moved.

    `changed` tells whether a reader would see a difference.
    """

    html: str
    changed: bool
    insertions: int
    deletions: int
    moved: int


@dataclass(frozen=True, slots=True)
class _Step:
    kind: _Kind
    old: Block | None
    new: Block | None


def redline(old_body: str, new_body: str, *, resolve: Resolve) -> Redline:
    """Compare two bodies as they are read: `<ins>` and `<del>` around words, whole blocks where they were rewritten.

    A block that stands elsewhere, word for word, is marked `moved` in both places.
    """
    old = blocks(prepare(old_body, resolve=resolve))
    new = blocks(prepare(new_body, resolve=resolve))
    steps = list(_steps(old, new))
    moved = _moved(steps)
    became = _same_containers(steps)
    writer = Writer(became)
    for step in _interleaved(steps, became):
        if step.old is not None and step.new is not None:
            writer.kept(step.new) if step.kind is _Kind.KEPT else writer.changed(step.old, step.new)
        elif step.old is not None:
            writer.whole(step.old, Fate.MOVED_AWAY if id(step.old) in moved else Fate.GONE)
        elif step.new is not None:
            writer.whole(step.new, Fate.MOVED_HERE if id(step.new) in moved else Fate.NEW)
    return Redline(
        html=clean(writer.html()),
        changed=any(step.kind is not _Kind.KEPT for step in steps),
        insertions=writer.insertions,
        deletions=writer.deletions,
        moved=sum(1 for step in steps if step.old is None and id(step.new) in moved),
    )


def _steps(old: Sequence[Block], new: Sequence[Block]) -> Iterator[_Step]:
    same = align([block.key for block in old], [block.key for block in new])
    i = j = 0
    for a, b in [*same, (len(old), len(new))]:
        yield from _gap(old[i:a], new[j:b])
        if a < len(old) and b < len(new):
            yield _Step(_Kind.KEPT, old[a], new[b])
        i, j = a + 1, b + 1


def _interleaved(steps: Sequence[_Step], became: Mapping[int, Container]) -> Iterator[_Step]:
    """Yield the steps so that lists and tables stay whole: between what stayed, the block of the open box comes first.

    What went keeps its order, and so does what came.
    """
    at: Place = ()
    for apart, run in groupby(steps, key=lambda step: step.kind in {_Kind.GONE, _Kind.NEW}):
        if not apart:
            for step in run:
                at = () if step.new is None else placed(step.new.path)
                yield step
            continue
        queue = list(run)
        gone = deque((step, placed(step.old.path, became)) for step in queue if step.old is not None)
        came = deque((step, placed(step.new.path)) for step in queue if step.new is not None)
        while gone or came:
            old_first = not came or (bool(gone) and shared(at, gone[0][1]) >= shared(at, came[0][1]))
            step, at = gone.popleft() if old_first else came.popleft()
            yield step


def _gap(old: Sequence[Block], new: Sequence[Block]) -> Iterator[_Step]:
    """Yield what became of the blocks between two that stayed: changed pairs, and those that came or went."""
    i = j = 0
    for a, b in [*_alike(old, new), (len(old), len(new))]:
        for block in old[i:a]:
            yield _Step(_Kind.GONE, block, None)
        for block in new[j:b]:
            yield _Step(_Kind.NEW, None, block)
        if a < len(old) and b < len(new):
            yield _Step(_Kind.CHANGED, old[a], new[b])
        i, j = a + 1, b + 1


def _alike(old: Sequence[Block], new: Sequence[Block]) -> list[Pair]:
    """Return the rising pairs that are most alike together; only near places are tried where there are many."""
    if not old or not new:
        return []

    def likeness(i: int, j: int) -> float:
        if old[i].shape != new[j].shape:
            return 0.0
        before, after = old[i].traits, new[j].traits
        total = before.total() + after.total()
        share = 2 * (before & after).total() / total if total else 1.0
        return share if share >= LIKENESS else 0.0

    if len(old) * len(new) > _EXACT:
        return _near_alike(len(old), len(new), likeness)
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    scores = [[likeness(i, j) for j in range(len(new))] for i in range(len(old))]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            paired = best[i + 1][j + 1] + scores[i][j] if scores[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if scores[i][j] and best[i][j] == best[i + 1][j + 1] + scores[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _near_alike(old: int, new: int, likeness: Callable[[int, int], float]) -> list[Pair]:
    pairs: list[Pair] = []
    start = 0
    for j in range(new):
        near = range(start, min(old, start + _WINDOW))
        i = max(near, key=lambda place: likeness(place, j), default=None)
        if i is not None and likeness(i, j):
            pairs.append((i, j))
            start = i + 1
    return pairs


def _moved(steps: Sequence[_Step]) -> set[int]:
    """Return the identities of the blocks that went from one place and came to another, word for word."""
    gone: dict[tuple[object, ...], list[Block]] = {}
    for step in steps:
        if step.kind is _Kind.GONE and step.old is not None and len(step.old.words) >= _MOVED_WORDS:
            gone.setdefault(step.old.atoms, []).append(step.old)
    moved: set[int] = set()
    for step in steps:
        if step.kind is _Kind.NEW and step.new is not None and gone.get(step.new.atoms):
            moved |= {id(step.new), id(gone[step.new.atoms].pop(0))}
    return moved


def _same_containers(steps: Sequence[_Step]) -> Mapping[int, Container]:
    """Return which list, item or table of the new text each one of the old became, by the blocks they share."""
    became: dict[int, Container] = {}
    taken: set[int] = set()
    for step in steps:
        if step.old is None or step.new is None:
            continue
        for before, after in zip(step.old.path, step.new.path, strict=False):
            if before.serial not in became and after.serial not in taken and before.tag == after.tag:
                became[before.serial] = after
                taken.add(after.serial)
            if became.get(before.serial) != after:
                break
    return became
