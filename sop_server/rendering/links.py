"""Where the links of a text lead: SOPs, files of the library, the world outside."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from sop_server.domain.identifiers import parse_sop_id, slugify

SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

_WIKI = re.compile(r"\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]\n]{1,300}))?\]\]")
_SOP_URL = re.compile(r"/sops/(SOP-[0-9]{4,9})(?=[/?#]|$)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link leads. `title` is shown when a pointer rests on it."""

    href: str
    title: str = ""


Resolve = Callable[[str], Link | None]


@dataclass(slots=True)
class Linker:
    """Asks `resolve` for each link of one text, and remembers what was linked."""

    resolve: Resolve
    anchors: frozenset[str]
    links: dict[str, None] = field(default_factory=dict)
    relative: dict[str, None] = field(default_factory=dict)

    def opening(self, target: str, title: str = "") -> Token:
        """Return the token that opens a link to `target`: an `a`, or a `span` where it leads nowhere."""
        if target.startswith("#"):
            return _anchor(self._fragment(target[1:]), title)
        if target.startswith("//") or _SCHEME.match(target):
            return _external(target, title)
        sop = _SOP_URL.match(target)
        if sop is not None:
            return self._sop(sop.group(1), target[sop.end() :], title)
        path, mark, fragment = target.partition("#")
        name = unquote(path)
        if parse_sop_id(name) is not None:
            return self._sop(name, mark + fragment, title)
        return self._path(name, target, mark + fragment, title)

    def image(self, source: str, alt: str) -> list[Token]:
        """Return the tokens of an image: the image where the library has it, else words in its place."""
        words = _text(f"(image: {alt or source.rpartition('/')[2] or 'without a name'})")
        if source.startswith("//") or _SCHEME.match(source):
            return [_external(source, ""), words, Token("link_close", "a", -1)]
        link = self.resolve(unquote(source))
        if link is None or not is_safe(link.href):
            return [_span("image-missing"), words, Token("span_close", "span", -1)]
        image = Token("picture", "img", 0)
        image.attrs = {"src": link.href, "alt": alt, "loading": "lazy"}
        image.content = words.content
        return [image]

    def _sop(self, sop_id: str, rest: str, title: str) -> Token:
        self.links.setdefault(sop_id)
        link = self.resolve(sop_id)
        return _span("broken-link") if link is None else _anchor(link.href + rest, title or link.title)

    def _path(self, name: str, target: str, rest: str, title: str) -> Token:
        link = self.resolve(name)
        if link is None:
            if name.startswith("/"):
                return _anchor(target, title)
            if name.endswith(".md"):
                self.relative.setdefault(name)
            return _span("broken-link")
        sop = _SOP_URL.match(link.href)
        if sop is not None:
            self.links.setdefault(sop.group(1))
        return _anchor(link.href + rest, title or link.title)

    def _fragment(self, fragment: str) -> str:
        # Authors write the anchors of the tool they come from; ours are made by `slugify` and carry a prefix.
        ours = f"s-{slugify(unquote(fragment), fallback='section')}"
        return f"#{ours if ours in self.anchors else fragment}"


def is_safe(url: str) -> bool:
    """Tell whether `url` is relative, or of a scheme that may be linked."""
    try:
        scheme = urlsplit(url.strip()).scheme
    except ValueError:
        return False
    return not scheme or scheme.lower() in SAFE_SCHEMES


def wiki_links(md: MarkdownIt) -> None:
    """Teach the parser `[[SOP-0007]]` and `[[SOP-0007|words]]`."""
    md.inline.ruler.before("link", "wiki_link", _wiki_link)


def _wiki_link(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  the parser calls its rules by position
    if not state.src.startswith("[[", state.pos):
        return False
    match = _WIKI.match(state.src, state.pos, state.posMax)
    if match is None or parse_sop_id(match.group(1).strip()) is None:
        return False
    if not silent:
        sop_id = match.group(1).strip()
        opening = state.push("link_open", "a", 1)
        opening.attrs = {"href": sop_id}
        state.push("text", "", 0).content = (match.group(2) or sop_id).strip() or sop_id
        state.push("link_close", "a", -1)
    state.pos = match.end()
    return True


def _anchor(href: str, title: str) -> Token:
    token = Token("link_open", "a", 1)
    token.attrs = {"href": href, "title": title} if title else {"href": href}
    return token


def _external(href: str, title: str) -> Token:
    token = _anchor(href, title)
    if not href.lower().startswith(("mailto:", "tel:")):
        token.attrs = {**token.attrs, "rel": "noopener noreferrer", "class": "external"}
    return token


def _span(name: str) -> Token:
    token = Token("span_open", "span", 1)
    token.attrs = {"class": name}
    return token


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token
