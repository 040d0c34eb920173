"""Markdown becomes safe HTML, an outline, plain text and links."""

from dataclasses import dataclass
from html import escape

from sop_server.rendering.links import Link, Resolve
from sop_server.rendering.outline import Heading
from sop_server.rendering.prepared import html, prepare
from sop_server.rendering.safety import clean

__all__ = ["Heading", "Link", "Rendered", "Resolve", "render"]

_TOO_COMPLEX = (
    '<p class="too-complex">This text is too large or too deeply nested to be laid out. '
    "It is shown as it was written; nothing is left out.</p>\n"
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text ready to be shown.

    `html` is safe to embed; `text` and `headings_text` are plain, for search and snippets; `links` are the ids of the
    SOPs that the text refers to, there or not; `relative_links` the `.md` paths that lead nowhere.
    """

    html: str
    outline: tuple[Heading, ...]
    text: str
    headings_text: str
    links: tuple[str, ...]
    relative_links: tuple[str, ...]


def render(body: str, *, resolve: Resolve, title: str | None = None) -> Rendered:
    """Render `body`, whatever it is; what would take too long is shown as it was written.

    `resolve` is asked for each id (`SOP-0007`) and each path, without its fragment; None is a broken link.
    A first heading that only repeats `title` is left out, as the page has it already.
    """
    prepared = prepare(body, resolve=resolve, title=title)
    return Rendered(
        html=_as_written(body) if prepared.plain else clean(html(prepared)),
        outline=prepared.outline,
        text=prepared.text,
        headings_text="\n".join(heading.text for heading in prepared.outline),
        links=prepared.links,
        relative_links=prepared.relative_links,
    )


def _as_written(body: str) -> str:
    # Escaped whole, so there is nothing for the gate to find, which takes seconds over a million entities.
    return f'{_TOO_COMPLEX}<pre class="plain">{escape(body, quote=False)}</pre>\n'
