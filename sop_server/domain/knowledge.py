"""Whether the people who work by the SOPs have read them, and whether somebody answers for each."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.facts import AcknowledgementFact, Facts, RevisionFact
from sop_server.domain.revisions import current_major, served
from sop_server.domain.standing import Standing

ACKNOWLEDGEMENT_GRACE = timedelta(days=7)
STARTER_PERIOD = timedelta(days=90)

_ACKNOWLEDGED_WEIGHT = 0.60
_STARTERS_WEIGHT = 0.25
_CARED_FOR_WEIGHT = 0.15


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


def audience_members(facts: Facts, teams: Iterable[str]) -> Mapping[int, datetime]:
    """Return the active people of the teams at the snapshot's instant, and since when each belongs to one of them."""
    return _joined(_teams(facts), teams)


def knowledge(of: Standing) -> KnowledgeReport:
    """Return how well the SOPs in force are known: the least known first."""
    at = of.at
    teams = _teams(of.facts)
    acknowledged: dict[str, list[AcknowledgementFact]] = {}
    for fact in of.facts.acknowledgements:
        if fact.happened_at <= at:
            acknowledged.setdefault(fact.sop_id, []).append(fact)
    audiences: dict[tuple[str, ...], _Audience] = {}
    items: list[SopKnowledge] = []
    for sop_id, serving in of.in_force.items():
        audience = audiences.get(serving.audience)
        if audience is None:
            audience = audiences[serving.audience] = _audience(_joined(teams, serving.audience), at)
        items.append(_sop(of.facts.revisions[sop_id], serving, audience, acknowledged.get(sop_id, ()), at))
    items.sort(key=lambda item: (item.done - item.required, item.sop_id))
    return _report(items, at)


def _report(items: list[SopKnowledge], at: datetime) -> KnowledgeReport:
    acknowledged = _share(sum(item.done for item in items), sum(item.required for item in items))
    starters = _share(sum(item.starters_in_time for item in items), sum(item.starters for item in items))
    cared_for = _share(sum(item.cared_for for item in items), len(items))
    parts = [
        (weight, share)
        for weight, share in (
            (_ACKNOWLEDGED_WEIGHT, acknowledged),
            (_STARTERS_WEIGHT, starters),
            (_CARED_FOR_WEIGHT, cared_for),
        )
        if share is not None
    ]
    total = math.fsum(weight for weight, _ in parts)
    return KnowledgeReport(
        at=at,
        knowledge=math.fsum(weight * share for weight, share in parts) / total if parts else None,
        acknowledged=acknowledged,
        starters=starters,
        cared_for=cared_for,
        items=tuple(items),
    )


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


def _sop(
    revisions: tuple[RevisionFact, ...],
    serving: RevisionFact,
    audience: _Audience,
    acknowledgements: Iterable[AcknowledgementFact],
    at: datetime,
) -> SopKnowledge:
    """Count one SOP; the cost is that of its acknowledgements, never of its audience times the library."""
    major = current_major(revisions, at) or serving
    first = served(revisions)[0].effective_from
    knows: set[int] = set()
    in_time: set[int] = set()
    for fact in acknowledgements:
        if fact.person_id not in audience.joined:
            continue
        if fact.revision >= major.number:
            knows.add(fact.person_id)
        joined = audience.starters.get(fact.person_id)
        if joined is not None:
            start = max(joined, first)
            asked = current_major(revisions, start)
            if (
                asked is not None
                and fact.revision >= asked.number
                and fact.happened_at <= start + ACKNOWLEDGEMENT_GRACE
            ):
                in_time.add(fact.person_id)
    must = audience.past_grace if major.effective_from + ACKNOWLEDGEMENT_GRACE <= at else frozenset[int]()
    missing = must - knows
    starters_due = audience.starters_past_grace if first + ACKNOWLEDGEMENT_GRACE <= at else 0
    starters_early = sum(max(audience.starters[person], first) + ACKNOWLEDGEMENT_GRACE > at for person in in_time)
    return SopKnowledge(
        sop_id=serving.sop_id,
        title=serving.title,
        department=serving.department,
        owner=serving.owner,
        revision=serving.number,
        major=major.number,
        required=len(knows) + len(missing),
        done=len(knows),
        starters=starters_due + starters_early,
        starters_in_time=len(in_time),
        cared_for=bool(serving.owner and serving.deputy),
        missing=tuple(sorted(missing)),
    )
