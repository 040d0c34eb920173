"""Earlier snapshots out of a later one, and what an earlier one could not know."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from sop_server.domain.facts import (
    Facts,
    FeedbackFact,
    MembershipFact,
    ObligationFact,
    PersonFact,
    ProcessFact,
    TicketFact,
)
from sop_server.domain.golive import moved, registered


def known_by(facts: Facts, at: datetime) -> Facts:
    """Return the snapshot as it was at an earlier instant: the same as one loaded as of then."""
    tickets = {fact.id: known for fact in facts.tickets.values() if (known := _ticket(fact, at)) is not None}
    revisions = {
        sop_id: tuple(fact for fact in found if fact.recorded_at <= at) for sop_id, found in facts.revisions.items()
    }
    return Facts(
        at=at,
        revisions={sop_id: found for sop_id, found in revisions.items() if found},
        processes={fact.id: said for fact in facts.processes.values() if (said := _process(fact, at)) is not None},
        tickets=tickets,
        obligations=tuple(
            _obligation(fact, at) for fact in facts.obligations if fact.recorded_at <= at and fact.ticket_id in tickets
        ),
        reviews=tuple(fact for fact in facts.reviews if fact.recorded_at <= at),
        acknowledgements=tuple(fact for fact in facts.acknowledgements if fact.recorded_at <= at),
        memberships=tuple(_membership(fact, at) for fact in facts.memberships if fact.recorded_at <= at),
        feedback=tuple(_feedback(fact, at) for fact in facts.feedback if fact.recorded_at <= at),
        people={fact.id: somebody for fact in facts.people.values() if (somebody := _person(fact, at)) is not None},
    )


def _ticket(fact: TicketFact, at: datetime) -> TicketFact | None:
    versions = tuple(version for version in fact.versions if version.recorded_at <= at)
    if not versions:
        return None
    confirmations = tuple(said for said in fact.confirmations if said.recorded_at <= at)
    return fact._replace(versions=versions, confirmations=confirmations)


def _process(fact: ProcessFact, at: datetime) -> ProcessFact | None:
    versions = tuple(version for version in fact.versions if version.recorded_at <= at)
    return replace(fact, versions=versions) if versions and fact.recorded_at <= at else None


def _person(fact: PersonFact, at: datetime) -> PersonFact | None:
    states = tuple(state for state in fact.states if state.recorded_at <= at)
    return replace(fact, states=states) if states else None


def _obligation(fact: ObligationFact, at: datetime) -> ObligationFact:
    if fact.uncounted_from is not None and fact.uncounted_from > at:
        fact = fact._replace(uncounted_from=None)
    if not fact.proposals:
        return fact
    return fact._replace(proposals=tuple(one.known_by(at) for one in fact.proposals if one.proposed_at <= at))


def _membership(fact: MembershipFact, at: datetime) -> MembershipFact:
    if fact.left_recorded_at is None or fact.left_recorded_at <= at:
        return fact
    return replace(fact, left_at=None, left_recorded_at=None)


def _feedback(fact: FeedbackFact, at: datetime) -> FeedbackFact:
    if fact.triage_recorded_at is None or fact.triage_recorded_at <= at:
        return fact
    return replace(fact, triaged_at=None, triage_recorded_at=None)


@dataclass(frozen=True, slots=True)
class Latecomer:
    """A fact that had happened by an instant and was recorded only after it, so a report as of then leaves it out."""

    kind: str
    reference: str
    happened_at: datetime
    recorded_at: datetime


def latecomers(facts: Facts, at: datetime) -> tuple[Latecomer, ...]:
    """Return the facts of a later snapshot that a report as of `at` could not know, in the order of their recording."""
    dated = chain(_of_the_library(facts), _of_people(facts))
    late = [found for found in dated if found.happened_at <= at < found.recorded_at]
    return tuple(sorted(late, key=lambda found: (found.recorded_at, found.kind, found.reference)))


def _of_the_library(facts: Facts) -> Iterable[Latecomer]:
    for sop_id, revisions in facts.revisions.items():
        for fact in revisions:
            yield Latecomer("revision", f"{sop_id} r{fact.number}", fact.effective_from, fact.recorded_at)
    for ticket in facts.tickets.values():
        yield Latecomer("ticket", ticket.reference, *registered(ticket))
        for told in moved(ticket):
            yield Latecomer("go-live", ticket.reference, *told)
        for said in ticket.confirmations:
            yield Latecomer("confirmation", ticket.reference, said.t0, said.recorded_at)
    for process in facts.processes.values():
        for version in process.versions:
            yield Latecomer("process", process.id, version.happened_at, version.recorded_at)


def _of_people(facts: Facts) -> Iterable[Latecomer]:
    for review in facts.reviews:
        yield Latecomer("review", review.sop_id, review.happened_at, review.recorded_at)
    for read in facts.acknowledgements:
        yield Latecomer("acknowledgement", f"{read.sop_id} r{read.revision}", read.happened_at, read.recorded_at)
    for member in facts.memberships:
        yield Latecomer("membership", member.team, member.joined_at, member.recorded_at)
        if member.left_at is not None and member.left_recorded_at is not None:
            yield Latecomer("membership", member.team, member.left_at, member.left_recorded_at)
    for report in facts.feedback:
        yield Latecomer("feedback", str(report.id), report.happened_at, report.recorded_at)
        if report.triaged_at is not None and report.triage_recorded_at is not None:
            yield Latecomer("triage", str(report.id), report.triaged_at, report.triage_recorded_at)
