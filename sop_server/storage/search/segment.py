"""One immutable segment of the index: Whoosh's postings, stored texts and columns, and a table of its documents.

Whoosh's codec keeps the index; its searcher is not used: stepping through matchers in Python costs about ten times
what the arithmetic of a whole posting block does, and a searcher shared by threads seeks in one file for all of them.
Postings hold the term frequencies of all fields added up, weighted by field, before they saturate, which is BM25F of
Robertson, Zaragoza and Taylor (2004), "Simple BM25 extension to multiple weighted fields".
"""

import threading
from array import array
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whoosh import fields, formats
from whoosh.analysis import IDAnalyzer
from whoosh.codec.whoosh3 import W3Codec, W3LeafMatcher, W3Segment
from whoosh.columns import VarBytesColumn
from whoosh.filedb.filestore import FileStorage
from whoosh.reading import SegmentReader, TermNotFound

from sop_server.storage.search.analysis import terms
from sop_server.storage.search.documents import DocumentTable, TableBuilder, table_from_bytes
from sop_server.storage.search.manifest import SegmentEntry, checksum, signature
from sop_server.storage.search.pairs import Pairs, PairsBuilder
from sop_server.storage.search.protocol import IndexUnavailableError, SearchDocument

WEIGHTS = {"title": 5.0, "headings": 2.0, "labels": 3.0, "id": 8.0, "body": 1.0}
"""What one occurrence in a field counts, in occurrences in the body."""

_INDEX = "SOP"
SCRATCH = f"{_INDEX}.tmp"
"""The folder inside a directory where Whoosh keeps what it hasn't finished; all writers in a directory share it."""
_TABLE = ".tab"
_PAIRS = ".par"
_CACHED_TERMS = 2048
_BLOCK_SIZE = 2048
_FIELDS = ("heading", "text", "title")
"""The indexed fields, in the order in which Whoosh wants them written."""


def _schema() -> fields.Schema:
    """Describe the fields. `stream` is all text as terms in order: a phrase is a search for bytes in it."""
    indexed = fields.FieldType(formats.Existence(), IDAnalyzer())
    return fields.Schema(
        text=indexed,
        title=indexed,
        heading=indexed,
        headings=fields.STORED(),
        body=fields.STORED(),
        stream=fields.COLUMN(VarBytesColumn()),
    )


@contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever damaged bytes make Whoosh raise into the one error that its callers know."""
    try:
        yield
    except IndexUnavailableError:
        raise
    except Exception as exc:  # Whoosh raises bare ones, and unpickling garbage raises anything
        raise IndexUnavailableError("The search index is damaged: rebuild it with `reindex`.") from exc


class _Blocks(W3LeafMatcher):  # type: ignore[misc] # Whoosh is untyped
    """Postings by whole blocks, where Whoosh's matcher steps through them one by one at ten times the price."""

    def blocks(self) -> Iterator[tuple[Iterable[int], Iterable[float]]]:
        """Yield numbers and weights of one block after the other."""
        while self.is_active():
            self._read_ids()
            self._read_weights()
            yield self._ids, self._weights
            self._next_block()


class _Codec(W3Codec):  # type: ignore[misc] # the same
    """Whoosh's codec, with larger blocks: one is read, decompressed and unpickled at once."""

    def __init__(self) -> None:
        super().__init__(blocklimit=_BLOCK_SIZE, inlinelimit=0)

    def postings_reader(
        self, dbfile: Any, terminfo: Any, format_: Any, term: Any = None, scorer: Any = None
    ) -> _Blocks:
        offset, length = terminfo.extent()
        return _Blocks(dbfile, offset, length, format_, term=term, scorer=scorer)


class _Files(FileStorage):  # type: ignore[misc] # the same
    """The folder of a segment; it closes what a reader opened before it failed, which Whoosh leaves open."""

    def __init__(self, directory: Path) -> None:
        super().__init__(str(directory), supports_mmap=False)
        self._opened: list[Any] = []

    def open_file(self, name: str, **options: Any) -> Any:
        file = super().open_file(name, **options)
        self._opened.append(file)
        return file

    def close(self) -> None:
        while self._opened:
            file = self._opened.pop()
            if not file.is_closed:
                file.close()


class Posting:
    """The documents of a segment that have a term, ascending, and its weighted frequency in each."""

    __slots__ = ("_impacts", "_places", "numbers", "weights")

    def __init__(self) -> None:
        self.numbers = array("I")
        self.weights = array("f")
        self._impacts: tuple[tuple[float, float], array[float]] | None = None
        self._places: dict[int, int] | None = None

    @property
    def places(self) -> dict[int, int]:
        """Where each document stands in the other lists; made at the first use."""
        if self._places is None:
            self._places = {number: at for at, number in enumerate(self.numbers)}
        return self._places

    def impacts(self, lengths: Sequence[float], saturation: tuple[float, float]) -> "array[float]":
        """Give how much the term counts in each document before its rarity: w / (w + base + slope · length).

        `saturation` is (base, slope); it changes with the average length, so what was worked out for one is kept.
        """
        kept = self._impacts
        if kept is None or kept[0] != saturation:
            base, slope = saturation
            pairs = zip(self.numbers, self.weights, strict=True)
            kept = (saturation, array("d", (w / (w + base + slope * lengths[number]) for number, w in pairs)))
            self._impacts = kept
        return kept[1]


_NO_POSTING = Posting()


class SegmentWriter:
    """Writes one segment. Postings are gathered by term, which is several times faster than Whoosh's sorted pool."""

    def __init__(self, directory: Path) -> None:
        self._storage = FileStorage(str(directory), supports_mmap=False)
        self._directory = directory
        self._codec = _Codec()
        self._segment = self._codec.new_segment(self._storage, _INDEX)
        self._schema = _schema()
        self._stored = self._codec.per_document_writer(self._storage, self._segment)
        self._postings: dict[str, dict[str, Posting]] = {name: {} for name in _FIELDS}
        self._table = TableBuilder()
        self._pairs = PairsBuilder()
        self.documents = 0

    def add(self, document: SearchDocument) -> None:
        """Add the next document."""
        number = self.documents
        weighted: dict[str, float] = {}
        words: set[str] = set()
        compounds: set[str] = set()
        streams = {}
        labels = (*document.tags, *document.systems, *document.processes, document.department or "")
        for name, text in (
            ("body", document.body),
            ("headings", document.headings),
            ("title", document.title),
            ("labels", "\n".join(labels)),
            ("id", document.sop_id),
        ):
            in_order, joined, written = terms(text)
            streams[name] = in_order
            weight = WEIGHTS[name]
            for term, count in Counter(in_order + joined).items():
                weighted[term] = weighted.get(term, 0.0) + weight * count
            compounds.update(joined)
            if name not in {"labels", "id"}:
                words.update(written)
        self._post("text", number, weighted.items())
        self._post("title", number, Counter(streams["title"]).items())
        self._post("heading", number, Counter(streams["headings"]).items())
        self._table.add(
            document,
            words=words,
            compounds=compounds,
            length=float(len(streams["headings"]) + len(streams["body"])),
            title_length=len(streams["title"]),
        )
        lines = [streams[name] for name in ("title", "headings", "labels", "body")]
        self._pairs.add(lines)
        stream = "".join(f" {' '.join(line)} \n" for line in lines)
        self._store(number, document, stream)
        self.documents += 1

    def _post(self, field: str, number: int, weighted: Iterable[tuple[str, float]]) -> None:
        postings = self._postings[field]
        for term, weight in weighted:
            posting = postings.get(term)
            if posting is None:
                posting = postings[term] = Posting()
            posting.numbers.append(number)
            posting.weights.append(weight)

    def _store(self, number: int, document: SearchDocument, stream: str) -> None:
        stored = self._stored
        stored.start_doc(number)
        stored.add_field("headings", self._schema["headings"], document.headings, 0)
        stored.add_field("body", self._schema["body"], document.body, 0)
        stored.add_column_value("stream", self._schema["stream"].column_type, stream.encode("utf-8", "replace"))
        stored.finish_doc()

    def discard(self) -> None:
        """Let go of the files of a segment that will not be finished; the next write removes them."""
        self._stored.close()

    def finish(self, *, past: bool) -> SegmentEntry:
        """Write everything out and say what there is now. At least one document was added."""
        postings = self._codec.field_writer(self._storage, self._segment)
        postings.add_postings(self._schema, None, self._sorted_postings())
        postings.close()
        self._stored.close()
        (self._directory / self._segment.make_filename(_TABLE)).write_bytes(self._table.to_bytes())
        (self._directory / self._segment.make_filename(_PAIRS)).write_bytes(self._pairs.to_bytes())
        files = sorted(self._segment.list_files(self._storage))
        return SegmentEntry(
            name=self._segment.segid,
            past=past,
            documents=self.documents,
            deleted=frozenset(),
            files=tuple(checksum(self._directory / name) for name in files),
        )

    def _sorted_postings(self) -> Iterator[tuple[str, bytes, int, float, bytes]]:
        for field in _FIELDS:
            encoded = sorted((term.encode("utf-8", "replace"), found) for term, found in self._postings[field].items())
            for term, posting in encoded:
                for number, weight in zip(posting.numbers, posting.weights, strict=True):
                    yield field, term, number, weight, b""


class Segment:
    """An open segment. Reading it is for one thread at a time: hold `lock`, since its files have one position each."""

    def __init__(self, directory: Path, entry: SegmentEntry) -> None:
        """Check every file against its checksum and only then open it. Raises `IndexUnavailableError`."""
        self.name = entry.name
        self.lock = threading.RLock()
        self._paths = [directory / file.name for file in entry.files]
        self._cache: OrderedDict[tuple[str, str], Posting] = OrderedDict()
        self._is_closed = False
        with _reading():
            self._signatures = [signature(path) for path in self._paths]
            if any(checksum(directory / file.name) != file for file in entry.files):
                raise IndexUnavailableError("The search index is damaged: rebuild it with `reindex`.")
            segment = W3Segment(_Codec(), _INDEX, doccount=entry.documents, segid=entry.name)
            content = (directory / segment.make_filename(_TABLE)).read_bytes()
            self.table: DocumentTable = table_from_bytes(content)
            self._pairs = Pairs((directory / segment.make_filename(_PAIRS)).read_bytes())
            storage = _Files(directory)
            try:
                self._reader = SegmentReader(storage, _schema(), segment)
                # Whoosh opens a column at its first use, when another process may have removed the file.
                self._streams: Any = self._reader.column_reader("stream", translate=False)
                self._reader.stored_fields(0)
            except BaseException:
                storage.close()
                raise

    def is_intact(self) -> bool:
        """Say whether the files are those that were checked."""
        try:
            return [signature(path) for path in self._paths] == self._signatures
        except OSError:
            return False

    def posting(self, field: str, term: str) -> Posting:
        """Give the documents that have a term in `text`, `title` or `heading`."""
        key = (field, term)
        with self.lock:
            found = self._cache.get(key)
            if found is not None:
                self._cache.move_to_end(key)
                return found
            with _reading():
                found = self._read_posting(field, term)
            self._cache[key] = found
            if len(self._cache) > _CACHED_TERMS:
                self._cache.popitem(last=False)
            return found

    def _read_posting(self, field: str, term: str) -> Posting:
        try:
            matcher = self._reader.postings(field, term)
        except TermNotFound:
            return _NO_POSTING
        posting = Posting()
        for numbers, weights in matcher.blocks():
            posting.numbers.extend(numbers)
            posting.weights.extend(weights)
        return posting

    def with_phrase(self, numbers: Collection[int], phrase: Sequence[str], *, line: int | None = None) -> list[int]:
        """Give those documents that have some terms side by side; line 0 is the title, 1 the headings."""
        streams = self._streams
        wanted = f" {' '.join(phrase)} ".encode("utf-8", "replace")
        candidates = self._pairs.candidates(numbers, phrase)
        with self.lock, _reading():
            if line is None:
                return [number for number in candidates if wanted in streams[number]]
            return [number for number in candidates if wanted in streams[number].split(b"\n", 2)[line]]

    def texts(self, number: int) -> tuple[str, str]:
        """Give headings and body of a document as they were indexed."""
        with self.lock, _reading():
            stored = self._reader.stored_fields(number)
            return stored["headings"], stored["body"]

    def document(self, number: int) -> SearchDocument:
        """Give a document as it was indexed."""
        return self.table.document(number, *self.texts(number))

    def close(self) -> None:
        """Let go of the files."""
        with self.lock:
            if not self._is_closed:
                self._is_closed = True
                self._reader.close()
