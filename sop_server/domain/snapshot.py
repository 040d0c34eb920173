"""Earlier snapshots out of a later one, and what an earlier one could not know."""

from dataclasses import replace
from datetime import datetime

from sop_server.domain.break_glass import known_by as known_glass
from sop_server.domain.facts import (
    Facts,
    FeedbackFact,
    MembershipFact,
    ObligationFact,
    PersonFact,
    ProcessFact,
    TicketFact,
)


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
        broken_glass=tuple(known_glass(fact, at) for fact in facts.broken_glass if fact.recorded_at <= at),
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
