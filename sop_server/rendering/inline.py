"""The insides of a paragraph: links resolved, ids linked, amounts kept whole."""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from sop_server.rendering.links import Linker
from sop_server.rendering.words import Part, stretches


def plain_text(children: Sequence[Token]) -> str:
    """Return what a reader reads of `children`."""
    return "".join(_read(child) for child in children)


def finished(children: Sequence[Token], linker: Linker) -> list[Token]:
    """Return `children` with every link led to its place, and the words of the text cut into their kinds."""
    done: list[Token] = []
    closing: list[str] = []
    for child in children:
        if child.type == "link_open":
            opening = linker.opening(str(child.attrs.get("href", "")), str(child.attrs.get("title", "")))
            closing.append(opening.tag)
            done.append(opening)
        elif child.type == "link_close":
            tag = closing.pop()
            done.append(Token("link_close" if tag == "a" else "span_close", tag, -1))
        elif child.type == "image":
            done.extend(_image(child, linker, inside_link=bool(closing)))
        elif child.type == "text":
            done.extend(_text(child, linker, inside_link=bool(closing)))
        else:
            done.append(child)
    return done


def _image(token: Token, linker: Linker, *, inside_link: bool) -> list[Token]:
    alt = plain_text(token.children or ())
    tokens = linker.image(str(token.attrs.get("src", "")), alt)
    # A link inside a link is not HTML.
    return [part for part in tokens if not inside_link or part.tag != "a"]


def _text(token: Token, linker: Linker, *, inside_link: bool) -> Iterator[Token]:
    for stretch in stretches(token.content):
        words = Token("text", "", 0)
        words.content = stretch.text
        if stretch.part is Part.AMOUNT:
            opening = Token("span_open", "span", 1)
            opening.attrs = {"class": "amount"}
            yield from (opening, words, Token("span_close", "span", -1))
        elif stretch.part is Part.SOP_ID and not inside_link:
            opening = linker.opening(stretch.text)
            yield from (opening, words, Token(opening.type.replace("open", "close"), opening.tag, -1))
        else:
            yield words


def _read(token: Token) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    if token.type == "image":
        return plain_text(token.children or ())
    if token.type == "html_inline":  # the box of a task
        return ""
    return token.content
