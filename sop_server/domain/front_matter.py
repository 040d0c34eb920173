"""What an SOP says about itself: the front matter of its file, read into types. Broken input becomes data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sop_server.domain import identifiers, yaml_reader
from sop_server.domain.front_matter_text import KEYS, UnclosedError, build, split, with_values
from sop_server.domain.instants import parse_interval
from sop_server.domain.yaml_reader import Node, Scalar, Table, YamlError
from sop_server.errors import InvalidInputError

__all__ = ["FrontMatter", "Problem", "Severity", "SopFile", "build", "is_email", "parse", "with_values"]

MAX_TITLE = 200
MAX_TEXT = 200
MAX_ITEMS = 100

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HEADING = re.compile(r" {0,3}#[ \t]")
_CODE_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKUP = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")


class Severity(StrEnum):
    """An error must be mended before the text is approved; a warning is advice."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where. `field` is the key of the front matter, None for the body."""

    line: int
    field: str | None
    message: str
    severity: Severity
    path: str = ""

    def __str__(self) -> str:
        label = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.path}:{self.line}: {label}{self.message}"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The keys of the front matter, typed. What is missing or wrong is None or empty."""

    id: str | None = None
    title: str | None = None
    processes: tuple[str, ...] = ()
    department: str | None = None
    owner: str | None = None
    deputy: str | None = None
    audience: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    review_every_days: int | None = None
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SopFile:
    """A file read: its front matter, its body from line `body_line` (1-based) on, and what is wrong with it.

    `raw` holds every key as it was read, in values that JSON can hold; `lines` the line of each key.
    """

    front: FrontMatter
    body: str
    body_line: int
    raw: Mapping[str, object]
    problems: tuple[Problem, ...]
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that must be mended."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def parse(text: str) -> SopFile:
    """Read `text`, whatever it is: what cannot be read becomes a problem with its line."""
    try:
        parts = split(text)
    except UnclosedError:
        problem = Problem(1, None, "the front matter has no closing “---” line", Severity.ERROR)
        return SopFile(FrontMatter(title=_first_heading(text)), text, 1, {}, (problem,))
    heading = _first_heading(parts.body)
    if parts.matter is None:
        return SopFile(FrontMatter(title=heading), parts.body, parts.body_line, {}, ())
    try:
        root = yaml_reader.read_table(parts.matter)
    except YamlError as exc:
        problem = Problem(exc.line + 1, None, exc.message, Severity.ERROR)
        return SopFile(FrontMatter(title=heading), parts.body, parts.body_line, {}, (problem,))
    reader = _Fields(root)
    front = reader.front_matter(heading)
    raw = yaml_reader.plain(root)
    return SopFile(
        front,
        parts.body,
        parts.body_line,
        raw if isinstance(raw, dict) else {},
        tuple(reader.problems),
        {entry.key: entry.line + 1 for entry in root.entries} if root else {},
    )


def is_email(text: str) -> bool:
    """Tell whether `text` has the shape of an e-mail address."""
    return len(text) <= MAX_TEXT and _EMAIL.fullmatch(text) is not None


class _Fields:
    """Reads the fields one by one and gathers what is wrong with them."""

    def __init__(self, root: Table | None) -> None:
        self.problems: list[Problem] = []
        self._entries = {entry.key: entry for entry in root.entries} if root else {}

    def front_matter(self, heading: str | None) -> FrontMatter:
        return FrontMatter(
            id=self._sop_id(),
            title=self._text("title", limit=MAX_TITLE) or heading,
            processes=self._named("process", identifiers.PROCESS),
            department=self._department(),
            owner=self._person("owner"),
            deputy=self._person("deputy"),
            audience=self._slugs("audience"),
            systems=self._texts("systems"),
            review_every_days=self._interval("review_every"),
            tags=self._texts("tags"),
            links=self._named("links", identifiers.SOP),
            extra={key: yaml_reader.plain(entry.node) for key, entry in self._entries.items() if key not in KEYS},
        )

    def _problem(self, key: str, message: str, *, line: int | None = None, severity: Severity = Severity.ERROR) -> None:
        at = self._entries[key].line if line is None else line
        self.problems.append(Problem(at + 1, key, f"{key}: {message}", severity))

    def _node(self, key: str) -> Node | None:
        entry = self._entries.get(key)
        if entry is None or (isinstance(entry.node, Scalar) and entry.node.value is None):
            return None
        return entry.node

    def _text(self, key: str, *, limit: int = MAX_TEXT) -> str | None:
        node = self._node(key)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self._problem(key, "this must be one text, not a list", line=node.line)
            return None
        return self._checked(key, node, limit=limit)

    def _checked(self, key: str, node: Scalar, *, limit: int = MAX_TEXT) -> str | None:
        text = node.text.strip()
        if _CONTROL.search(text):
            self._problem(key, "line breaks and control characters are not allowed here", line=node.line)
            return None
        if len(text) > limit:
            self._problem(key, f"this has {len(text)} characters and the limit is {limit}", line=node.line)
            return None
        return text or None

    def _texts(self, key: str) -> tuple[str, ...]:
        return tuple(text for _, text in self._items(key))

    def _items(self, key: str) -> Sequence[tuple[int, str]]:
        """Return (line, text) of each item; one text is split at its commas; what stands twice counts once."""
        node = self._node(key)
        if node is None:
            return ()
        if isinstance(node, Table):
            self._problem(key, "this must be a list of texts", line=node.line)
            return ()
        found: dict[str, int] = {}
        if isinstance(node, Scalar):
            whole = self._checked(key, node, limit=MAX_TEXT * 4)
            for part in (whole or "").split(","):
                if part.strip():
                    found.setdefault(part.strip(), node.line)
            return [(line, text) for text, line in found.items()]
        if len(node.items) > MAX_ITEMS:
            self._problem(key, f"this list has {len(node.items)} entries and the limit is {MAX_ITEMS}")
        for item in node.items[:MAX_ITEMS]:
            if not isinstance(item, Scalar):
                self._problem(key, "each entry must be one text", line=item.line)
            elif item.value is not None and (text := self._checked(key, item)):
                found.setdefault(text, item.line)
        return [(line, text) for text, line in found.items()]

    def _sop_id(self) -> str | None:
        text = self._text("id")
        if text is None or identifiers.parse_sop_id(text) is not None:
            return text
        self._problem("id", _not_an_id(text, identifiers.SOP))
        return None

    def _named(self, key: str, series: identifiers.Series) -> tuple[str, ...]:
        names = []
        for line, text in self._items(key):
            if series.parse(text) is None:
                self._problem(key, _not_an_id(text, series), line=line)
            else:
                names.append(text)
        return tuple(names)

    def _department(self) -> str | None:
        text = self._text("department")
        if text is None or identifiers.is_slug(text):
            return text
        self._problem("department", _not_a_slug(text))
        return None

    def _slugs(self, key: str) -> tuple[str, ...]:
        slugs = []
        for line, text in self._items(key):
            if identifiers.is_slug(text):
                slugs.append(text)
            else:
                self._problem(key, _not_a_slug(text), line=line)
        return tuple(slugs)

    def _person(self, key: str) -> str | None:
        text = self._text(key)
        if text is None:
            return None
        if is_email(text):
            return text.lower()
        self._problem(key, f"“{text}” is not an e-mail address", severity=Severity.WARNING)
        return text

    def _interval(self, key: str) -> int | None:
        text = self._text(key)
        if text is None:
            return None
        try:
            return parse_interval(text)
        except InvalidInputError:
            self._problem(key, f"“{text}” is not an interval; write for example “180 days” or “6 months”")
            return None


def _not_an_id(text: str, series: identifiers.Series) -> str:
    near = series.normalise(text)
    example = f"did you mean {near}?" if near else f"an id looks like {series.name(7)}"
    return f"“{text}” is not an id; {example}"


def _not_a_slug(text: str) -> str:
    near = identifiers.slugify(text, fallback="")
    advice = f"; write “{near}”" if near else ""
    return f"“{text}” is not a short name of lower-case letters, digits and hyphens{advice}"


def _first_heading(body: str) -> str | None:
    """Return the words of the first `# heading` outside code, None where there is none."""
    fence = ""
    for line in body.split("\n"):
        mark = _CODE_FENCE.match(line)
        if fence:
            if mark and mark.group(1).startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        elif mark:
            fence = mark.group(1)
        elif (heading := _HEADING.match(line)) and (words := _words(line[heading.end() :][: MAX_TITLE * 4])):
            return words
    return None


def _words(heading: str) -> str:
    text = heading.strip()
    closed = text.rstrip("#")
    if closed.endswith((" ", "\t")) or not closed:
        text = closed
    words = " ".join(_CONTROL.sub(" ", _MARKUP.sub("", _LINK.sub(r"\1", text))).split())
    return words[:MAX_TITLE].rstrip()
