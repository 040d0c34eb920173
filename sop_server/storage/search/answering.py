"""From a request to a page of hits: who may be found, what fits, the facets, the snippets and the suggestion."""

import heapq
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from sop_server.storage.search.analysis import chunks, fold, term_of
from sop_server.storage.search.documents import DocumentTable, instant
from sop_server.storage.search.matching import Plan, Ranking, Scope, Scores, plan_of, value_filter
from sop_server.storage.search.protocol import FACETS, SearchHit, SearchRequest, SearchResult
from sop_server.storage.search.query import WORD_FIELDS, Clause, ClauseKind, Query, parse
from sop_server.storage.search.segment import Segment
from sop_server.storage.search.snapshot import Snapshot
from sop_server.storage.search.snippets import Wanted, snippet
from sop_server.storage.search.spelling import suggest

FEW = 3
"""With fewer hits than this, a likely misspelling is pointed out."""

Place = tuple[Segment, int]


def answer(snapshot: Snapshot, request: SearchRequest) -> SearchResult:
    """Answer a request from one state of the index."""
    query = parse(request.text)
    scopes = _scopes(snapshot, request, query)
    about_words = [clause for clause in query.clauses if clause.field is None or clause.field in WORD_FIELDS]
    if not about_words:
        if not query.everything and not query.clauses:
            return SearchResult()
        return _listed(scopes, request)
    ranking = Ranking(scopes)
    segments = [scope.segment for scope in scopes]
    plans = [plan_of(clause, segments) for clause in about_words]
    found = ranking.all_of(plans)
    total = sum(map(len, found))
    meant = _did_you_mean(request.text, about_words, ranking) if total < FEW else None
    relaxed = False
    if not total and request.relax:
        found = ranking.any_of(plans)
        total = sum(map(len, found))
        relaxed = total > 0
    page = _page(scopes, found, request)
    wanted = _wanted(about_words, plans)
    hits = tuple(_hit(place, score, snippet(place[0].texts(place[1])[1], wanted)) for score, place in page)
    return SearchResult(hits, total, _facets(scopes, found), meant, relaxed)


def _scopes(snapshot: Snapshot, request: SearchRequest, query: Query) -> list[Scope]:
    """Find out which documents may be found: in force at the instant, for this person, within facets and fields."""
    tests = [
        value_filter(clause) for clause in query.clauses if clause.field is not None and clause.field not in WORD_FIELDS
    ]
    facets = {
        name: value.casefold() for name in FACETS if (value := getattr(request, name)) is not None and value.strip()
    }
    scopes = []
    for segment, served in snapshot.served_at(instant(request.at)):
        table = segment.table
        allowed = served
        if request.among is not None:
            ids = table.sop_ids
            among = request.among
            allowed = frozenset(number for number in allowed if ids[number] in among)
        if request.excluding:
            dropped = chain.from_iterable(table.numbers.get(sop_id, ()) for sop_id in request.excluding)
            allowed = allowed.difference(dropped)
        for name, value in facets.items():
            fitting = table.with_value(name, value)
            allowed = allowed & fitting
        for test in tests:
            allowed = frozenset(number for number in allowed if test(table, number))
        if allowed:
            scopes.append(Scope(segment, allowed))
    return scopes


def _listed(scopes: Sequence[Scope], request: SearchRequest) -> SearchResult:
    """List everything that passes the filters, by title."""
    entries = (
        (scope.segment.table.sort_keys[number], scope.segment.table.sop_ids[number], at, number)
        for at, scope in enumerate(scopes)
        for number in scope.allowed
    )
    page = heapq.nsmallest(max(0, request.offset + request.limit), entries)[request.offset :]
    nothing = Wanted(frozenset())
    hits = []
    for _, _, at, number in page:
        segment = scopes[at].segment
        hits.append(_hit((segment, number), 0.0, snippet(segment.texts(number)[1], nothing)))
    everything = [dict.fromkeys(scope.allowed, 0.0) for scope in scopes]
    return SearchResult(tuple(hits), sum(map(len, everything)), _facets(scopes, everything))


def _page(scopes: Sequence[Scope], found: Sequence[Scores], request: SearchRequest) -> list[tuple[float, Place]]:
    """Choose the best: by score, and by id where scores are equal."""
    wanted = max(0, request.offset + request.limit)
    if not wanted:
        return []
    # Scores alone are compared first: most hits are out before a tuple is made for them.
    best = heapq.nlargest(wanted, chain.from_iterable(scores.values() for scores in found))
    least = best[-1] if best else 0.0
    entries = sorted(
        (-score, scopes[at].segment.table.sop_ids[number], at, number)
        for at, scores in enumerate(found)
        for number, score in scores.items()
        if score >= least
    )
    return [(-entry[0], (scopes[entry[2]].segment, entry[3])) for entry in entries[max(0, request.offset) : wanted]]


def _hit(place: Place, score: float, cut: str) -> SearchHit:
    segment, number = place
    table: DocumentTable = segment.table
    return SearchHit(table.sop_ids[number], table.revisions[number], table.titles[number], cut, round(score, 4))


def _facets(scopes: Sequence[Scope], found: Sequence[Scores]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Count the values over all hits, most frequent first."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for scope, scores in zip(scopes, found, strict=True):
        scope.segment.table.count_facets(scores, counts)
    return {
        name: tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))) for name, counted in counts.items()
    }


def _wanted(clauses: Sequence[Clause], plans: Sequence[Plan]) -> Wanted:
    terms: set[str] = set()
    prefixes = []
    for clause, plan in zip(clauses, plans, strict=True):
        if clause.kind is ClauseKind.PREFIX:
            prefixes.append("".join(fold(word) for chunk in chunks(clause.text) for word in chunk.words))
        else:
            terms.update(plan.any_of, plan.phrase)
    return Wanted(frozenset(terms), tuple(prefixes))


def _did_you_mean(text: str, clauses: Sequence[Clause], ranking: Ranking) -> str | None:
    """Mend the words of a text that the library doesn't know, or `None` where there is nothing to mend."""
    vocabularies = [scope.segment.table.words for scope in ranking.scopes]
    parts = []
    at = 0
    for clause in sorted(clauses, key=lambda clause: clause.start):
        if clause.kind is ClauseKind.PREFIX or clause.start < at:
            continue
        for chunk_start, word in _words_of(clause):
            meant = suggest(fold(word), vocabularies, is_of_use=lambda each: ranking.has(term_of(each)))
            if meant is not None:
                start = clause.start + chunk_start
                parts += [text[at:start], meant]
                at = start + len(word)
    if not parts:
        return None
    return "".join(parts) + text[at:]


def _words_of(clause: Clause) -> list[tuple[int, str]]:
    words = []
    at = 0
    for chunk in chunks(clause.text):
        for word in chunk.words:
            at = clause.text.index(word, at)
            words.append((at, word))
            at += len(word)
    return words
