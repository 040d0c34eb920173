from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sop_server.domain.coverage import coverage
from sop_server.domain.drift import drift_of
from sop_server.domain.facts import (
    Facts,
    FeedbackKind,
    ObligationFact,
    RevisionFact,
    RevisionKind,
    TicketFact,
    TicketStatus,
)
from sop_server.domain.feedback import feedback
from sop_server.domain.knowledge import knowledge
from sop_server.domain.reviews import reviews_due
from sop_server.domain.snapshot import known_by
from sop_server.domain.staleness import staleness
from sop_server.domain.standing import standing
from sop_server.domain.window import window
from tests.domain.library_facts import (
    ASHA,
    BEN,
    acknowledgement,
    after,
    confirmation,
    declined,
    library,
    member,
    not_needed,
    obligation,
    person,
    process,
    report,
    review,
    revision,
    ticket,
    version,
)

SPAN = 240
END = after(days=SPAN)

days = st.integers(0, SPAN).map(float)
some_days = st.lists(days, min_size=1, max_size=4, unique=True).map(sorted)
sops = st.sampled_from(["SOP-0001", "SOP-0002", "SOP-0003"])


@st.composite
def revisions(draw: st.DrawFn, sop: str) -> list[RevisionFact]:
    """Revisions that come into force when they are recorded, or some days later."""
    found = []
    recorded = draw(some_days)
    for number, day in enumerate(recorded, start=1):
        last = number == len(recorded) and number > 1
        found.append(
            revision(
                number,
                after(days=day + draw(st.sampled_from([0, 0, 0, 7]))),
                sop=sop,
                recorded_at=after(days=day),
                kind=RevisionKind.RETIRE if last and draw(st.booleans()) else RevisionKind.EDIT,
                text=draw(st.sampled_from(["a", "b", "c"])),
                tickets=tuple(draw(st.sets(st.integers(1, 3), max_size=2))),
                significance=draw(st.sampled_from(["major", "minor"])),  # type: ignore[arg-type]
                processes=("PROC-001",),
                systems=("SAP",),
                audience=("tier2",),
                links=tuple(sorted({"SOP-0001", "SOP-0002"} - {sop})),
            )
        )
    return found


@st.composite
def tickets(draw: st.DrawFn, number: int) -> TicketFact:
    versions = [
        version(
            after(days=day),
            status=draw(st.sampled_from(list(TicketStatus))),
            effective_at=draw(st.one_of(st.none(), days.map(lambda day: after(days=day)))),
            planned_end=draw(st.one_of(st.none(), days.map(lambda day: after(days=day)))),
            systems=("SAP",),
        )
        for day in draw(some_days)
    ]
    said = [day for day in draw(some_days) if after(days=day) >= versions[0].recorded_at and draw(st.booleans())]
    return ticket(
        *versions,
        number=number,
        confirmations=tuple(confirmation(after(days=day - 3), after(days=day)) for day in said),
    )


@st.composite
def obligations(draw: st.DrawFn, number: int, known: TicketFact) -> ObligationFact:
    recorded = known.first_known_at
    sop = draw(st.one_of(st.none(), sops))
    proposed, confirmed, replaced = (
        recorded + timedelta(days=day) for day in sorted(draw(st.tuples(days, days, days)))
    )
    proposals = [not_needed(proposed, confirmed)] if draw(st.booleans()) else []
    if draw(st.booleans()):
        proposals.insert(0, declined(recorded, proposed))
    uncounted = replaced if sop is None and draw(st.booleans()) else None
    known_as = obligation(number, ticket=known.id, sop=sop, recorded_at=recorded, uncounted_from=uncounted)
    return known_as._replace(proposals=tuple(proposals))


@st.composite
def histories(draw: st.DrawFn) -> Facts:
    """A library at the end of its history, every fact recorded when it happened."""
    changes = [draw(tickets(number)) for number in (1, 2, 3)]
    joined = [after(days=day) for day in draw(some_days)]
    registered = draw(days)
    return library(
        END,
        revisions=[fact for sop in ("SOP-0001", "SOP-0002") for fact in draw(revisions(sop))],
        processes=[process(registered_at=after(days=registered), retired_at=after(days=registered + draw(days)))],
        tickets=changes,
        obligations=[draw(obligations(number, change)) for number, change in enumerate([*changes, *changes], start=1)],
        reviews=[review(after(days=day), sop=draw(sops)) for day in draw(some_days)],
        acknowledgements=[
            acknowledgement(draw(st.integers(1, 3)), after(days=day), sop=draw(sops), revision=draw(st.integers(1, 3)))
            for day in draw(some_days)
        ],
        memberships=[
            member(
                number,
                joined_at=day,
                left_at=draw(st.one_of(st.none(), days.map(lambda more: END + timedelta(days=more - 90)))),
            )
            for number, day in enumerate(joined, start=1)
        ],
        feedback=[
            report(number, after(days=day), sop=draw(sops), triaged_at=after(days=day + draw(days)))
            for number, day in enumerate(draw(some_days), start=1)
        ],
        people=[
            ASHA,
            replace(BEN, email="gone@example.com"),
            *(person(n, left_at=after(days=draw(days))) for n in (1, 2, 3)),
        ],
    )


def answers(facts: Facts) -> list[object]:
    of = standing(facts)
    return [
        drift_of(of),
        window(of.obligations, at=of.at, days=90),
        staleness(of),
        coverage(of),
        knowledge(of),
        reviews_due(of),
        feedback(of.feedback, at=of.at).share,
    ]


@settings(max_examples=60)
@given(histories(), days)
def test_what_was_recorded_later_never_changes_an_earlier_answer(whole: Facts, day: float) -> None:
    instant = after(days=day)
    then = known_by(whole, instant)
    later = known_by(whole, instant + timedelta(days=30))
    assert answers(known_by(later, instant)) == answers(then)


@settings(max_examples=60)
@given(histories(), days)
def test_the_rules_themselves_look_at_nothing_that_happened_later(whole: Facts, day: float) -> None:
    instant = after(days=day)
    # A revision recorded later may overtake a scheduled one, which is history only from then on: the loader's filter.
    unfiltered = replace(whole, at=instant, revisions=known_by(whole, instant).revisions)
    assert answers(unfiltered) == answers(known_by(whole, instant))


def test_a_second_step_recorded_later_is_not_in_an_earlier_snapshot() -> None:
    whole = library(
        END,
        obligations=[
            obligation(1, sop=None, uncounted_from=after(5)),
            obligation(2, proposal=not_needed(after(1), after(5))),
            obligation(3, proposal=not_needed(after(4), after(5))),
        ],
        tickets=[ticket()],
        memberships=[member(1, left_at=after(5))],
        feedback=[report(1, after(1), triaged_at=after(5), kind=FeedbackKind.UNCLEAR)],
    )
    known = known_by(whole, after(3))
    assert [fact.uncounted_from for fact in known.obligations] == [None] * 3
    proposal = known.obligations[1].proposal
    assert proposal is not None
    assert (proposal.confirmed_by, proposal.confirmed_at) == (None, None)
    assert known.obligations[2].proposal is None
    assert known.memberships[0].left_at is None
    assert known.feedback[0].triaged_at is None
    assert known_by(whole, END) == whole


def test_a_ticket_that_nobody_had_told_of_is_not_in_an_earlier_snapshot() -> None:
    whole = library(END, tickets=[ticket(version(after(5)))], obligations=[obligation()])
    known = known_by(whole, after(4))
    assert (known.tickets, known.obligations) == ({}, ())
