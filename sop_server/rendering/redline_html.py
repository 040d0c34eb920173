"""The HTML of a redline: balanced by construction, as every tag is opened and closed in one place."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from html import escape
from itertools import groupby

from sop_server.rendering.alignment import align
from sop_server.rendering.redline_blocks import Atom, Attributes, Block, Cell, Container


class Fate(StrEnum):
    """What became of a whole block; the value is its class."""

    GONE = "removed"
    NEW = "added"
    MOVED_AWAY = "removed moved"
    MOVED_HERE = "added moved"


_MOVED = frozenset({Fate.MOVED_AWAY, Fate.MOVED_HERE})
_OLD = frozenset({Fate.GONE, Fate.MOVED_AWAY})
Place = tuple[tuple[bool, Container], ...]  # of the old text alone?, and what holds the block, outermost first
_Run = tuple[str, tuple[Atom, ...]]  # "", "del" or "ins", and its words


class Writer:
    """Writes blocks in order, opening and closing what holds them; counts the words that came and went."""

    def __init__(self, became: Mapping[int, Container]) -> None:
        self.insertions = 0
        self.deletions = 0
        self._became = became
        self._parts: list[str] = []
        self._open: Place = ()

    def html(self) -> str:
        """Return what was written, closed."""
        self._enter(())
        return "".join(self._parts)

    def kept(self, block: Block) -> None:
        """Write a block that is the same in both texts."""
        self._enter(placed(block.path))
        self._leaf(block, [_marked(cell.atoms, cell.tag, "") for cell in block.cells])

    def changed(self, old: Block, new: Block) -> None:
        """Write a block some of whose words changed."""
        self._enter(placed(new.path))
        cells = []
        for before, after in zip(old.cells, new.cells, strict=True):
            runs = list(_runs(before.atoms, after.atoms))
            self._count(runs)
            cells.append("".join(_marked(atoms, after.tag, change) for change, atoms in runs))
        self._leaf(new, cells)

    def whole(self, block: Block, fate: Fate) -> None:
        """Write a block that came, went or moved as a whole."""
        change = "del" if fate in _OLD else "ins"
        self._enter(placed(block.path, self._became if fate in _OLD else None))
        if fate not in _MOVED:
            self._count([(change, cell.atoms) for cell in block.cells])
        kind = "moved" if fate in _MOVED else ""
        self._leaf(block, [_marked(cell.atoms, cell.tag, change, kind) for cell in block.cells], fate.value)

    def _count(self, runs: Sequence[_Run]) -> None:
        for change, atoms in runs:
            words = sum(1 for atom in atoms if atom.is_word)
            self.insertions += words if change == "ins" else 0
            self.deletions += words if change == "del" else 0

    def _enter(self, path: Place) -> None:
        common = shared(self._open, path)
        for _, box in reversed(self._open[common:]):
            self._parts.append(f"</{box.tag}>\n")
        for _, box in path[common:]:
            value = (("value", str(box.value)),) if box.value is not None else ()
            self._parts.append(f"<{box.tag}{_attributes((*box.attributes, *value))}>\n")
        self._open = path

    def _leaf(self, block: Block, cells: Sequence[str], kind: str = "") -> None:
        attributes = block.extra
        if kind:
            names = " ".join([*(value for name, value in attributes if name == "class"), kind])
            attributes = (*(pair for pair in attributes if pair[0] != "class"), ("class", names))
        if block.tag == "hr":
            self._parts.append(f"<hr{_attributes(attributes)}>\n")
        elif block.tag == "tr":
            inner = "".join(_cell(cell, text) for cell, text in zip(block.cells, cells, strict=True))
            self._parts.append(f"<tr{_attributes(attributes)}>{inner}</tr>\n")
        elif block.tag == "pre":
            names = f"code {kind}".strip()
            self._parts.append(f'<pre class="{names}"><code>{"".join(cells)}</code></pre>\n')
        else:
            self._parts.append(f"<{block.tag}{_attributes(attributes)}>{''.join(cells)}</{block.tag}>\n")


def placed(path: Sequence[Container], became: Mapping[int, Container] | None = None) -> Place:
    """Return where a block stands in the redline; with `became` one of the old text, led to what its boxes became."""
    if became is None:
        return tuple((False, box) for box in path)
    place: list[tuple[bool, Container]] = []
    at_home = True
    for box in path:
        home = became.get(box.serial) if at_home else None
        at_home = home is not None
        place.append((True, box) if home is None else (False, home))
    return tuple(place)


def shared(one: Place, other: Place) -> int:
    """Return how many boxes two places have in common."""
    depth = 0
    for (old_a, box_a), (old_b, box_b) in zip(one, other, strict=False):
        if (old_a, box_a.serial) != (old_b, box_b.serial):
            break
        depth += 1
    return depth


def _runs(old: Sequence[Atom], new: Sequence[Atom]) -> Iterator[_Run]:
    """Yield the words in reading order, what went before what came.

    What stays between two changes but is no word (spaces, signs) is counted into them: “500 USD” becoming
    “750 EUR” reads as one change.
    """
    gone: list[Atom] = []
    came: list[Atom] = []
    for kept, before, after in _stretches(old, new):
        if kept and (any(atom.is_word for atom in before) or not (gone or came)):
            yield from _change(gone, came)
            gone, came = [], []
            yield ("", tuple(before))
        else:
            gone += before
            came += after
    yield from _change(gone, came)


def _change(gone: list[Atom], came: list[Atom]) -> Iterator[_Run]:
    """Yield the deletion and the insertion, without what both end with."""
    shared: list[Atom] = []
    while gone and came and gone[-1] == came[-1]:
        shared.insert(0, gone.pop())
        came.pop()
    if gone:
        yield ("del", tuple(gone))
    if came:
        yield ("ins", tuple(came))
    if shared:
        yield ("", tuple(shared))


def _stretches(old: Sequence[Atom], new: Sequence[Atom]) -> Iterator[tuple[bool, list[Atom], list[Atom]]]:
    """Yield (kept, words of the old, words of the new) in turn."""
    same: list[Atom] = []
    i = j = 0
    for a, b in [*align(old, new), (len(old), len(new))]:
        if i < a or j < b:
            if same:
                yield (True, same, same)
                same = []
            yield (False, list(old[i:a]), list(new[j:b]))
        if a < len(old) and b < len(new):
            same.append(new[b])
        i, j = a + 1, b + 1
    if same:
        yield (True, same, same)


def _marked(atoms: Sequence[Atom], tag: str, change: str, kind: str = "") -> str:
    inner = "".join(_run_html(marks, run, tag) for marks, run in groupby(atoms, key=lambda atom: atom.marks))
    if not change or not inner:
        return inner
    return f"<{change}{_attributes((('class', kind),) if kind else ())}>{inner}</{change}>"


def _run_html(marks: Sequence[tuple[str, Attributes]], atoms: Iterator[Atom], tag: str) -> str:
    line_break = "\n" if tag == "pre" else "<br>\n"
    words = "".join(line_break if atom.text == "\n" else escape(atom.text) for atom in atoms)
    opening = "".join(f"<{name}{_attributes(attributes)}>" for name, attributes in marks)
    closing = "".join(f"</{name}>" for name, _ in reversed(marks))
    return f"{opening}{words}{closing}"


def _cell(cell: Cell, text: str) -> str:
    return f"<{cell.tag}{_attributes(cell.attributes)}>{text}</{cell.tag}>"


def _attributes(attributes: Attributes) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes)
