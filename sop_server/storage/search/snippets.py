"""Two lines of a text around the words that were searched, as safe HTML."""

import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from sop_server.storage.search.analysis import WORD, fold, term_of

WIDTH = 240
"""Characters of a snippet before marks and escapes: two lines on the page."""
_LEAD = 60
_MOST_MATCHES = 40
_FOREIGN = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to mark: words whose term is one of `terms`, or that begin with one of `prefixes`."""

    terms: frozenset[str]
    prefixes: tuple[str, ...] = ()

    def has(self, word: str) -> bool:
        """Say whether a word of a text is one of those wanted."""
        return term_of(word) in self.terms or (bool(self.prefixes) and fold(word).startswith(self.prefixes))

    def beginnings(self) -> frozenset[str]:
        """Give what every wanted word of an unaccented text begins with, in lower case."""
        # Stemming turns a final y into i and may drop an e, so the last letter of a term is not to be relied upon.
        cut = (term[:-1] if len(term) > 1 and term[-1] in "iey" else term for term in self.terms)
        return frozenset(chain(cut, self.prefixes))


def snippet(text: str, wanted: Wanted, *, width: int = WIDTH) -> str:
    """Cut the densest `width` characters of a plain text, at word boundaries, escaped, hits in `<mark>`."""
    spans = _spans(text, wanted)
    start, end = _window(text, spans, width)
    return _mark(text, [span for span in spans if start <= span[0] and span[1] <= end], start, end)


def _spans(text: str, wanted: Wanted) -> list[tuple[int, int]]:
    """Find the wanted words. `str.find` does the looking: a regular expression takes ten times as long."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    if text.isascii() or not any(map(str.isalpha, _FOREIGN.findall(text))):
        beginnings = wanted.beginnings()
    else:
        # Folding accents changes letters, so that only a look at every word finds those wanted.
        beginnings = frozenset(word.lower() for word in set(WORD.findall(text)) if wanted.has(word))
    found: dict[int, int] = {}
    for beginning in beginnings:
        at = lowered.find(beginning)
        matches = 0
        while at >= 0 and matches < _MOST_MATCHES:
            if at == 0 or not lowered[at - 1].isalnum():
                word = WORD.match(text, at)
                if word is not None and wanted.has(word.group()):
                    found[at] = word.end()
                    matches += 1
            at = lowered.find(beginning, at + len(beginning))
    return sorted(found.items())


def _window(text: str, spans: Collection[tuple[int, int]], width: int) -> tuple[int, int]:
    """Choose the window with the most different words, then the most words, then the earliest."""
    best, best_start = (0, 0), 0
    listed = list(spans)
    words = [term_of(text[start:end]) for start, end in listed]
    last = 0
    for first, (start, _) in enumerate(listed):
        last = max(last, first)
        while last + 1 < len(listed) and listed[last + 1][1] - start <= width - _LEAD:
            last += 1
        worth = (len(set(words[first : last + 1])), last - first + 1)
        if worth > best:
            best, best_start = worth, start
    start = max(0, best_start - _LEAD)
    end = min(len(text), start + width)
    start = max(0, min(start, end - width))
    return _at_words(text, start, end)


def _at_words(text: str, start: int, end: int) -> tuple[int, int]:
    if start > 0 and not text[start - 1].isspace():
        gap = re.compile(r"\s").search(text, start, min(start + _LEAD, end))
        start = gap.end() if gap else start
    if end < len(text) and not text[end].isspace():
        cut = max(text.rfind(space, start, end) for space in " \n\t")
        end = cut if cut > end - _LEAD else end
    return start, end


def _mark(text: str, spans: list[tuple[int, int]], start: int, end: int) -> str:
    parts = ["… " if start > 0 else ""]
    at = start
    for first, last in spans:
        parts += [_escape(text[at:first]), "<mark>", _escape(text[first:last]), "</mark>"]
        at = last
    parts.append(_escape(text[at:end]).rstrip())
    parts.append(" …" if end < len(text.rstrip()) else "")
    return "".join(parts).strip()


def _escape(text: str) -> str:
    return html.escape(re.sub(r"[\s\x00]+", " ", text))
