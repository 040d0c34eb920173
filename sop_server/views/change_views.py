"""The three ways to look at a change: as it is read, line by line, side by side."""

from collections.abc import Callable
from enum import StrEnum


class ChangeView(StrEnum):
    """A way to look at a change."""

    REDLINE = "redline"
    SIDES = "sides"
    RAW = "raw"

    @classmethod
    def of(cls, name: str | None) -> "ChangeView":
        """Return the way that an address names; the redline where it names none."""
        return cls(name) if name in set(cls) else cls.REDLINE


_WORDS = {ChangeView.REDLINE: "As it is read", ChangeView.SIDES: "Side by side", ChangeView.RAW: "Line by line"}


def switch(chosen: ChangeView, address: Callable[[str], str]) -> list[tuple[str, str, bool]]:
    """Return the switch between them: words, address, whether it is the one that is shown."""
    return [(words, address(view), view is chosen) for view, words in _WORDS.items()]
