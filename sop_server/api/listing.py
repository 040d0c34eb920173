"""Parts of lists that a service returns whole."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sop_server.api.schemas.base import Listing, Output, Paging
from sop_server.services.paging import number_after

Item = TypeVar("Item")
Shown = TypeVar("Shown", bound=Output)


def part(
    items: Sequence[Item], paging: Paging, show: Callable[[Item], Shown], kind: type[Listing[Shown]]
) -> Listing[Shown]:
    """Return the part that `paging` asks for; the cursor counts what went before, so the order must be lasting."""
    start = number_after(paging.cursor) or 0
    end = start + paging.limit
    return kind(items=[show(item) for item in items[start:end]], next=str(end) if end < len(items) else None)
