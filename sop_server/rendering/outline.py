"""The headings of a text: their levels, their anchors."""

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from sop_server.domain.identifiers import slugify
from sop_server.rendering.inline import plain_text

_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading; `anchor` is its `id` in the HTML, the same as long as its words are."""

    level: int
    text: str
    anchor: str


def outline(tokens: Sequence[Token]) -> tuple[Heading, ...]:
    """Anchor the headings of `tokens` in place, and return them.

    The SOP's title is the page's first level, so a text that uses `#` is moved down by one.
    """
    places = [at for at, token in enumerate(tokens) if token.type == "heading_open"]
    shift = 1 if any(tokens[at].tag == "h1" for at in places) else 0
    headings: list[Heading] = []
    taken: dict[str, int] = {}
    for at in places:
        level = min(int(tokens[at].tag[1]) + shift, _DEEPEST)
        tokens[at].tag = tokens[at + 2].tag = f"h{level}"
        text = " ".join(plain_text(tokens[at + 1].children or ()).split())
        anchor = free(f"s-{slugify(text, fallback='section')}", taken)
        tokens[at].attrs = {"id": anchor}
        headings.append(Heading(level, text, anchor))
    return tuple(headings)


def free(name: str, taken: dict[str, int]) -> str:
    """Return `name`, or `name-2`, `name-3`, … where it is taken; what is returned is taken from now on."""
    chosen, number = name, taken.get(name, 0)
    while chosen in taken:
        number += 1
        chosen = f"{name}-{number}"
    # The next one of this name starts counting here, so that a thousand like headings stay linear.
    taken[name] = max(number, 1)
    taken.setdefault(chosen, 1)
    return chosen
