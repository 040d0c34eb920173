"""From a file of somebody else's to the text of a SOP: its front matter mapped, everything else as it was."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sop_server.domain import front_matter, yaml_reader
from sop_server.domain.content import UnreadableContentError, normalise
from sop_server.domain.front_matter import MAX_TITLE, Severity, SopFile
from sop_server.domain.front_matter_text import KEYS, Value, split, with_values
from sop_server.domain.yaml_reader import Entry, Node, Scalar, Sequence
from sop_server.errors import InvalidInputError
from sop_server.services.imports.import_fitting import LIST_KEYS, Fitted, fit, fitting_date
from sop_server.services.imports.import_mapping import LAST_REVIEW, ImportMapping

_UNDERLINED = re.compile(r" {0,3}(\S[^\n]{0,400})\n {0,3}=+[ \t]*\n")
_SEPARATORS = re.compile(r"[-_.\s]+")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Note:
    """What a person should know of the mapping of one file; `line` counts from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class MappedText:
    """The text of a SOP but for a new id, and what the file said beside it.

    `declared_id` is the id that the file carries in canonical form; `last_review` the day that it was last reviewed.
    """

    text: str
    declared_id: str | None
    department: str | None
    last_review: date | None
    notes: tuple[Note, ...]

    def with_id(self, sop_id: str) -> str:
        """Return the text with its id, in normal form; raises InvalidInputError where it cannot be put in."""
        return normalise(with_values(self.text, {"id": sop_id}))


class UnreadableFileError(Exception):
    """A file that cannot become a SOP; `line` says where it is wrong."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def map_text(content: bytes, *, path: str, mapping: ImportMapping, defaults: Mapping[str, Value]) -> MappedText:
    """Return what a file becomes under a mapping; `defaults` are values for keys that nothing else gives.

    Raises `UnreadableFileError` where the file is no text, or its front matter cannot be read.
    """
    text, file = _read(content)
    mapper = _Mapper(text, file, mapping, defaults)
    try:
        mapped = normalise(mapper.mapped(path))
    except InvalidInputError as exc:
        raise UnreadableFileError(exc.message, line=1) from exc
    after = front_matter.parse(mapped)
    if after.errors:
        raise UnreadableFileError(after.errors[0].message, line=after.errors[0].line)
    return MappedText(
        text=mapped,
        declared_id=after.front.id,
        department=after.front.department,
        last_review=mapper.last_review(),
        notes=tuple(sorted(mapper.notes, key=lambda note: note.line)),
    )


def declared_id(content: bytes) -> str | None:
    """Return the id that a file carries, quickly; None where it has none or cannot be read."""
    head = content[: yaml_reader.MAX_BYTES]
    if b"id" not in head:
        return None
    try:
        return front_matter.parse(normalise(content)).front.id
    except UnreadableContentError:
        return None


def humanised(path: str) -> str:
    """Return the title that a file's name makes: `docs/reset_password.md` is “Reset password”."""
    name = posixpath.basename(path)
    for suffix in (".md", ".html"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    kept = "".join(character if character.isprintable() else " " for character in name)
    words = _SEPARATORS.sub(" ", kept).strip()
    return (words[:1].upper() + words[1:])[:MAX_TITLE].strip() or "Untitled"


def _read(content: bytes) -> tuple[str, SopFile]:
    try:
        text = normalise(content)
    except UnreadableContentError as exc:
        raise UnreadableFileError(exc.message, line=exc.line) from exc
    file = front_matter.parse(text)
    for problem in file.problems:
        # A problem of no key is one of the front matter as a whole.
        if problem.field is None and problem.severity is Severity.ERROR:
            raise UnreadableFileError(problem.message, line=problem.line)
    return text, file


class _Mapper:
    """Goes through our keys one by one and gathers what is to be set, what to be renamed, and what to be told."""

    def __init__(self, text: str, file: SopFile, mapping: ImportMapping, defaults: Mapping[str, Value]) -> None:
        self.notes: list[Note] = []
        self._text = text
        self._file = file
        self._mapping = mapping
        self._defaults = defaults
        matter = split(text).matter
        table = None if matter is None else yaml_reader.read_table(matter)
        self._entries: dict[str, Entry] = {entry.key: entry for entry in table.entries} if table else {}
        self._misread = {problem.field for problem in file.problems}

    def mapped(self, path: str) -> str:
        """Return the text with its front matter mapped."""
        wanted: dict[str, Value] = {}
        aside: list[str] = []
        if "id" in self._misread:
            aside.append("id")
            self._note("id", "is not an id such as SOP-0007", kept="source_id")
        for key in KEYS:
            if key != "id":
                self._map(key, wanted, aside)
        if "title" not in wanted and (heading := self._title(path, aside)) is not None:
            wanted["title"] = heading
        if not self._file.body.strip():
            self.notes.append(Note(self._file.body_line, "the file has no text; the SOP is empty"))
        return with_values(self._set_aside(aside), wanted)

    def last_review(self) -> date | None:
        """Return the newest day on which the file says it was reviewed."""
        days = []
        for source in self._mapping.keys.get(LAST_REVIEW, ()):
            for text in self._mapping.translated(LAST_REVIEW, self._texts(source)):
                day = fitting_date(text)
                if day is None:
                    self._note(source, f"“{_short(text)}” is not a date such as 2026-11-03", kept=source)
                else:
                    days.append(day)
        return max(days, default=None)

    def _map(self, key: str, wanted: dict[str, Value], aside: list[str]) -> None:
        sources = [source for source in self._mapping.keys.get(key, ()) if self._says(source)]
        value = self._from_sources(key, sources)
        own = self._says(key) and key not in sources
        if own and value is not None and _list(value) != self._texts(key):
            aside.append(key)
            self._note(key, f"was replaced by the value of {', '.join(sources)}", kept=_aside_name(key))
        elif own and value is None:
            value = self._own(key, aside)
        if key in sources and key in self._misread:
            aside.append(key)
        if value is None and (not self._says(key) or key in aside):
            value = self._mapping.constants.get(key, self._defaults.get(key))
        if value is not None and (key in aside or not self._stands(key, value)):
            wanted[key] = value

    def _from_sources(self, key: str, sources: Iterable[str]) -> Value | None:
        """Return what the mapped keys give: all that fits for a list, the first that fits for a single value."""
        gathered: list[str] = []
        complaints: list[tuple[str, Fitted]] = []
        for source in sources:
            fitted = fit(key, self._mapping.translated(key, self._texts(source)))
            complaints.append((source, fitted))
            gathered += _list(fitted.value)
        if gathered and key not in LIST_KEYS:
            return gathered[0]
        for source, fitted in complaints:
            if fitted.misfits or not self._is_plain(source):
                kept = _aside_name(source) if source == key else source
                self._note(source, f"{_told(fitted.misfits)} does not fit {key}, which {fitted.wanted}", kept=kept)
        return list(dict.fromkeys(gathered)) or None

    def _own(self, key: str, aside: list[str]) -> Value | None:
        """Return the value of the file's own key where it has to be written anew; None where it may stand."""
        texts = self._texts(key)
        fitted = fit(key, self._mapping.translated(key, texts))
        if key not in self._misread:
            return fitted.value if key in self._mapping.values else None
        aside.append(key)
        reason = f"{_told(fitted.misfits or texts)} does not fit: {key} {fitted.wanted}"
        self._note(key, reason, kept=_aside_name(key))
        return fitted.value

    def _title(self, path: str, aside: list[str]) -> str | None:
        """Return a title that has to be written down; None where the file says one itself."""
        if "title" in self._entries and "title" not in aside and self._texts("title"):
            return None
        if self._file.front.title is not None and "title" not in self._entries:
            return None
        underlined = _UNDERLINED.match(self._file.body.lstrip("\n"))
        if underlined is not None:
            fitted = fit("title", [underlined[1]])
            if isinstance(fitted.value, str):
                return fitted.value
        return self._file.front.title or humanised(path)

    def _set_aside(self, keys: Iterable[str]) -> str:
        """Return the text with our keys renamed, their values as they stand."""
        parts = split(self._text)
        matter = parts.matter
        if matter is None:
            return self._text
        for entry in sorted((self._entries[key] for key in set(keys)), key=lambda entry: -entry.start):
            matter = f"{matter[: entry.start]}{self._free(entry.key)}{matter[entry.key_end :]}"
        return self._text[: parts.start] + matter + self._text[parts.start + len(parts.matter or "") :]

    def _free(self, key: str) -> str:
        name, number = _aside_name(key), 1
        while name in self._entries:
            number += 1
            name = f"{_aside_name(key)}_{number}"
        return name

    def _texts(self, key: str) -> list[str]:
        entry = self._entries.get(key)
        return [] if entry is None else [scalar.text for scalar in _scalars(entry.node)]

    def _says(self, key: str) -> bool:
        entry = self._entries.get(key)
        return entry is not None and not (isinstance(entry.node, Scalar) and entry.node.value is None)

    def _is_plain(self, key: str) -> bool:
        node = self._entries[key].node
        return isinstance(node, Scalar) or (
            isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items)
        )

    def _stands(self, key: str, value: Value) -> bool:
        texts = self._texts(key)
        return texts == _list(value) or (key not in LIST_KEYS and [text.strip() for text in texts] == _list(value))

    def _note(self, key: str, message: str, *, kept: str) -> None:
        line = self._file.lines.get(key, 1)
        self.notes.append(Note(line, f"{key}: {message}; it is kept as {kept}"))


def _scalars(node: Node) -> Iterable[Scalar]:
    if isinstance(node, Scalar):
        return [node] if node.value is not None else []
    if isinstance(node, Sequence):
        return [item for item in node.items if isinstance(item, Scalar) and item.value is not None]
    return []


def _list(value: Value | None) -> list[str]:
    if value is None:
        return []
    return [str(value)] if isinstance(value, str | int) else list(value)


def _aside_name(key: str) -> str:
    return f"source_{key}"


def _told(texts: Iterable[str]) -> str:
    shown = ", ".join(f"“{_short(text)}”" for text in texts)
    return shown or "the value"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
