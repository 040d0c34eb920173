"""A text parsed, linked and shaped: what both the page and the redline are made from."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from sop_server.domain.identifiers import parse_sop_id
from sop_server.rendering.blocks import shape
from sop_server.rendering.code import MAX_COLOURED, code_html
from sop_server.rendering.complexity import too_complex
from sop_server.rendering.inline import finished, plain_text
from sop_server.rendering.links import Linker, Resolve, is_safe, wiki_links
from sop_server.rendering.outline import Heading, outline
from sop_server.rendering.tasks import tasks

_BARE_ID = re.compile(r"(?<![\w-])SOP-[0-9]{4,9}(?![\w-])")


@dataclass(frozen=True, slots=True)
class Prepared:
    """The tokens of a text, and what was gathered on the way. `plain` where it was too complex to parse."""

    tokens: tuple[Token, ...]
    outline: tuple[Heading, ...]
    text: str
    links: tuple[str, ...]
    relative_links: tuple[str, ...]
    plain: bool


class _Parser(MarkdownIt):
    """CommonMark with tables, strike-through, addresses, footnotes, definitions, tasks and `[[SOP-0007]]`; no HTML."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False, "linkify": True})
        self.enable(["table", "strikethrough", "linkify"])
        # “runbook.md” is not an address in Moldova.
        if self.linkify is not None:
            self.linkify.set({"fuzzy_link": False})
        self.use(footnote_plugin).use(deflist_plugin).use(tasks).use(wiki_links)
        self.add_render_rule("fence", _code)
        self.add_render_rule("code_block", _code)

    def validateLink(self, url: str) -> bool:  # noqa: N802  the parser's own name
        return is_safe(url)


class _Parsers(threading.local):
    """One parser per thread: the link finder keeps the state of its search in itself."""

    @cached_property
    def parser(self) -> _Parser:
        """This thread's parser, made when it is first asked for."""
        return _Parser()


_PARSERS = _Parsers()


def prepare(body: str, *, resolve: Resolve, title: str | None = None) -> Prepared:
    """Parse `body`. A first heading that only repeats `title` is left out."""
    if too_complex(body):
        ids = dict.fromkeys(found for found in _BARE_ID.findall(body) if parse_sop_id(found) is not None)
        block = Token("code_block", "code", 0, content=body, block=True)
        return Prepared((block,), (), body, tuple(ids), (), plain=True)
    tokens: Sequence[Token] = _PARSERS.parser.parse(body)
    tokens = _without_title(tokens, title)
    _limit_colour(tokens)
    headings = outline(tokens)
    tokens = shape(tokens)
    text = "\n".join(_texts(tokens))
    linker = Linker(resolve, frozenset(heading.anchor for heading in headings))
    for token in tokens:
        if token.type == "inline":
            token.children = finished(token.children or (), linker)
    return Prepared(tuple(tokens), headings, text, tuple(linker.links), tuple(linker.relative), plain=False)


def html(prepared: Prepared) -> str:
    """Return the HTML of the tokens; it has not passed the gate of `safety` yet."""
    parser = _PARSERS.parser
    rendered: str = parser.renderer.render(prepared.tokens, parser.options, {})
    return rendered


def _without_title(tokens: Sequence[Token], title: str | None) -> Sequence[Token]:
    if title is None or not tokens or tokens[0].type != "heading_open" or tokens[0].tag != "h1":
        return tokens
    words = plain_text(tokens[1].children or ())
    return tokens[3:] if words.split() == title.split() else tokens


def _limit_colour(tokens: Sequence[Token]) -> None:
    """Leave the code plain that comes after `MAX_COLOURED` characters of it: lexers are slow."""
    total = 0
    for token in tokens:
        if token.type == "fence":
            total += len(token.content)
            if total > MAX_COLOURED:
                token.info = ""


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            words = " ".join(plain_text(token.children or ()).split())
        elif token.type in {"fence", "code_block"}:
            words = token.content.strip()
        else:
            continue
        if words:
            yield words


def _code(_renderer: object, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType) -> str:
    return code_html(tokens[at].content, tokens[at].info)
