"""How text becomes terms: words as people write them, folded and stemmed; the same for texts and for queries."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from whoosh.lang.porter2 import stem

LONGEST_WORD = 64
MOST_PARTS = 4
"""A compound of more parts (an address, a path) has no term of its own, only those of its parts."""

# A word may hold apostrophes and end in `++` or `#` (don't, c++, c#); a compound is words joined by one sign.
_WORD = r"[^\W_]+(?:['\u2019][^\W_]+)*(?:\+\+|#(?!\w))?"
WORD = re.compile(_WORD)
COMPOUND = re.compile(rf"{_WORD}(?:[-_./@&,:]{_WORD})*")

STOP_WORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have how i if in into is it its
    may me my no nor not of on or our shall should so such than that the their them then there these they this to
    was we were what when where which who whom whose why will with would you your""".split()  # noqa: SIM905 - eighty quoted words are no list that anybody reads
)


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """Fold case, accents and apostrophes away: `Café's` and `cafe` are one word."""
    folded = word[:LONGEST_WORD].lower()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded.replace("\u2019", "'"))
        folded = "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()
    return folded.removesuffix("'s").replace("'", "")


@lru_cache(maxsize=1 << 16)
def term_of(word: str) -> str:
    """Give the term under which a word is indexed: folded, and stemmed where it is a plain word."""
    folded = fold(word)
    if folded.isascii() and folded.isalpha() and folded not in STOP_WORDS:
        stemmed: str = stem(folded)
        return stemmed
    return folded


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch without spaces: its words, and all of them run together where there are several (`e-mail`, `email`)."""

    words: tuple[str, ...]
    joined: str | None


def chunks(text: str) -> Iterator[Chunk]:
    """Yield what can be searched in a text, in order."""
    for found in COMPOUND.finditer(text):
        compound = found.group()
        if compound.isalnum():
            yield Chunk((compound,), None)
            continue
        words = tuple(WORD.findall(compound))
        joined = term_of("".join(map(fold, words))) if 1 < len(words) <= MOST_PARTS else None
        yield Chunk(words, joined)


def terms(text: str) -> tuple[list[str], list[str], list[str]]:
    """Analyse a text: its terms in order, the joined forms of its compounds, its words folded but not stemmed."""
    in_order: list[str] = []
    joined: list[str] = []
    written: list[str] = []
    for found in COMPOUND.findall(text):
        if found.isalnum():
            in_order.append(term_of(found))
            written.append(fold(found))
            continue
        words = WORD.findall(found)
        in_order.extend(map(term_of, words))
        written.extend(map(fold, words))
        if 1 < len(words) <= MOST_PARTS:
            joined.append(term_of("".join(map(fold, words))))
    return in_order, joined, written
