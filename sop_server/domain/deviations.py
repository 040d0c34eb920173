"""Deviations from SOPs: what is permitted for how long, and where each stands at an instant.

Nothing has to run for one to begin or to end: both follow from its instants alone.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Protocol, TypeVar

from sop_server.domain.deviation_facts import DeviationDecision, DeviationFact
from sop_server.domain.facts import RevisionKind, Significance
from sop_server.domain.free_text import clean_text
from sop_server.domain.instants import format_instant
from sop_server.domain.revisions import Numbered, served
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError

LONGEST = timedelta(days=90)
"""A quarter: what is done otherwise for longer is how it is done, and the SOP has to say so."""
ENDS_SOON = timedelta(days=7)
NEXT_WITHIN = timedelta(days=14)
"""How soon after the end of one another begins that is the next in a row, though it does not name it."""
OFTEN = 3
"""Which one in a row says that the SOP should be changed instead."""
FURTHEST_AHEAD = timedelta(days=365)

MAX_LINE = 200
MAX_TEXT = 2000


class DeviationState(StrEnum):
    """Where a deviation stands."""

    PROPOSED = "proposed"
    UPCOMING = "upcoming"
    IN_FORCE = "in_force"
    ENDED = "ended"
    ENDED_EARLY = "ended_early"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


PUBLIC = frozenset({DeviationState.UPCOMING, DeviationState.IN_FORCE, DeviationState.ENDED, DeviationState.ENDED_EARLY})
"""The states of what was approved: whoever may read the SOP sees it. The others are seen like drafts."""
RUNNING = frozenset({DeviationState.UPCOMING, DeviationState.IN_FORCE})


@dataclass(frozen=True, slots=True)
class DeviationInput:
    """What somebody asks for; without `begins_at` it begins once it is approved."""

    instead: str
    why: str
    ends_at: datetime | None
    begins_at: datetime | None = None
    step: str = ""
    reference: str = ""
    teams: Collection[str] = ()
    control: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is permitted, as it is stored."""

    step: str
    instead: str
    why: str
    reference: str
    teams: tuple[str, ...]
    control: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class DeviationMark:
    """A deviation as it stands on its SOP: in force, or approved and still to come.

    `changed_by` is the major revision, or the retirement, that came into force since it was written; None where the
    text is still the one that it names.
    """

    id: int
    state: DeviationState
    step: str
    instead: str
    control: str
    teams: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    approved_by: str | None
    approved_at: datetime
    changed_by: int | None


@dataclass(frozen=True, slots=True)
class DeviationFigures:
    """How many are in force, since when the oldest of them is, and how many days all together lasted in `days`."""

    in_force: int
    oldest: datetime | None
    total_days: int
    days: int


class Dated(Numbered, Protocol):
    """A revision, as far as a deviation from it needs to know it."""


Revision = TypeVar("Revision", bound=Dated)


def starts_at(fact: DeviationFact) -> datetime:
    """Return when it begins: never before it was approved."""
    return fact.begins_at if fact.decided_at is None else max(fact.begins_at, fact.decided_at)


def stops_at(fact: DeviationFact) -> datetime:
    """Return when it ends: by itself, or earlier where somebody ended it."""
    return fact.ends_at if fact.ended_at is None else min(fact.ends_at, fact.ended_at)


def state(fact: DeviationFact, at: datetime) -> DeviationState:
    """Return where a deviation stands at an instant."""
    if fact.decision is None or fact.decided_at is None or fact.decided_at > at:
        return DeviationState.PROPOSED if at < fact.ends_at else DeviationState.LAPSED
    if fact.decision is not DeviationDecision.APPROVED:
        return DeviationState(fact.decision.value)
    if fact.ended_at is not None and fact.ended_at <= at:
        return DeviationState.ENDED_EARLY
    if at >= fact.ends_at:
        return DeviationState.ENDED
    return DeviationState.UPCOMING if at < starts_at(fact) else DeviationState.IN_FORCE


def terms_of(given: DeviationInput, *, audience: Collection[str], now: datetime, before: Terms | None = None) -> Terms:
    """Return what somebody asks for as it is stored; `before` is what the proposal said until now.

    Instants are whole minutes, as people write them. Raises InvalidInputError with the field.
    """
    this_minute = _minute(now)
    begins_at = this_minute if given.begins_at is None else _minute(given.begins_at)
    _check_times(begins_at, given.ends_at, this_minute=this_minute, before=before)
    teams = tuple(sorted({team.strip() for team in given.teams if team.strip()}))
    strange = [team for team in teams if team not in audience]
    if strange:
        named = ", ".join(sorted(audience)) or "none: leave it empty"
        raise InvalidInputError(
            f"“{strange[0][:40]}” is no team of the SOP's audience. Its teams are {named}.",
            fields={"teams": "must be teams of the SOP's audience"},
        )
    return Terms(
        step=_line(given.step, "step", "The step"),
        instead=_sentence(given.instead, "instead", "What is done instead", required=True),
        why=_sentence(given.why, "why", "The reason", required=True),
        reference=_line(given.reference, "reference", "The reference"),
        teams=teams,
        control=_sentence(given.control, "control", "What keeps it safe", required=False),
        begins_at=begins_at,
        ends_at=_minute(given.ends_at or begins_at),
    )


def _check_times(begins_at: datetime, ends_at: datetime | None, *, this_minute: datetime, before: Terms | None) -> None:
    if begins_at < this_minute and (before is None or begins_at != before.begins_at):
        raise InvalidInputError(
            "A deviation permits nothing that was done before. Let it begin now, or later.",
            fields={"begins_at": "lies in the past"},
        )
    if begins_at - this_minute > FURTHEST_AHEAD:
        raise InvalidInputError(
            "This begins more than a year ahead. Propose it when it is near, or change the SOP.",
            fields={"begins_at": "lies more than a year ahead"},
        )
    if ends_at is None:
        raise InvalidInputError(
            "Say when it ends: a deviation always does, by itself.", fields={"ends_at": "is required"}
        )
    end = _minute(ends_at)
    if end <= begins_at or end <= this_minute:
        raise InvalidInputError(
            "It would end before it begins. Choose a later end.", fields={"ends_at": "must lie after the beginning"}
        )
    if end - begins_at > LONGEST:
        raise InvalidInputError(
            f"A deviation lasts {LONGEST.days} days at most. Choose an earlier end; what is needed for longer belongs "
            "into the SOP.",
            fields={"ends_at": f"at most {LONGEST.days} days after the beginning"},
        )


def terms_hash(terms: Terms, *, sop_id: str, revision: int, follows: int | None) -> str:
    """Return the SHA-256, in lower-case hexadecimal, of everything that an approval is bound to."""
    said = asdict(terms) | {
        "begins_at": format_instant(terms.begins_at),
        "ends_at": format_instant(terms.ends_at),
        "sop_id": sop_id,
        "revision": revision,
        "follows": follows,
    }
    return sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def require_same_terms(read: str, standing: str) -> None:
    """Raise ConflictError with the hash of the wording that stands, unless that is what was read."""
    if read != standing:
        raise ConflictError(
            "This is not what the proposal says now: somebody edited it after you read it. Nothing was decided; "
            "read it again and decide on that.",
            content_hash=standing,
        )


def require_second_person(person_id: int, wrote: Collection[int]) -> None:
    """Raise ForbiddenError where somebody would decide on a deviation that they proposed or edited."""
    if person_id in wrote:
        raise ForbiddenError(
            "You proposed or edited this deviation, so somebody else has to decide on it. You may withdraw it."
        )


def changed_by(fact: DeviationFact, revisions: Sequence[Revision], at: datetime) -> Revision | None:
    """Return what last changed the text that a deviation was written against: a major revision, or the retirement.

    `revisions` are those of its SOP in ascending number. What came after its end does not concern it.
    """
    until = min(at, stops_at(fact))
    for revision in reversed(served(revisions)):
        weighs = revision.significance == Significance.MAJOR or revision.kind == RevisionKind.RETIRE
        if revision.number > fact.revision and revision.effective_from <= until and weighs:
            return revision
    return None


def places_in_row(of_one_sop: Iterable[DeviationFact]) -> Mapping[int, int]:
    """Return by deviation which one in a row it is, counted from 1; all of one SOP, what was never in force left out.

    One follows another where it names it, or outlasts it and begins while it lasts or within two weeks after.
    """
    approved = sorted(
        (
            fact
            for fact in of_one_sop
            if fact.decision is DeviationDecision.APPROVED and starts_at(fact) < stops_at(fact)
        ),
        key=lambda fact: (starts_at(fact), fact.id),
    )
    places: dict[int, int] = {}
    for number, fact in enumerate(approved):
        before = (places[one.id] for one in approved[:number] if _follows(fact, one))
        places[fact.id] = 1 + max(before, default=0)
    return places


def _follows(fact: DeviationFact, former: DeviationFact) -> bool:
    outlasts = starts_at(former) < starts_at(fact) and stops_at(former) < stops_at(fact)
    return fact.follows == former.id or (outlasts and starts_at(fact) - stops_at(former) <= NEXT_WITHIN)


def place_if_approved(fact: DeviationFact, of_one_sop: Iterable[DeviationFact], *, now: datetime) -> int:
    """Return which one in a row a proposal would be, were it approved now."""
    others = [one for one in of_one_sop if one.id != fact.id]
    approved = fact
    if fact.decision is None:
        approved = replace(fact, decision=DeviationDecision.APPROVED, decided_at=now)
    return places_in_row([*others, approved]).get(fact.id, 0)


def marks(
    facts: Iterable[DeviationFact], revisions: Sequence[Revision], *, sop_id: str, at: datetime
) -> tuple[DeviationMark, ...]:
    """Return what stands on a SOP at an instant: in force, what ends first at the top; then what is still to come."""
    found = [fact for fact in facts if fact.sop_id == sop_id and state(fact, at) in RUNNING]
    found.sort(key=lambda fact: (starts_at(fact) > at, fact.ends_at, fact.id))
    return tuple(_mark(fact, revisions, at) for fact in found)


def _mark(fact: DeviationFact, revisions: Sequence[Revision], at: datetime) -> DeviationMark:
    changed = changed_by(fact, revisions, at)
    return DeviationMark(
        id=fact.id,
        state=state(fact, at),
        step=fact.step,
        instead=fact.instead,
        control=fact.control,
        teams=fact.teams,
        starts_at=starts_at(fact),
        ends_at=fact.ends_at,
        approved_by=fact.decided_by,
        approved_at=fact.decided_at or fact.proposed_at,
        changed_by=None if changed is None else changed.number,
    )


def figures(facts: Iterable[DeviationFact], *, at: datetime, days: int = 90) -> DeviationFigures:
    """Return how much is done otherwise: days are those of each deviation, begun ones counted whole."""
    since = at - timedelta(days=days)
    running: list[datetime] = []
    lasted = timedelta(0)
    for fact in facts:
        standing = state(fact, at)
        if standing not in PUBLIC or starts_at(fact) > at:
            continue
        if standing is DeviationState.IN_FORCE:
            running.append(starts_at(fact))
        lasted += max(timedelta(0), min(at, stops_at(fact)) - max(since, starts_at(fact)))
    return DeviationFigures(len(running), min(running, default=None), -(-lasted // timedelta(days=1)), days)


def _minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _line(text: str, field: str, what: str) -> str:
    return " ".join(clean_text(text, field=field, most=MAX_LINE, what=what, required=False).split())


def _sentence(text: str, field: str, what: str, *, required: bool) -> str:
    return clean_text(text, field=field, most=MAX_TEXT, what=what, required=required)
