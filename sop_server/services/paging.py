"""One page of a list, and the cursor that asks for the next one."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from sop_server.domain.identifiers import MAX_DIGITS
from sop_server.errors import InvalidInputError

MAX_LIMIT = 200
DEFAULT_LIMIT = 50

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a list; `next` is the cursor of what follows, None at the end."""

    items: tuple[Item, ...]
    next: str | None


def check_limit(limit: int) -> int:
    """Return `limit`; raises InvalidInputError unless it is 1 to 200."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInputError(
            f"A page holds 1 to {MAX_LIMIT} entries, not {limit}.", fields={"limit": f"1 to {MAX_LIMIT}"}
        )
    return limit


def number_after(cursor: str | None) -> int | None:
    """Return the number that a cursor stands for, None at the beginning; raises InvalidInputError for another text."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= MAX_DIGITS):
        raise InvalidInputError(
            "This cursor was not given by this server. Start again without one.",
            fields={"cursor": "must be the `next` of the page before"},
        )
    return int(cursor)
