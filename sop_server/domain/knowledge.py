"""Whether the people who work by the SOPs have read them, and whether somebody answers for each."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.facts import AcknowledgementFact, Facts, RevisionFact
from sop_server.domain.revisions import major_among
from sop_server.domain.standing import Standing

ACKNOWLEDGEMENT_GRACE = timedelta(days=7)
STARTER_PERIOD = timedelta(days=90)

_ACKNOWLEDGED_WEIGHT = 0.60
_STARTERS_WEIGHT = 0.25
_CARED_FOR_WEIGHT = 0.15
_NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SopKnowledge:
    """How many know a SOP: `required` and `done` for its current major revision, `starters` for the new people.

    `revision` is the one in force, `major` the one that asked everybody to read; whoever acknowledged any revision
    from it on knows the SOP. What is still in its grace counts only once done. `missing` are the people past it.
    """

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    revision: int
    major: int
    required: int
    done: int
    starters: int
    starters_in_time: int
    cared_for: bool
    missing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """The share of knowledge, None without SOPs, its three parts, each None without data, and the rows behind them."""

    at: datetime
    knowledge: float | None
    acknowledged: float | None
    starters: float | None
    cared_for: float | None
    items: tuple[SopKnowledge, ...]


@dataclass(slots=True)
class _Audience:
    """The active people of some teams, each with the instant since which they belong to one of them."""

    joined: dict[int, datetime]
    past_grace: frozenset[int]
    starters: dict[int, datetime]
    starters_past_grace: int


@dataclass(slots=True)
class _Count:
    """One SOP: who of its audience knows it, who past the grace does not, and its new starters."""

    serving: RevisionFact
    major: int
    done: int
    missing: frozenset[int]
    starters: int
    starters_in_time: int


@dataclass(slots=True)
class _Parts:
    """The three shares, each None without data."""

    acknowledged: float | None
    starters: float | None
    cared_for: float | None


def knowledge(of: Standing) -> KnowledgeReport:
    """Return how well the SOPs in force are known: the one that most people have still to read comes first."""
    counts = tuple(_counts(of))
    items = [
        SopKnowledge(
            sop_id=count.serving.sop_id,
            title=count.serving.title,
            department=count.serving.department,
            owner=count.serving.owner,
            revision=count.serving.number,
            major=count.major,
            required=count.done + len(count.missing),
            done=count.done,
            starters=count.starters,
            starters_in_time=count.starters_in_time,
            cared_for=_cared_for(count.serving),
            missing=tuple(sorted(count.missing)),
        )
        for count in counts
    ]
    items.sort(key=lambda item: (-len(item.missing), item.sop_id))
    parts = _parts(counts)
    return KnowledgeReport(
        at=of.at,
        knowledge=_weighted(parts),
        acknowledged=parts.acknowledged,
        starters=parts.starters,
        cared_for=parts.cared_for,
        items=tuple(items),
    )


def knowledge_share(of: Standing) -> float | None:
    """Return the share of knowledge alone; None without SOPs."""
    return _weighted(_parts(tuple(_counts(of))))


def _weighted(parts: _Parts) -> float | None:
    """Return 0.60 of what was acknowledged + 0.25 of the starters + 0.15 of the SOPs cared for, over what has data."""
    known = [
        (weight, share)
        for weight, share in (
            (_ACKNOWLEDGED_WEIGHT, parts.acknowledged),
            (_STARTERS_WEIGHT, parts.starters),
            (_CARED_FOR_WEIGHT, parts.cared_for),
        )
        if share is not None
    ]
    if not known:
        return None
    return math.fsum(weight * share for weight, share in known) / math.fsum(weight for weight, _ in known)


def _parts(counts: Sequence[_Count]) -> _Parts:
    done = sum(count.done for count in counts)
    return _Parts(
        acknowledged=_share(done, done + sum(len(count.missing) for count in counts)),
        starters=_share(sum(count.starters_in_time for count in counts), sum(count.starters for count in counts)),
        cared_for=_share(sum(_cared_for(count.serving) for count in counts), len(counts)),
    )


def _cared_for(serving: RevisionFact) -> bool:
    return bool(serving.owner and serving.deputy)


def _share(done: int, of: int) -> float | None:
    return done / of if of else None


def _teams(facts: Facts) -> dict[str, dict[int, datetime]]:
    """Return the active members of each team, and since when each is in it."""
    at = facts.at
    active = {person.id for person in facts.people.values() if person.active(at)}
    teams: dict[str, dict[int, datetime]] = {}
    for fact in facts.memberships:
        if fact.person_id not in active or fact.joined_at > at or (fact.left_at is not None and fact.left_at <= at):
            continue
        members = teams.setdefault(fact.team, {})
        members[fact.person_id] = min(fact.joined_at, members.get(fact.person_id, fact.joined_at))
    return teams


def _joined(teams: Mapping[str, Mapping[int, datetime]], names: Iterable[str]) -> dict[int, datetime]:
    joined: dict[int, datetime] = {}
    for name in names:
        for person_id, instant in teams.get(name, {}).items():
            joined[person_id] = min(instant, joined.get(person_id, instant))
    return joined


def _audience(joined: dict[int, datetime], at: datetime) -> _Audience:
    starters = {person_id: instant for person_id, instant in joined.items() if instant > at - STARTER_PERIOD}
    return _Audience(
        joined=joined,
        past_grace=frozenset(
            person_id for person_id, instant in joined.items() if instant + ACKNOWLEDGEMENT_GRACE <= at
        ),
        starters=starters,
        starters_past_grace=sum(instant + ACKNOWLEDGEMENT_GRACE <= at for instant in starters.values()),
    )


def _counts(of: Standing) -> Iterable[_Count]:
    """Count each SOP in force; the cost is that of the acknowledgements, never of the audience times the library."""
    at = of.at
    teams = _teams(of.facts)
    acknowledged: dict[str, list[AcknowledgementFact]] = {}
    for fact in of.facts.acknowledgements:
        if fact.happened_at <= at:
            acknowledged.setdefault(fact.sop_id, []).append(fact)
    audiences: dict[tuple[str, ...], _Audience] = {}
    for sop_id, serving in of.in_force.items():
        audience = audiences.get(serving.audience)
        if audience is None:
            audience = audiences[serving.audience] = _audience(_joined(teams, serving.audience), at)
        yield _count(of.orders[sop_id], serving, audience, acknowledged.get(sop_id, ()), at=at)


def _count(
    order: Sequence[RevisionFact],
    serving: RevisionFact,
    audience: _Audience,
    acknowledgements: Iterable[AcknowledgementFact],
    *,
    at: datetime,
) -> _Count:
    major = major_among(order, at) or serving
    first = order[0].effective_from
    asked_by = at - ACKNOWLEDGEMENT_GRACE
    missing = audience.past_grace if major.effective_from <= asked_by else _NOBODY
    starters = audience.starters_past_grace if first <= asked_by else 0
    knows: set[int] = set()
    in_time: set[int] = set()
    for fact in acknowledgements:
        if fact.person_id in audience.joined:
            if fact.revision >= major.number:
                knows.add(fact.person_id)
            joined = audience.starters.get(fact.person_id)
            if joined is not None and _in_time(fact, order, max(joined, first)):
                in_time.add(fact.person_id)
    if in_time:
        starters += sum(max(audience.starters[person], first) > asked_by for person in in_time)
    return _Count(
        serving=serving,
        major=major.number,
        done=len(knows),
        missing=missing - knows if knows else missing,
        starters=starters,
        starters_in_time=len(in_time),
    )


def _in_time(fact: AcknowledgementFact, order: Sequence[RevisionFact], start: datetime) -> bool:
    """Whether a starter knew, within the grace from `start`, what the SOP asked its readers to know at `start`."""
    asked = major_among(order, start)
    return asked is not None and fact.revision >= asked.number and fact.happened_at <= start + ACKNOWLEDGEMENT_GRACE
