"""What a person typed, as a list of clauses that any engine can turn into its own query.

The language: words, `"phrases"`, `prefix*`, and `field:value` with any of the three as value. Nothing is an error:
what can't be read as syntax is read as words.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from sop_server.storage.search.analysis import COMPOUND, STOP_WORDS, WORD, fold

LONGEST_TEXT = 2000
MOST_CLAUSES = 32
WORD_FIELDS = frozenset({"title", "heading"})
"""Fields whose words are searched; the value of any other field is compared whole, or by its words."""
FIELDS = WORD_FIELDS | {"id", "tag", "system", "process", "department", "owner"}
_PLURALS = {f"{name}s": name for name in ("title", "heading", "id", "tag", "system", "owner", "department")} | {
    "processes": "process"
}

_PIECE = re.compile(
    r"""(?:(?P<field>[A-Za-z]+):(?=[^\s:]))?      # a field only where a value follows it
        (?:"(?P<quoted>[^"]*)(?:"|$)|(?P<bare>[^\s"]+))""",
    re.VERBOSE,
)


class ClauseKind(StrEnum):
    """How the text of a clause is compared."""

    WORD = "word"
    PHRASE = "phrase"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that a document must have. `start` and `end` say where `text` stands in what was typed."""

    kind: ClauseKind
    text: str
    field: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """The clauses of a text, at most `MOST_CLAUSES`. `everything`: nothing was asked for, so all documents fit."""

    clauses: tuple[Clause, ...]
    everything: bool


def parse(text: str) -> Query:
    """Read what was typed. Pure, never raises; text behind `LONGEST_TEXT` characters is left out."""
    typed = text[:LONGEST_TEXT]
    found: list[Clause] = []
    for piece in _PIECE.finditer(typed):
        found.extend(_clauses(piece, typed))
    telling = [clause for clause in found if not _is_stop_word(clause)] or found
    unique = {(clause.kind, clause.field, clause.text.casefold()): clause for clause in reversed(telling)}
    clauses = tuple(reversed(unique.values()))[:MOST_CLAUSES]
    return Query(clauses, everything=not clauses and not typed.strip().strip("*").strip())


def _is_stop_word(clause: Clause) -> bool:
    return clause.kind is ClauseKind.WORD and clause.field is None and fold(clause.text) in STOP_WORDS


def _clauses(piece: re.Match[str], typed: str) -> list[Clause]:
    name = (piece["field"] or "").lower()
    name = _PLURALS.get(name, name)
    if piece["field"] and name not in FIELDS:
        # `https://…`, `note:this`: no field of ours, so the name is a word like any other.
        return [*_words(typed, piece.start("field"), piece.end("field"), None), *_value(piece, typed, None)]
    return _value(piece, typed, name or None)


def _value(piece: re.Match[str], typed: str, field: str | None) -> list[Clause]:
    if piece["quoted"] is not None:
        start, end = piece.span("quoted")
        number_of_words = len(WORD.findall(typed, start, end))
        if not number_of_words:
            return []
        if number_of_words == 1 and (field is None or field in WORD_FIELDS):
            return _words(typed, start, end, field)
        return [Clause(ClauseKind.PHRASE, typed[start:end], field, start, end)]
    start, end = piece.span("bare")
    if field is not None and field not in WORD_FIELDS:
        value = typed[start:end]
        kind = ClauseKind.PREFIX if value.endswith("*") else ClauseKind.WORD
        return [Clause(kind, value.rstrip("*"), field, start, end)] if value.strip("*") else []
    return _words(typed, start, end, field)


def _words(typed: str, start: int, end: int, field: str | None) -> list[Clause]:
    found = []
    for compound in COMPOUND.finditer(typed, start, end):
        is_prefix = typed.startswith("*", compound.end()) and compound.end() < end
        kind = ClauseKind.PREFIX if is_prefix else ClauseKind.WORD
        found.append(Clause(kind, compound.group(), field, compound.start(), compound.end()))
    return found
