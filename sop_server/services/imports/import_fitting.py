"""Whether somebody else's values fit our keys, and in which form."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from sop_server.domain import identifiers
from sop_server.domain.front_matter import MAX_ITEMS, MAX_TEXT, MAX_TITLE, is_email
from sop_server.domain.front_matter_text import Value
from sop_server.domain.instants import parse_interval
from sop_server.errors import InvalidInputError

LIST_KEYS = frozenset({"process", "audience", "systems", "tags", "links"})

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Fitted:
    """The value that a key gets, None where nothing fits; the texts that do not fit; and what would."""

    value: Value | None
    misfits: tuple[str, ...]
    wanted: str


def fit(key: str, texts: Sequence[str]) -> Fitted:
    """Return what `texts` give for one of our keys: all that fit for a list, the first one for a single value."""
    one, wanted = _RULES[key]
    if key not in LIST_KEYS:
        return _single(one, texts, wanted)
    found: dict[str, None] = {}
    misfits: list[str] = []
    for part in _parts(texts):
        fitting = one(part)
        if fitting is None or (len(found) >= MAX_ITEMS and fitting not in found):
            misfits.append(part)
        else:
            found[fitting] = None
    return Fitted(list(found) or None, tuple(misfits), wanted)


def fitting_date(text: str) -> date | None:
    """Return the day that a text names (`2025-12-01`, alone or with a time behind it), None where it names none."""
    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        return None


def _single(one: Callable[[str], str | None], texts: Sequence[str], wanted: str) -> Fitted:
    given = [text for text in texts if text.strip()]
    for position, text in enumerate(given):
        fitting = one(text)
        if fitting is not None:
            return Fitted(fitting, (*given[:position], *given[position + 1 :]), wanted)
    return Fitted(None, tuple(given), wanted)


def _parts(texts: Iterable[str]) -> Iterable[str]:
    return (part.strip() for text in texts for part in text.split(",") if part.strip())


def _title(text: str) -> str | None:
    words = _SPACE.sub(" ", text).strip()
    return words if words and words.isprintable() and len(words) <= MAX_TITLE else None


def _plain(text: str) -> str | None:
    words = _SPACE.sub(" ", text).strip()
    return words if words and words.isprintable() and len(words) <= MAX_TEXT else None


def _slug(text: str) -> str | None:
    return identifiers.slugify(text, fallback="") or None


def _email(text: str) -> str | None:
    address = text.strip().lower()
    return address if is_email(address) else None


def _interval(text: str) -> str | None:
    try:
        parse_interval(text)
    except InvalidInputError:
        return None
    return text.strip()


def _named(series: identifiers.Series) -> Callable[[str], str | None]:
    def one(text: str) -> str | None:
        # A bare number is no id: only what carries the prefix was meant as one.
        return series.normalise(text) if text.strip().upper().startswith(series.prefix) else None

    return one


_RULES: Mapping[str, tuple[Callable[[str], str | None], str]] = MappingProxyType(
    {
        "title": (_title, f"must be one line of at most {MAX_TITLE} characters"),
        "process": (_named(identifiers.PROCESS), "must be ids such as PROC-007"),
        "department": (_slug, "must be a short name such as customer-care"),
        "owner": (_email, "must be an e-mail address"),
        "deputy": (_email, "must be an e-mail address"),
        "audience": (_slug, "must be short names of teams, such as claims-intake"),
        "systems": (_plain, f"must be a list of at most {MAX_ITEMS} short texts"),
        "review_every": (_interval, "must be like “180 days” or “6 months”"),
        "tags": (_plain, f"must be a list of at most {MAX_ITEMS} short texts"),
        "links": (_named(identifiers.SOP), "must be ids such as SOP-0007"),
    }
)
