"""The small, safe part of YAML that front matter may use, read with the place of every value.

Anchors, aliases, tags, duplicate keys and deep nesting are refused. Nothing is constructed: the values are text,
numbers, true/false, null, lists and mappings, so whatever is read can be written as JSON.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

MAX_DEPTH = 8
MAX_BYTES = 16 * 1024

_TOO_DEEP = f"the values are nested more than {MAX_DEPTH} deep"
_NESTING = "nest"
"""Stands in what every release of the parser says where it gives up on nesting before this reader does."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{1,17}")
_WORDS: Mapping[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


@dataclass(frozen=True, slots=True)
class Scalar:
    """One plain or quoted value: `text` is what stands there, `value` what it means."""

    text: str
    value: str | int | float | bool | None
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple["Node", ...]
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: str
    line: int
    start: int
    key_end: int
    node: "Node"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; `flow` is the form with braces."""

    entries: tuple[Entry, ...]
    line: int
    start: int
    end: int
    flow: bool


Node = Scalar | Sequence | Table


class YamlError(Exception):
    """The text is not the YAML that front matter may use; `line` (1-based) says where."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read(text: str) -> Node | None:
    """Return the one value of `text`, None where there is none. Lines count from 1, places are characters.

    Raises `YamlError`.
    """
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise YamlError(f"the front matter has {size:,} bytes and the limit is {MAX_BYTES:,}", line=1)
    try:
        return _document(_Events(text))
    except yaml.MarkedYAMLError as exc:
        # What is never closed is found at the end, and is to be mended where it begins.
        at_end = exc.problem_mark is not None and exc.problem_mark.index >= len(text)
        mark = (exc.context_mark or exc.problem_mark) if at_end else (exc.problem_mark or exc.context_mark)
        line = _line(text, mark.index) if mark is not None else 1
        if _NESTING in (exc.problem or ""):
            raise YamlError(_TOO_DEEP, line=line) from exc
        raise YamlError(f"broken YAML: {exc.problem or exc.context or 'it cannot be read'}", line=line) from exc
    except yaml.YAMLError as exc:
        raise YamlError("broken YAML: it holds a character that YAML does not allow", line=1) from exc
    except UnicodeEncodeError as exc:
        raise YamlError("it holds half of a character", line=_line(text, exc.start)) from exc


def read_table(text: str) -> Table | None:
    """Return the one mapping of `text`, None where there is nothing. Raises `YamlError`."""
    root = read(text)
    if root is None or isinstance(root, Table):
        return root
    raise YamlError("the front matter is not a list of “key: value” lines", line=root.line)


def plain(node: Node | None) -> object:
    """Return the value as plain Python: text, number, bool, None, list or dict."""
    match node:
        case None:
            return None
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Table():
            return {entry.key: plain(entry.node) for entry in node.entries}


class _Events:
    """The parser's events, one at a time, with the line of each."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)

    def next(self) -> yaml.Event:
        return next(self._events)

    def line(self, event: yaml.Event) -> int:
        return _line(self.text, _start(event))


def _document(events: _Events) -> Node | None:
    events.next()  # the stream's start
    if isinstance(events.next(), yaml.StreamEndEvent):
        return None
    root = _node(events, events.next(), depth=1)
    events.next()  # the document's end
    rest = events.next()
    if not isinstance(rest, yaml.StreamEndEvent):
        raise YamlError("a second YAML document begins here; only one is allowed", line=events.line(rest))
    return root


def _node(events: _Events, event: yaml.Event, *, depth: int) -> Node:
    line = events.line(event)
    if isinstance(event, yaml.AliasEvent):
        raise YamlError(f"an alias (*{event.anchor}) is not allowed; write the value out", line=line)
    if getattr(event, "anchor", None) is not None:
        raise YamlError("an anchor (&) is not allowed; write the value out", line=line)
    if getattr(event, "tag", None) is not None:
        raise YamlError("a tag (!) is not allowed; put the value in quotes", line=line)
    if depth > MAX_DEPTH:
        raise YamlError(_TOO_DEEP, line=line)
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, line)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, event, depth=depth)
    return _table(events, event, depth=depth)


def _sequence(events: _Events, event: yaml.Event, *, depth: int) -> Sequence:
    items: list[Node] = []
    while not isinstance(inner := events.next(), yaml.SequenceEndEvent):
        items.append(_node(events, inner, depth=depth + 1))
    start = _start(event)
    return Sequence(tuple(items), events.line(event), start, _collection_end(event, inner, items, start))


def _table(events: _Events, event: yaml.Event, *, depth: int) -> Table:
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    while not isinstance(inner := events.next(), yaml.MappingEndEvent):
        key = _node(events, inner, depth=depth + 1)
        if not isinstance(key, Scalar):
            raise YamlError("a key must be a word", line=key.line)
        if key.text in seen:
            raise YamlError(f"the key “{key.text}” stands twice (first in line {seen[key.text]})", line=key.line)
        seen[key.text] = key.line
        value = _node(events, events.next(), depth=depth + 1)
        entries.append(Entry(key.text, key.line, key.start, key.end, value))
    start = _start(event)
    end = _collection_end(event, inner, [entry.node for entry in entries], start)
    return Table(tuple(entries), events.line(event), start, end, _is_flow(event))


def _collection_end(first: yaml.Event, last: yaml.Event, inner: list[Node], start: int) -> int:
    # A block collection's own end mark lies behind the comments that follow it.
    if _is_flow(first):
        return _end(last)
    return inner[-1].end if inner else start


def _scalar(event: yaml.ScalarEvent, line: int) -> Scalar:
    text: str = event.value
    value = _meaning(text) if event.implicit[0] and not event.style else text
    return Scalar(text, value, line, _start(event), _end(event))


def _meaning(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _is_flow(event: yaml.Event) -> bool:
    return bool(getattr(event, "flow_style", False))


def _start(event: yaml.Event) -> int:
    return 0 if event.start_mark is None else event.start_mark.index


def _end(event: yaml.Event) -> int:
    return 0 if event.end_mark is None else event.end_mark.index
