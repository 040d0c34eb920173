"""Documents as the product shows them: text, redline, snippet, outline and raw difference, by its own templates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from flask import Flask
from pydantic import SecretStr

from sop_server.app import create_app
from sop_server.domain import front_matter
from sop_server.domain.content import UnreadableContentError, normalise
from sop_server.domain.policy import Policy
from sop_server.rendering import safety
from sop_server.rendering.links import SAFE_SCHEMES, Link
from sop_server.rendering.markdown import Rendered, render
from sop_server.rendering.raw_diff import raw_diff
from sop_server.rendering.redline import redline
from sop_server.resources import resource
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from sop_server.storage.search.analysis import term_of
from sop_server.storage.search.snippets import Wanted, snippet
from tests.hostile.documents import Document

Render = Callable[[str], Rendered]

_ID = re.compile(r'\bid="([a-zA-Z][\w-]*)"')
_LIBRARY = {
    "SOP-0007": Link("/sops/SOP-0007", 'Chargebacks "<b>'),
    "../other.md": Link("/sops/SOP-0011"),
    "flow.png": Link("/attachments/3/flow.png"),
    # No library leads here; it shows that the last gate holds where the first one is passed.
    "evil": Link("javascript:tripped()"),
}
_WANTED = Wanted(frozenset(map(term_of, ("open", "order", "alert", "script", "img"))), ("on", "x"))
_CASE = """
{%- from '_text.html' import outline, sop_text, redline, raw_diff -%}
<article class="case" data-number="{{ number }}">
<h2 data-title="{{ title }}">{{ title }}</h2>
<dl>{% for name, value in front.items() %}<div><dt>{{ name }}</dt><dd>
{%- if value is mapping %}{{ value|tojson }}{% else %}{{ value }}{% endif %}</dd></div>{% endfor %}</dl>
{{ outline(rendered.outline) }}
{{ sop_text(rendered.html|safe, 'SOP-0001', 1) }}
{{ redline(red|safe) }}
<p class="snippet">{{ snippet|safe }}</p>
{{ raw_diff(lines) }}
</article>
"""
_HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What is shown</title></head><body>'
_FOOT = '<p id="the-end"></p></body></html>'


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents shown on one page."""

    html: str
    count: int


class Showing:
    """Shows documents. `render` is the product's own unless a test wants to see the walk fail."""

    def __init__(self, rendered: Render | None = None) -> None:
        self._render = rendered or product
        settings = Settings(home=Path("nowhere"), secret_key=SecretStr("for the templates alone"))
        self._app: Flask = create_app(settings, stores=cast("Stores", SimpleNamespace(policy=Policy())))
        self._template = self._app.jinja_env.from_string(_CASE)

    def batch(self, documents: dict[int, Document]) -> Batch:
        """Return the page of some documents by their numbers."""
        with self._app.test_request_context():
            cases = "".join(self._case(number, one) for number, one in documents.items())
        return Batch(f"{_HEAD}{cases}{_FOOT}", len(documents))

    def _case(self, number: int, one: Document) -> str:
        title, front, body = _read(one)
        rendered = self._render(body)
        return self._template.render(
            number=number,
            title=title,
            front=front,
            rendered=rendered,
            red=redline(body, one.changed, resolve=_LIBRARY.get).html,
            snippet=snippet(rendered.text, _WANTED),
            lines=raw_diff(body, one.changed),
        )


def product(body: str) -> Rendered:
    """Render as every page does."""
    return render(body, resolve=_LIBRARY.get)


def rules(count: int) -> dict[str, Any]:
    """Return what the walk may meet: the list of the renderer's last gate, and of the templates around the text."""
    frame = {name for path in resource("templates").rglob("*.html") for name in _ID.findall(path.read_text("utf-8"))}
    return {
        "count": count,
        "tags": sorted(safety.TAGS | {"mark"}),
        "own": "article details summary nav dl div dt dd h2 p span table thead tbody tr th td".split(),
        "everywhere": sorted(safety.ATTRIBUTES["*"]),
        "attributes": {
            **{tag: sorted(names) for tag, names in safety.ATTRIBUTES.items()},
            "input": ["checked", "disabled", "type"],
            "th": ["scope"],
        },
        "schemes": [f"{scheme}:" for scheme in sorted(SAFE_SCHEMES)],
        "frame": sorted(frame),
    }


def _read(one: Document) -> tuple[str, dict[str, object], str]:
    """Return title, front matter and body as the product reads them from the file."""
    try:
        parsed = front_matter.parse(normalise(one.content))
    except UnreadableContentError:
        return "", {}, one.body
    return parsed.front.title or "", dict(parsed.raw), parsed.body
