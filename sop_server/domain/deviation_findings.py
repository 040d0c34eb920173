"""What somebody must act on where SOPs are deviated from."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.deviation_facts import DeviationFact
from sop_server.domain.deviations import (
    ENDS_SOON,
    OFTEN,
    RUNNING,
    DeviationState,
    changed_by,
    places_in_row,
    state,
)
from sop_server.domain.findings import FindingKind, Found
from sop_server.domain.revisions import RevisionKind
from sop_server.domain.standing import Standing, sop_place


def deviation_findings(of: Standing, *, drafted: Collection[str]) -> Iterator[Found]:
    """Yield what is to be looked at again, what repeats itself, and what ends; `drafted` are SOPs with an open draft.

    Nothing is found of a proposal: who decides on it has it in front of them.
    """
    by_sop: dict[str, list[DeviationFact]] = {}
    for fact in of.facts.deviations:
        by_sop.setdefault(fact.sop_id, []).append(fact)
    running = [fact for fact in of.facts.deviations if state(fact, of.at) in RUNNING]
    yield from _changed(of, running)
    for sop_id, several in by_sop.items():
        yield from _repeated(of, sop_id, several)
    yield from _ending(of, running, drafted)


def _changed(of: Standing, running: Iterable[DeviationFact]) -> Iterator[Found]:
    for fact in running:
        revision = changed_by(fact, of.facts.revisions.get(fact.sop_id, ()), of.at)
        if revision is not None:
            what = "was retired" if revision.kind == RevisionKind.RETIRE else f"has r{revision.number} in force"
            yield _found(
                of,
                fact,
                FindingKind.DEVIATION_OF_OLD_TEXT,
                f"{_name(fact)} permits something else than r{fact.revision} of {fact.sop_id} says, which {what} since "
                f"{_day(revision.effective_from)}.",
                "Look at it again: end it, and propose a new one where it is still needed.",
            )


def _repeated(of: Standing, sop_id: str, several: Iterable[DeviationFact]) -> Iterator[Found]:
    known = list(several)
    places = places_in_row(known)
    often = [fact for fact in known if places.get(fact.id, 0) >= OFTEN and state(fact, of.at) in RUNNING]
    if often:
        last = max(often, key=lambda fact: places[fact.id])
        yield _found(
            of,
            last,
            FindingKind.DEVIATION_REPEATED,
            f"{_name(last)} is number {places[last.id]} in a row on {sop_id}: what is done otherwise all the time is "
            "how it is done.",
            "Draft the change, so that the SOP says what is done.",
        )


def _ending(of: Standing, running: Iterable[DeviationFact], drafted: Collection[str]) -> Iterator[Found]:
    for fact in running:
        soon = state(fact, of.at) is DeviationState.IN_FORCE and fact.ends_at - of.at <= ENDS_SOON
        if soon and fact.sop_id not in drafted:
            yield _found(
                of,
                fact,
                FindingKind.DEVIATION_ENDS,
                f"{_name(fact)} ends on {_day(fact.ends_at)}; from then on {fact.sop_id} holds as it is written, and "
                "nobody drafts a change.",
                "Draft the change if what is done now should stay, or tell the readers that it ends.",
            )


def _found(of: Standing, fact: DeviationFact, kind: FindingKind, why: str, next_step: str) -> Found:
    key = f"{kind}:{fact.id}"
    return Found(key, kind, fact.sop_id, sop_place(of.facts, fact.sop_id).department, why, next_step)


def _name(fact: DeviationFact) -> str:
    return identifiers.deviation_id(fact.id)


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y}"
