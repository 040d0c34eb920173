"""What a segment keeps of its documents in memory: who they are, when they are served, their facets and words."""

import json
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from sop_server.storage.search.protocol import FACETS, SearchDocument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 1 << 62
MOST_MASKS = 1024
"""With more values than this a facet is counted document by document."""
_ONE = ord("1")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def instant(moment: datetime | None) -> int:
    """Give an aware instant in microseconds since 1970, exactly; `None` is for ever."""
    return FOREVER if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime | None:
    """Give back what `instant` was made from."""
    return None if microseconds == FOREVER else _EPOCH + timedelta(microseconds=microseconds)


def id_key(sop_id: str) -> str:
    """Give what is common to the ways of writing an id: `SOP-0042`, `sop-42` and `SOP42`."""
    folded = _NOT_ALPHANUMERIC.sub("", sop_id.casefold())
    return _LEADING_ZEROS.sub("", folded)


class Vocabulary:
    """Words as people write them, with the number of documents that have each."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self._sorted = sorted(counts)

    def starting_with(self, prefix: str) -> Iterator[str]:
        """Yield the words that begin with `prefix`."""
        words = self._sorted
        rest = (words[at] for at in range(bisect_left(words, prefix), len(words)))
        return takewhile(lambda word: word.startswith(prefix), rest)


class DocumentTable:
    """Columns over the documents of one segment, by document number. Immutable once it is built."""

    def __init__(self, rows: Sequence[Sequence[Any]], words: dict[str, int], compounds: dict[str, int]) -> None:
        self.sop_ids: list[str] = [row[0] for row in rows]
        self.revisions: list[int] = [row[1] for row in rows]
        self.titles: list[str] = [row[2] for row in rows]
        self.owners: list[str | None] = [row[3] for row in rows]
        self.facets: dict[str, list[tuple[str, ...]]] = {
            name: [tuple(dict.fromkeys(row[4 + at])) for row in rows] for at, name in enumerate(FACETS)
        }
        self.served_from = [row[8] for row in rows]
        self.served_until = [row[9] for row in rows]
        self.lengths = array("f", (row[10] for row in rows))
        self.total_length = sum(self.lengths)
        self.title_lengths = array("I", (row[11] for row in rows))
        self.words = Vocabulary(words)
        self.compounds = Vocabulary(compounds)
        self.sort_keys = [title.casefold() for title in self.titles]
        self.numbers: dict[str, list[int]] = {}
        self.numbers_by_key: dict[str, list[int]] = {}
        for number, sop_id in enumerate(self.sop_ids):
            self.numbers.setdefault(sop_id, []).append(number)
            self.numbers_by_key.setdefault(id_key(sop_id), []).append(number)
        self._boundaries = sorted({*self.served_from, *self.served_until})
        self._served: dict[int, frozenset[int]] = {}
        self._combinations = {name: _numbered(values) for name, values in self.facets.items()}
        self._by_value: dict[str, dict[str, frozenset[int]]] = {}
        self._masks: dict[str, dict[str, int] | None] = {}

    def served_at(self, at: int) -> frozenset[int]:
        """Give the numbers of the documents that are in force at an instant.

        The answer is the same between two boundaries, so that asking again for "now" costs nothing.
        """
        between = bisect_right(self._boundaries, at)
        served = self._served.get(between)
        if served is None:
            spans = zip(self.served_from, self.served_until, strict=True)
            served = frozenset(number for number, (start, end) in enumerate(spans) if start <= at < end)
            if len(self._served) >= 8:  # noqa: PLR2004 - a few instants of the past at most, beside now
                self._served.clear()
            self._served[between] = served
        return served

    def count_facets(self, numbers: Collection[int], counts: Mapping[str, Counter[str]]) -> None:
        """Add to `counts`, by facet, how many of some documents have each value."""
        hits = _bits(numbers, len(self.sop_ids))
        for facet, counted in counts.items():
            masks = self._masks_of(facet)
            if masks is not None:
                for value, mask in masks.items():
                    if times := (mask & hits).bit_count():
                        counted[value] += times
                continue
            # Combinations of values are counted first: few of them, and small integers are hashed for nothing.
            combination_of, combinations = self._combinations[facet]
            for combination, times in Counter(map(combination_of.__getitem__, numbers)).items():
                for value in combinations[combination]:
                    counted[value] += times

    def _masks_of(self, facet: str) -> dict[str, int] | None:
        """Give for each value of a facet the documents that have it, as bits; None where it has too many values."""
        if facet not in self._masks:
            gathered: dict[str, list[int]] = {}
            for number, values in enumerate(self.facets[facet]):
                for each in values:
                    gathered.setdefault(each, []).append(number)
            few = len(gathered) <= MOST_MASKS
            documents = len(self.sop_ids)
            self._masks[facet] = {each: _bits(them, documents) for each, them in gathered.items()} if few else None
        return self._masks[facet]

    def with_value(self, facet: str, value: str) -> frozenset[int]:
        """Give the documents with a case-folded value of a facet."""
        by_value = self._by_value.get(facet)
        if by_value is None:
            gathered: dict[str, set[int]] = {}
            for number, values in enumerate(self.facets[facet]):
                for each in values:
                    gathered.setdefault(each.casefold(), set()).add(number)
            by_value = {key: frozenset(numbers) for key, numbers in gathered.items()}
            self._by_value[facet] = by_value
        return by_value.get(value, frozenset())

    def document(self, number: int, headings: str, body: str) -> SearchDocument:
        """Give a document back as it was indexed; the long texts are kept elsewhere."""
        department, process, system, tag = (self.facets[name][number] for name in FACETS)
        served_from = moment(self.served_from[number])
        return SearchDocument(
            sop_id=self.sop_ids[number],
            revision=self.revisions[number],
            title=self.titles[number],
            headings=headings,
            body=body,
            tags=tag,
            systems=system,
            processes=process,
            department=department[0] if department else None,
            owner=self.owners[number],
            served_from=served_from or _EPOCH,
            served_until=moment(self.served_until[number]),
        )


def _bits(numbers: Iterable[int], documents: int) -> int:
    """Give some of the documents as the bits of an integer, which are intersected and counted faster than sets."""
    digits = bytearray(b"0" * documents)
    for number in numbers:
        digits[number] = _ONE
    return int(digits or b"0", 2)


def _numbered(values: Sequence[tuple[str, ...]]) -> tuple[list[int], list[tuple[str, ...]]]:
    """Give each document the number of its combination of values, and the combinations."""
    numbers: dict[tuple[str, ...], int] = {}
    return [numbers.setdefault(each, len(numbers)) for each in values], list(numbers)


class TableBuilder:
    """Gathers the rows of a `DocumentTable` while a segment is written."""

    def __init__(self) -> None:
        self._rows: list[list[Any]] = []
        self._words: Counter[str] = Counter()
        self._compounds: Counter[str] = Counter()

    def add(
        self, document: SearchDocument, *, words: set[str], compounds: set[str], length: float, title_length: int
    ) -> None:
        """Add the next document: its distinct words, and its lengths in terms."""
        self._words.update(words)
        self._compounds.update(compounds)
        department = () if document.department is None else (document.department,)
        self._rows.append(
            [
                document.sop_id,
                document.revision,
                document.title,
                document.owner,
                department,
                document.processes,
                document.systems,
                document.tags,
                instant(document.served_from),
                instant(document.served_until),
                length,
                title_length,
            ]
        )

    def to_bytes(self) -> bytes:
        """Give the table as the content of a file."""
        return json.dumps([self._rows, self._words, self._compounds]).encode()


def table_from_bytes(content: bytes) -> DocumentTable:
    """Read what `TableBuilder.to_bytes` gave."""
    return DocumentTable(*json.loads(content))
