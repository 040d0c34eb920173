"""The source of two texts compared line by line, in one column or two."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sop_server.rendering.alignment import align

CONTEXT = 3


class LineKind(StrEnum):
    """What happened to a line. A gap stands for the unchanged lines that are left out."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line; the numbers count from 1 and are None where the side has no such line."""

    kind: LineKind
    old_no: int | None
    new_no: int | None
    text: str


@dataclass(frozen=True, slots=True)
class SidePair:
    """One row of the comparison in two columns; a side is None where it has nothing to show."""

    old: DiffLine | None
    new: DiffLine | None


def raw_diff(old: str, new: str, *, context: int | None = CONTEXT) -> tuple[DiffLine, ...]:
    """Return the lines of both texts in reading order, unchanged ones only near a change (None: all of them)."""
    lines = _lines(old, new)
    if context is None:
        return tuple(lines)
    near = _near(lines, context)
    shown: list[DiffLine] = []
    skipped = 0
    for line, keep in zip(lines, near, strict=True):
        if keep:
            if skipped:
                shown.append(_gap(skipped))
            skipped = 0
            shown.append(line)
        else:
            skipped += 1
    if skipped and shown:
        shown.append(_gap(skipped))
    return tuple(shown)


def side_by_side(old: str, new: str, *, context: int | None = CONTEXT) -> tuple[SidePair, ...]:
    """Return the same comparison as rows of (old, new), removed and added lines facing each other."""
    return facing(raw_diff(old, new, context=context))


def facing(lines: Sequence[DiffLine]) -> tuple[SidePair, ...]:
    """Return the lines of one column as rows of two."""
    rows: list[SidePair] = []
    removed: list[DiffLine] = []
    added: list[DiffLine] = []
    for line in lines:
        if line.kind is LineKind.REMOVED:
            removed.append(line)
        elif line.kind is LineKind.ADDED:
            added.append(line)
        else:
            rows += _opposite(removed, added)
            removed, added = [], []
            rows.append(SidePair(line, line))
    return (*rows, *_opposite(removed, added))


def _lines(old: str, new: str) -> list[DiffLine]:
    before, after = _split(old), _split(new)
    lines: list[DiffLine] = []
    i = j = 0
    for a, b in [*align(before, after), (len(before), len(after))]:
        lines += [DiffLine(LineKind.REMOVED, at + 1, None, before[at]) for at in range(i, a)]
        lines += [DiffLine(LineKind.ADDED, None, at + 1, after[at]) for at in range(j, b)]
        if a < len(before) and b < len(after):
            lines.append(DiffLine(LineKind.SAME, a + 1, b + 1, before[a]))
        i, j = a + 1, b + 1
    return lines


def _split(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _near(lines: Sequence[DiffLine], context: int) -> list[bool]:
    near = [False] * len(lines)
    for at, line in enumerate(lines):
        if line.kind is not LineKind.SAME:
            for close in range(max(0, at - context), min(len(lines), at + context + 1)):
                near[close] = True
    return near


def _gap(skipped: int) -> DiffLine:
    return DiffLine(LineKind.GAP, None, None, f"{skipped} unchanged line{'s' if skipped > 1 else ''}")


def _opposite(removed: Sequence[DiffLine], added: Sequence[DiffLine]) -> list[SidePair]:
    return [
        SidePair(removed[at] if at < len(removed) else None, added[at] if at < len(added) else None)
        for at in range(max(len(removed), len(added)))
    ]
