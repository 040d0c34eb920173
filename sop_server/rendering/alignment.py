"""Which elements of two sequences belong together, in time that hostile input cannot stretch."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

# Cells of an exact comparison; larger stretches are cut at elements that stand once in both.
_EXACT = 10_000
_DEEPEST = 12

Pair = tuple[int, int]


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Pair]:
    """Return the pairs (place in `old`, place in `new`) of equal elements that stay, both rising.

    Patience: elements that stand once in both hold the frame, small stretches between them are compared exactly,
    large ones without such elements count as rewritten.
    """
    numbers: dict[Hashable, int] = {}
    a = [numbers.setdefault(element, len(numbers)) for element in old]
    b = [numbers.setdefault(element, len(numbers)) for element in new]
    pairs: list[Pair] = []
    pending = [(0, len(a), 0, len(b), 0)]
    while pending:
        a_from, a_to, b_from, b_to, depth = pending.pop()
        while a_from < a_to and b_from < b_to and a[a_from] == b[b_from]:
            pairs.append((a_from, b_from))
            a_from, b_from = a_from + 1, b_from + 1
        while a_from < a_to and b_from < b_to and a[a_to - 1] == b[b_to - 1]:
            a_to, b_to = a_to - 1, b_to - 1
            pairs.append((a_to, b_to))
        if a_from == a_to or b_from == b_to:
            continue
        if (a_to - a_from) * (b_to - b_from) <= _EXACT:
            found = _exact(a[a_from:a_to], b[b_from:b_to])
            pairs.extend((a_from + i, b_from + j) for i, j in found)
        elif depth < _DEEPEST:
            anchors = _anchors(a[a_from:a_to], b[b_from:b_to])
            i, j = a_from, b_from
            for a_step, b_step in anchors:
                a_at, b_at = a_from + a_step, b_from + b_step
                pairs.append((a_at, b_at))
                pending.append((i, a_at, j, b_at, depth + 1))
                i, j = a_at + 1, b_at + 1
            if anchors:
                pending.append((i, a_to, j, b_to, depth + 1))
    pairs.sort()
    return pairs


def _exact(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    """Return a longest common subsequence by the textbook's table."""
    width = len(b) + 1
    table = [[0] * width]
    for element in reversed(a):
        below, row = table[-1], [0] * width
        for j in range(width - 2, -1, -1):
            row[j] = below[j + 1] + 1 if element == b[j] else max(below[j], row[j + 1])
        table.append(row)
    table.reverse()
    pairs: list[Pair] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _anchors(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    """Return the longest rising run of elements that stand once in `a` and once in `b`."""
    in_a, in_b = Counter(a), Counter(b)
    place = {element: j for j, element in enumerate(b) if in_b[element] == 1}
    once = [(i, place[element]) for i, element in enumerate(a) if in_a[element] == 1 and element in place]
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, j) in enumerate(once):
        length = bisect_left(tails, j)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(j)
            ends.append(at)
        else:
            tails[length], ends[length] = j, at
    run: list[Pair] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        run.append(once[at])
        at = before[at]
    return run[::-1]
