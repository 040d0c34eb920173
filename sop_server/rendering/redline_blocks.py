"""A laid-out text as a row of blocks made of words, ready to be compared with another."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

from markdown_it.token import Token

from sop_server.rendering.prepared import Prepared

_WORDS = re.compile(r"\s+|[^\W_]+(?:['\u2019.,:/@-][^\W_]+)*|.", re.DOTALL)
_CODE = re.compile(r"\n|[^\S\n]+|[^\W_]+|.", re.DOTALL)
_CODE_LINES = re.compile(r"[^\n]*\n|[^\n]+")
# Code beyond this many characters is compared by lines.
_LONG_CODE = 20_000
_KEPT = ("class", "role", "aria-label", "tabindex", "scope")

Attributes = tuple[tuple[str, str], ...]
Mark = tuple[str, Attributes]


@dataclass(frozen=True, slots=True)
class Atom:
    """A word, a space or a sign, and the marks around it, outermost first. A line break is a newline outside code."""

    text: str
    marks: tuple[Mark, ...] = ()

    @property
    def is_word(self) -> bool:
        """Tell whether it counts as a word."""
        return any(letter.isalnum() for letter in self.text)


@dataclass(frozen=True, slots=True)
class Container:
    """A list, an item, a table, an aside: whatever holds blocks. `serial` tells it from its like."""

    serial: int
    tag: str
    attributes: Attributes
    value: int | None = None  # the number of a list's item


@dataclass(frozen=True, slots=True)
class Cell:
    """A run of words: the whole of a paragraph, or one cell of a table's row."""

    tag: str
    attributes: Attributes
    atoms: tuple[Atom, ...]


@dataclass(frozen=True)
class Block:
    """The smallest thing that is compared as a whole: a paragraph, a heading, a table's row, a piece of code."""

    path: tuple[Container, ...]
    tag: str
    cells: tuple[Cell, ...]
    level: int = 0  # a heading's, as its author wrote it
    extra: Attributes = field(default=())

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """What must agree for two blocks to be one block that was changed."""
        family = "h" if self.level else self.tag
        return (
            family,
            self.level,
            len(self.cells),
            tuple((box.tag, box.attributes if box.tag == "aside" else ()) for box in self.path),
        )

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for equal blocks."""
        return (self.shape, self.atoms)

    @cached_property
    def atoms(self) -> tuple[tuple[Atom, ...], ...]:
        """The words of each cell."""
        return tuple(cell.atoms for cell in self.cells)

    @cached_property
    def traits(self) -> Counter[str]:
        """What likeness goes by: the words, and in code the signs too."""
        if self.tag != "pre":
            return Counter(self.words)
        return Counter(atom.text for cell in self.cells for atom in cell.atoms if not atom.text.isspace())

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words alone."""
        return tuple(atom.text for cell in self.cells for atom in cell.atoms if atom.is_word)


def blocks(prepared: Prepared) -> list[Block]:
    """Return the blocks of a text in reading order."""
    return list(_Walk(prepared.tokens).blocks())


class _Walk:
    """One pass over the tokens; keeps what is open."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._path: list[Container] = []
        self._serial = count()
        self._next_value: list[int | None] = []
        self._leaf: tuple[str, Attributes, int] = ("p", (), 0)
        self._row: list[Cell] | None = None
        self._cell: tuple[str, Attributes] = ("td", ())

    def blocks(self) -> Iterator[Block]:
        for token in self._tokens:
            if token.type == "inline":
                yield from self._words(inline_atoms(token.children or ()))
            elif token.type in {"fence", "code_block"}:
                yield self._block("pre", (Cell("pre", (), tuple(_code_atoms(token.content))),))
            elif token.type == "hr":
                yield self._block("hr", ())
            elif token.type == "tr_open":
                self._row = []
            elif token.type == "tr_close":
                cells, self._row = tuple(self._row or ()), None
                yield self._block("tr", cells)
            elif token.nesting == 1:
                self._open(token)
            elif token.nesting == -1:
                self._close(token)

    def _words(self, atoms: tuple[Atom, ...]) -> Iterator[Block]:
        if self._row is not None:
            self._row.append(Cell(*self._cell, atoms))
            return
        tag, attributes, level = self._leaf
        yield Block(tuple(self._path), tag, (Cell(tag, (), atoms),), level, attributes)

    def _block(self, tag: str, cells: tuple[Cell, ...]) -> Block:
        return Block(tuple(self._path), tag, cells)

    def _open(self, token: Token) -> None:
        if token.type in {"th_open", "td_open"}:
            self._cell = (token.tag, _attributes(token))
        elif token.type == "paragraph_open":
            self._leaf = ("p", (("class", "tight"),) if token.hidden else (), 0)
        elif token.type == "heading_open":
            level = len(token.markup) if token.markup.startswith("#") else 1 + (token.markup == "-")
            self._leaf = (token.tag, (), level)
        elif token.type == "dt_open":
            self._leaf = ("dt", (), 0)
        else:
            self._enter(token)

    def _enter(self, token: Token) -> None:
        tag, value = token.tag, None
        if token.type == "footnote_block_open":
            tag = "ol"
        elif token.type == "footnote_open":
            tag = "li"
        if tag == "li" and self._next_value and self._next_value[-1] is not None:
            value = self._next_value[-1]
            self._next_value[-1] += 1
        first = int(token.attrs.get("start", 1)) if tag == "ol" else None
        self._next_value.append(first)
        self._path.append(Container(next(self._serial), tag, _attributes(token), value))

    def _close(self, token: Token) -> None:
        if token.type not in {"th_close", "td_close", "paragraph_close", "heading_close", "dt_close"}:
            self._path.pop()
            self._next_value.pop()


def inline_atoms(children: Sequence[Token]) -> tuple[Atom, ...]:
    """Return the words of a paragraph with the marks around them."""
    atoms: list[Atom] = []
    marks: list[Mark] = []
    for child in children:
        if child.nesting == 1:
            marks.append((child.tag, _all_attributes(child)))
        elif child.nesting == -1:
            marks.pop()
        else:
            atoms += _of_token(child, tuple(marks))
    return tuple(atoms)


def _of_token(token: Token, marks: tuple[Mark, ...]) -> list[Atom]:
    texts: list[str] = []
    match token.type:
        case "text":
            texts = _WORDS.findall(token.content)
        case "code_inline":
            texts, marks = _WORDS.findall(token.content), (*marks, ("code", ()))
        case "softbreak":
            texts = [" "]
        case "hardbreak":
            return [Atom("\n", marks)]
        case "picture":
            source = (("class", "image"), ("title", str(token.attrs["src"])))
            texts, marks = [token.content], (*marks, ("span", source))
        case "footnote_ref":
            texts, marks = [f"[{token.meta['id'] + 1}]"], (*marks, ("sup", ()))
        case "html_inline":  # the box of a task
            texts = ["☑" if "checked=" in token.content else "☐"]
    return [_atom(text, marks) for text in texts]


def _atom(text: str, marks: tuple[Mark, ...]) -> Atom:
    return Atom(" " if text.isspace() else text, marks)


def _code_atoms(content: str) -> Iterator[Atom]:
    pattern = _CODE if len(content) <= _LONG_CODE else _CODE_LINES
    return (Atom(text) for text in pattern.findall(content.rstrip("\n")))


def _attributes(token: Token) -> Attributes:
    # The ids stay with the page: here a block may stand twice.
    return tuple((name, str(token.attrs[name])) for name in _KEPT if name in token.attrs)


def _all_attributes(token: Token) -> Attributes:
    return tuple((name, str(value)) for name, value in token.attrs.items() if name != "id")
