"""A comparison in the shape in which somebody wants to see it."""

from collections.abc import Sequence

from sop_server.rendering.raw_diff import DiffLine, facing


def sides(lines: Sequence[DiffLine]) -> list[tuple[DiffLine | None, DiffLine | None]]:
    """Return a comparison line by line as rows of (before, after)."""
    return [(pair.old, pair.new) for pair in facing(lines)]
