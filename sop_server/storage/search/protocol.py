"""What any search engine of the library takes and gives; no engine's own types."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sop_server.errors import SopError

FACETS = ("department", "process", "system", "tag")
"""The facets of every result, in the order in which a page shows them."""


class IndexUnavailableError(SopError):
    """The index is absent, damaged or of another format: answer without it and ask for a rebuild (503)."""


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """One served revision of an SOP. `body` and `headings` are plain text, instants are aware UTC.

    It is found from `served_from` on, and before `served_until`; `None` there: nothing supersedes it so far.
    The intervals of one SOP don't overlap.
    """

    sop_id: str
    revision: int
    title: str
    headings: str
    body: str
    tags: tuple[str, ...]
    systems: tuple[str, ...]
    processes: tuple[str, ...]
    department: str | None
    owner: str | None
    served_from: datetime
    served_until: datetime | None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a person asks for.

    `text` is whatever was typed: words (all of them; any of them when no SOP has all), `"phrases"`, `prefix*`, and
    `field:value` for title, heading, id, tag, system, process, department and owner. Without a word of its own
    (empty, or `*`) it lists everything that passes the filters, by title.

    `at` is the instant whose revisions are searched; `as_of` says that a past instant was asked for, for engines
    that keep history apart. The facets compare whole values, without case. `among` are the SOP ids to keep (what the
    person may see), `excluding` those to drop; both bound facets and suggestions as well as hits. Without `relax` a
    SOP that has not all of the words is no hit, even where none has.
    """

    text: str
    at: datetime
    as_of: bool = False
    department: str | None = None
    process: str | None = None
    system: str | None = None
    tag: str | None = None
    among: frozenset[str] | None = None
    excluding: frozenset[str] = frozenset()
    relax: bool = True
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One SOP that was found. `title` is plain text; `snippet` is HTML: escaped, with the hits in `<mark>`."""

    sop_id: str
    revision: int
    title: str
    snippet: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of hits, best first. `total` and `facets` count all of them, `facets` most frequent value first.

    `did_you_mean` is the text with its likely misspellings mended. `relaxed`: no SOP has all the words, these
    have some.
    """

    hits: tuple[SearchHit, ...] = ()
    total: int = 0
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=lambda: dict.fromkeys(FACETS, ()))
    did_you_mean: str | None = None
    relaxed: bool = False


class SearchEngine(Protocol):
    """A full-text index of the served revisions, safe to share between threads."""

    def search(self, request: SearchRequest) -> SearchResult:
        """Find SOPs. No text raises; `IndexUnavailableError` when there is no index to ask."""
        ...

    def update(self, documents: Sequence[SearchDocument], removed: Sequence[str], *, stamp: str | None = None) -> None:
        """Replace everything known of the SOPs of `documents` (all served revisions of each), forget `removed`.

        `stamp` names the state of the library that is now held; without it the old one stays. Raises `BusyError`
        while another process writes, `IndexUnavailableError` when there is no index to update: rebuild it.
        """
        ...

    def rebuild(self, documents: Iterable[SearchDocument], *, stamp: str) -> None:
        """Index everything anew aside, then swap; searches go on in the old index meanwhile. May raise `BusyError`."""
        ...

    def stamp(self) -> str | None:
        """Name the state of the library that the index holds; `None` without a usable index."""
        ...

    def ready(self) -> bool:
        """Say whether a search would be answered now."""
        ...

    def warm(self) -> None:
        """Open what the first search needs; off the request. Raises `IndexUnavailableError`."""
        ...

    def close(self) -> None:
        """Let go of files and memory. A later search opens them again."""
        ...
