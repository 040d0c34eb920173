"""Which documents fit a query, and how well: clauses become plans, plans are evaluated segment by segment."""

import heapq
import math
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

from sop_server.storage.search.analysis import STOP_WORDS, chunks, fold, term_of
from sop_server.storage.search.documents import DocumentTable, id_key
from sop_server.storage.search.query import WORD_FIELDS, Clause, ClauseKind
from sop_server.storage.search.segment import Segment

SATURATION = 1.2
"""k1 of BM25: how fast further occurrences stop to count."""
LENGTH_MATTERS = 0.6
"""b of BM25: how much a long text is discounted."""
MOST_EXPANSIONS = 64
"""Of the words that begin with a prefix the most frequent are searched."""

Scores = dict[int, float]


@dataclass(frozen=True, slots=True)
class Scope:
    """A segment, and the documents in it that the person may find."""

    segment: Segment
    allowed: AbstractSet[int]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a clause is answered: documents with one of `any_of`, with `phrase` side by side, or with the id itself."""

    field: str
    any_of: tuple[str, ...] = ()
    phrase: tuple[str, ...] = ()
    sop_id: str | None = None


def plan_of(clause: Clause, segments: Sequence[Segment]) -> Plan:
    """Turn a clause about words into a plan. The vocabulary of the segments expands prefixes."""
    field = clause.field if clause.field in WORD_FIELDS else "text"
    found = list(chunks(clause.text))
    words = tuple(term_of(word) for chunk in found for word in chunk.words)
    if clause.kind is ClauseKind.PHRASE:
        return Plan(field, phrase=words)
    if clause.kind is ClauseKind.PREFIX:
        return Plan(field, any_of=_expand("".join(fold(word) for chunk in found for word in chunk.words), segments))
    if len(words) == 1:
        return Plan(field, any_of=words, sop_id=id_key(clause.text) if field == "text" else None)
    joined = tuple(chunk.joined for chunk in found if chunk.joined is not None) if field == "text" else ()
    return Plan(field, any_of=joined, phrase=words, sop_id=id_key(clause.text) if field == "text" else None)


def _expand(prefix: str, segments: Sequence[Segment]) -> tuple[str, ...]:
    frequency: dict[str, int] = {}
    for segment in segments:
        for vocabulary in (segment.table.words, segment.table.compounds):
            for word in vocabulary.starting_with(prefix):
                frequency[word] = frequency.get(word, 0) + vocabulary.counts[word]
    words = heapq.nlargest(MOST_EXPANSIONS, frequency, key=lambda word: (frequency[word], word))
    return tuple(dict.fromkeys(map(term_of, words)))


class Ranking:
    """Evaluates plans over the documents that may be found, with BM25 over weighted frequencies."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self.scopes = scopes
        self._rarities: dict[tuple[str, str], float] = {}

    @cached_property
    def _documents(self) -> int:
        return sum(len(scope.segment.table.sop_ids) for scope in self.scopes)

    @cached_property
    def _saturation(self) -> tuple[float, float]:
        """The share of BM25's divisor that every document has, and what each term of its length adds."""
        return SATURATION * (1 - LENGTH_MATTERS), SATURATION * LENGTH_MATTERS / self._average_length

    @cached_property
    def _average_length(self) -> float:
        return max(1.0, sum(scope.segment.table.total_length for scope in self.scopes) / max(1, self._documents))

    def frequency(self, field: str, term: str) -> int:
        """Count the documents with a term, in all segments in play."""
        return sum(len(scope.segment.posting(field, term).numbers) for scope in self.scopes)

    def rarity(self, field: str, term: str) -> float:
        """Give the inverse document frequency of a term, never negative."""
        key = (field, term)
        if key not in self._rarities:
            having = self.frequency(field, term)
            self._rarities[key] = math.log(1 + (self._documents - having + 0.5) / (having + 0.5))
        return self._rarities[key]

    def bound(self, plan: Plan) -> float:
        """Give a score that the text of no document reaches for a plan."""
        rarest = max((self.rarity(plan.field, term) for term in plan.any_of), default=0.0)
        side_by_side = sum(self.rarity(plan.field, term) for term in plan.phrase)
        return (SATURATION + 1) * max(rarest, side_by_side)

    def has(self, term: str) -> bool:
        """Say whether a document that may be found has a term."""
        return any(not scope.allowed.isdisjoint(scope.segment.posting("text", term).numbers) for scope in self.scopes)

    def all_of(self, plans: Sequence[Plan]) -> list[Scores]:
        """Give the documents of each scope that fit every plan, with their scores."""
        cheapest_first = sorted(plans, key=self._cost)
        result = []
        for scope in self.scopes:
            scores: Scores = {}
            within: Collection[int] = scope.allowed
            for at, plan in enumerate(cheapest_first):
                more = self._evaluate(scope, plan, within)
                scores = {number: scores[number] + score for number, score in more.items()} if at else more
                within = scores
                if not scores:
                    break
            if scores:
                self._prefer_titles(scope, plans, scores)
            result.append(scores)
        return result

    def any_of(self, plans: Sequence[Plan]) -> list[Scores]:
        """Give the documents of each scope that fit one plan at least; a phrase fits by its words, too."""
        loosened: dict[Plan, None] = {}
        for plan in plans:
            loosened[plan] = None
            loosened.update((Plan(plan.field, any_of=(word,)), None) for word in plan.phrase)
        result = []
        for scope in self.scopes:
            scores: Scores = {}
            for plan in loosened:
                found = self._evaluate(scope, plan, scope.allowed)
                for number in scores.keys() & found.keys():
                    found[number] += scores[number]
                scores |= found
            result.append(scores)
        return result

    def _cost(self, plan: Plan) -> int:
        cost = sum(self.frequency(plan.field, term) for term in plan.any_of)
        if plan.phrase:
            cost += 2 * min(self.frequency(plan.field, term) for term in plan.phrase)
        return cost

    def _evaluate(self, scope: Scope, plan: Plan, within: Collection[int]) -> Scores:
        scores: Scores = {}
        for term in plan.any_of:
            found = self._term_scores(scope.segment, plan.field, term, within)
            for number in scores.keys() & found.keys():
                found[number] = max(found[number], scores[number])
            scores |= found
        if plan.phrase:
            for number, score in self._phrase_scores(scope.segment, plan, within).items():
                scores[number] = max(score, scores.get(number, 0.0))
        if plan.sop_id is not None:
            for number in scope.segment.table.numbers_by_key.get(plan.sop_id, ()):
                if number in within:
                    # Who types an id wants that SOP, whatever else mentions it.
                    scores[number] = scores.get(number, 0.0) + 8 * max(1.0, self.bound(plan))
        return scores

    def _term_scores(self, segment: Segment, field: str, term: str, within: Collection[int]) -> Scores:
        posting = segment.posting(field, term)
        if not posting.numbers:
            return {}
        rarity = self.rarity(field, term) * (SATURATION + 1)
        impacts = posting.impacts(segment.table.lengths, self._saturation)
        # Built-ins do the stepping: a loop of this over a common word takes three times as long.
        scored = zip(posting.numbers, map(rarity.__mul__, impacts), strict=True)
        if len(within) == len(segment.table.sop_ids):
            return dict(scored)
        if len(within) * 8 < len(posting.numbers):
            known = posting.places
            return {number: rarity * impacts[known[number]] for number in within if number in known}
        return dict(compress(scored, map(within.__contains__, posting.numbers)))

    def _phrase_scores(self, segment: Segment, plan: Plan, within: Collection[int]) -> Scores:
        # Stop words are nearly everywhere: looking for them in the candidates is cheaper than in the postings.
        telling = {term for term in plan.phrase if term not in STOP_WORDS} or set(plan.phrase)
        scores: Scores = {}
        for at, term in enumerate(sorted(telling, key=lambda term: self.frequency(plan.field, term))):
            more = self._term_scores(segment, plan.field, term, within)
            scores = {number: scores[number] + score for number, score in more.items()} if at else more
            within = scores
            if not scores:
                return {}
        line = {"title": 0, "heading": 1}.get(plan.field)
        return {number: scores[number] for number in segment.with_phrase(scores, plan.phrase, line=line)}

    def _prefer_titles(self, scope: Scope, plans: Sequence[Plan], scores: Scores) -> None:
        """Lift documents whose title has everything above all others, by how much of the title was asked for."""
        asked = [plan for plan in plans if plan.field == "text"]
        entitled: set[int] | None = None
        words = 0
        for plan in asked:
            titles = set().union(*(scope.segment.posting("title", term).numbers for term in plan.any_of))
            if plan.phrase:
                numbers = [set(scope.segment.posting("title", term).numbers) for term in plan.phrase]
                titles |= set.intersection(*numbers)
            words += max(1, len(plan.phrase))
            entitled = titles if entitled is None else entitled & titles
        bonus = sum(map(self.bound, asked))
        lengths = scope.segment.table.title_lengths
        for number in entitled or ():
            if number in scores:
                scores[number] += bonus * (1 + min(1.0, words / lengths[number]))


def value_filter(clause: Clause) -> Callable[[DocumentTable, int], bool]:
    """Make the test for a clause about an id, a label or an owner: the whole value, its words, or its beginning."""
    if clause.field == "id":
        key = id_key(clause.text)
        if clause.kind is ClauseKind.PREFIX:
            beginning = clause.text.casefold()
            return lambda table, number: table.sop_ids[number].casefold().startswith(beginning)
        return lambda table, number: id_key(table.sop_ids[number]) == key
    wanted = [fold(word) for chunk in chunks(clause.text) for word in chunk.words]
    beginning = clause.text.casefold()
    is_prefix = clause.kind is ClauseKind.PREFIX
    verdicts: dict[str, bool] = {}

    def fits(value: str) -> bool:
        if value not in verdicts:
            written = [fold(word) for chunk in chunks(value) for word in chunk.words]
            whole = value.casefold()
            verdicts[value] = (
                whole.startswith(beginning)
                if is_prefix
                else whole == beginning or (bool(wanted) and set(wanted) <= set(written))
            )
        return verdicts[value]

    def holds(table: DocumentTable, number: int) -> bool:
        if clause.field == "owner":
            owner = table.owners[number]
            return owner is not None and fits(owner)
        return any(map(fits, table.facets[clause.field or ""][number]))

    return holds
