"""Finding a procedure: what was typed, the filters, and what the actor may see."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from html import escape

from sop_server.domain.identifiers import normalise_sop_id, parse_sop_id
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import BusyError, ConflictError, InvalidInputError
from sop_server.services.library.reading import check_instant
from sop_server.services.library.recorded import marks_of, readable_ids, record_of, serving_rows
from sop_server.services.library.sop_views import NO_MARKS, SopSummary, summarise
from sop_server.services.reports.reporting import stale_ids
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.database import Session
from sop_server.storage.missed_searches import keep_missed_search
from sop_server.storage.search.protocol import (
    FACETS,
    IndexUnavailableError,
    SearchHit,
    SearchRequest,
    SearchResult,
)

_LONGEST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asks for: words and filters; `stale` True or False keeps only those that are, or are not."""

    text: str = ""
    department: str | None = None
    process: str | None = None
    system: str | None = None
    tag: str | None = None
    stale: bool | None = None
    at: datetime | None = None
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One hit: the SOP, the lines around the words as safe HTML, and how well it fits."""

    sop: SopSummary
    snippet: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits. `direct` is the SOP whose id was typed alone; `degraded` says that the index was not there."""

    items: tuple[Found, ...]
    total: int
    facets: Mapping[str, tuple[tuple[str, int], ...]]
    did_you_mean: str | None
    relaxed: bool
    direct: str | None
    degraded: bool
    next_offset: int | None


def search(stores: Stores, *, actor: Actor, query: Query, now: datetime) -> SearchPage:
    """Return what is in force, may be seen and fits; a search that found nothing is kept, without the person."""
    actor.require_anywhere(Action.READ)
    if query.offset < 0:
        raise InvalidInputError("A page cannot begin before the first hit.", fields={"cursor": "must not be negative"})
    at = check_instant(query.at, now=now) or now
    with stores.database.read() as session:
        among = _among(stores, session, actor, query, at=at, now=now)
        direct = _direct(stores, session, actor, query.text, now=now)
        result, degraded = _ask(stores, session, query, among=among, at=at)
        rows = serving_rows(stores, session, [hit.sop_id for hit in result.hits], at=at, now=now)
        marks = marks_of(stores, session, list(rows), at=at, now=now)
    shown = rows.keys() if among is None else rows.keys() & among
    if result.total == 0 and query.text.strip() and direct is None and not degraded and query.at is None:
        _keep_missed(stores, query.text, now=now)
    items = tuple(
        Found(summarise(rows[hit.sop_id], marks.get(hit.sop_id, NO_MARKS)), hit.snippet, hit.score)
        for hit in result.hits
        if hit.sop_id in shown
    )
    reached = query.offset + len(result.hits)
    return SearchPage(
        items=items,
        total=result.total,
        facets=result.facets,
        did_you_mean=result.did_you_mean,
        relaxed=result.relaxed,
        direct=direct,
        degraded=degraded,
        next_offset=reached if result.hits and reached < result.total else None,
    )


def _among(
    stores: Stores, session: Session, actor: Actor, query: Query, *, at: datetime, now: datetime
) -> frozenset[str] | None:
    reach = actor.reach(Action.READ)
    seen = None if reach is None else readable_ids(stores, session, reach, at=at, now=now)
    if query.stale is None:
        return seen
    everything = seen if seen is not None else frozenset(sops.in_force_ids(session, at))
    stale = stale_ids(session, at=at)
    return everything & stale if query.stale else everything - stale


def _typed_id(text: str) -> str | None:
    """Return the id that was typed alone, however it is written."""
    typed = text.strip()
    if not typed.upper().startswith("SOP"):
        return None
    return typed if parse_sop_id(typed) else normalise_sop_id(typed)


def _direct(stores: Stores, session: Session, actor: Actor, text: str, *, now: datetime) -> str | None:
    """Return the SOP whose id was typed alone: in force, retired or still to come, each has a page that says so."""
    sop_id = _typed_id(text)
    if sop_id is None:
        return None
    record = record_of(stores, session, sop_id, now=now)
    return None if record is None or not actor.may(Action.READ, record.department(now)) else sop_id


def _ask(
    stores: Stores, session: Session, query: Query, *, among: frozenset[str] | None, at: datetime
) -> tuple[SearchResult, bool]:
    request = SearchRequest(
        text=query.text,
        at=at,
        as_of=query.at is not None,
        department=query.department,
        process=query.process,
        system=query.system,
        tag=query.tag,
        among=among,
        relax=_typed_id(query.text) is None,
        limit=query.limit,
        offset=query.offset,
    )
    try:
        return stores.search.search(request), False
    except IndexUnavailableError:
        return _by_title(session, query, among=among, at=at), True


def _by_title(session: Session, query: Query, *, among: frozenset[str] | None, at: datetime) -> SearchResult:
    """Answer from the titles alone, while the index builds itself anew."""
    rows = [
        row
        for row in sops.titled(session, query.text.split(), at=at)
        if (among is None or row.sop_id in among)
        and (query.department is None or row.department == query.department)
        and (query.process is None or query.process in row.processes)
        and (query.system is None or query.system in row.systems)
        and (query.tag is None or query.tag in row.tags)
    ]
    page = rows[query.offset : query.offset + query.limit]
    hits = tuple(SearchHit(row.sop_id, row.number, row.title, escape(row.change_summary), 1.0) for row in page)
    return SearchResult(hits=hits, total=len(rows), facets=dict.fromkeys(FACETS, ()))


def _keep_missed(stores: Stores, text: str, *, now: datetime) -> None:
    words = " ".join(text.lower().split())[:_LONGEST_KEPT]
    # Counting is not worth an answer: who searches while the database is busy gets theirs all the same.
    with suppress(BusyError, ConflictError), stores.database.write() as session:
        keep_missed_search(session, words, now=now)


def still_missed(stores: Stores, words: str, *, now: datetime) -> bool:
    """Whether nothing of the whole library fits the words even now; True while there is no index to ask."""
    try:
        return stores.search.search(SearchRequest(text=words, at=now, limit=1)).total == 0
    except IndexUnavailableError:
        return True
