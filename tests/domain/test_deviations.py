from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.deviation_facts import DeviationDecision, DeviationFact
from sop_server.domain.deviation_findings import deviation_findings
from sop_server.domain.deviations import (
    LONGEST,
    RUNNING,
    DeviationInput,
    DeviationState,
    Terms,
    changed_by,
    figures,
    marks,
    place_if_approved,
    places_in_row,
    require_same_terms,
    require_second_person,
    starts_at,
    state,
    stops_at,
    terms_hash,
    terms_of,
)
from sop_server.domain.facts import Facts, RevisionKind, Significance
from sop_server.domain.findings import FindingKind
from sop_server.domain.standing import standing
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError
from tests.domain.library_facts import revision

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
APPROVED, REFUSED, WITHDRAWN = DeviationDecision
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the bounds are naive by contract


def fact(number: int = 1, **said: object) -> DeviationFact:
    plain = DeviationFact(
        id=number,
        sop_id="SOP-0001",
        revision=1,
        step="Step 4",
        instead="Ask the team lead.",
        why="SAP is down.",
        reference="",
        teams=(),
        control="",
        begins_at=NOW,
        ends_at=NOW + 10 * DAY,
        follows=None,
        content_hash="0" * 64,
        proposed_at=NOW - DAY,
        decision=APPROVED,
        decided_at=NOW - DAY,
        decided_by="Ben",
    )
    return replace(plain, **said)  # type: ignore[arg-type]  # each test names fields of it


def wish(**said: object) -> DeviationInput:
    plain = DeviationInput(instead="Ask the team lead.", why="SAP is down.", ends_at=NOW + 10 * DAY)
    return replace(plain, **said)  # type: ignore[arg-type]  # each test names fields of it


def terms(audience: tuple[str, ...] = ("tier1",), before: Terms | None = None, **said: object) -> Terms:
    return terms_of(wish(**said), audience=audience, now=NOW, before=before)


def test_it_begins_and_ends_by_itself() -> None:
    approved = fact()

    assert state(approved, NOW - timedelta(seconds=1)) is DeviationState.UPCOMING
    assert state(approved, NOW) is DeviationState.IN_FORCE
    assert state(approved, NOW + 10 * DAY - timedelta(seconds=1)) is DeviationState.IN_FORCE
    assert state(approved, NOW + 10 * DAY) is DeviationState.ENDED


def test_before_it_is_approved_nothing_is_permitted() -> None:
    late = fact(decided_at=NOW + 2 * DAY)

    assert starts_at(late) == NOW + 2 * DAY
    assert state(late, NOW + DAY) is DeviationState.PROPOSED
    assert state(late, NOW + 2 * DAY) is DeviationState.IN_FORCE


def test_a_proposal_that_nobody_decided_on_lapses_with_its_end() -> None:
    proposed = fact(decision=None, decided_at=None)

    assert state(proposed, NOW + 9 * DAY) is DeviationState.PROPOSED
    assert state(proposed, NOW + 10 * DAY) is DeviationState.LAPSED


def test_what_was_refused_withdrawn_or_ended_early_says_so() -> None:
    assert state(fact(decision=REFUSED), NOW) is DeviationState.REFUSED
    assert state(fact(decision=WITHDRAWN), NOW) is DeviationState.WITHDRAWN
    early = fact(ended_at=NOW + DAY)
    assert state(early, NOW) is DeviationState.IN_FORCE
    assert state(early, NOW + DAY) is DeviationState.ENDED_EARLY
    assert state(early, NOW + 20 * DAY) is DeviationState.ENDED_EARLY
    assert stops_at(early) == NOW + DAY


@given(begins=INSTANTS, length=st.timedeltas(timedelta(minutes=1), LONGEST), decided=INSTANTS, at=INSTANTS)
def test_it_is_in_force_exactly_between_its_approval_its_beginning_and_its_end(
    begins: datetime, length: timedelta, decided: datetime, at: datetime
) -> None:
    one = fact(begins_at=begins, ends_at=begins + length, decided_at=decided)

    assert (state(one, at) is DeviationState.IN_FORCE) == (begins <= at < begins + length and decided <= at)


@given(instants=st.lists(INSTANTS, min_size=2, max_size=12), ended=st.none() | INSTANTS)
def test_time_alone_never_takes_it_back_to_an_earlier_state(instants: list[datetime], ended: datetime | None) -> None:
    one = fact(ended_at=ended if ended is None or ended >= NOW - DAY else None)
    order = [*DeviationState]
    ranks = [order.index(state(one, at)) for at in sorted(instants)]

    assert ranks == sorted(ranks)


def test_what_is_asked_for_is_kept_in_whole_minutes() -> None:
    kept = terms(begins_at=None, ends_at=NOW + timedelta(days=1, seconds=59), teams=["tier1", " tier1 "])

    assert (kept.begins_at, kept.ends_at, kept.teams) == (NOW, NOW + DAY, ("tier1",))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": NOW}, "ends_at"),
        ({"ends_at": NOW - DAY}, "ends_at"),
        ({"ends_at": NOW + LONGEST + timedelta(minutes=1)}, "ends_at"),
        ({"begins_at": NOW - timedelta(minutes=1)}, "begins_at"),
        ({"begins_at": NOW + 366 * DAY, "ends_at": NOW + 367 * DAY}, "begins_at"),
        ({"begins_at": NOW + 5 * DAY, "ends_at": NOW + 4 * DAY}, "ends_at"),
        ({"instead": " "}, "instead"),
        ({"why": ""}, "why"),
        ({"why": "x" * 2001}, "why"),
        ({"step": "x" * 201}, "step"),
        ({"instead": "Use 4111 1111 1111 1111."}, "instead"),
        ({"teams": ["tier9"]}, "teams"),
    ],
)
def test_what_cannot_be_permitted_is_refused_with_its_field(said: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        terms_of(wish(**said), audience=("tier1",), now=NOW)
    assert field in refused.value.fields


def test_ninety_days_are_the_most_and_are_enough() -> None:
    assert terms(ends_at=NOW + LONGEST).ends_at == NOW + 90 * DAY


def test_a_beginning_that_has_passed_while_it_waited_may_stay_as_it_was() -> None:
    before = replace(terms(), begins_at=NOW - 3 * DAY)

    assert terms(before=before, begins_at=NOW - 3 * DAY).begins_at == NOW - 3 * DAY
    with pytest.raises(InvalidInputError):
        terms(before=before, begins_at=NOW - 4 * DAY)
    with pytest.raises(InvalidInputError):
        terms(before=before, begins_at=NOW - 3 * DAY, ends_at=NOW - DAY)


def test_an_approval_is_bound_to_every_word_of_what_was_read() -> None:
    plain = terms()
    hashes = {terms_hash(plain, sop_id="SOP-0001", revision=1, follows=None)}
    others = {
        "step": "Step 5",
        "instead": "Ask nobody.",
        "why": "Too slow.",
        "reference": "jira:X",
        "teams": ("tier1",),
        "control": "A list is kept.",
        "begins_at": NOW + DAY,
        "ends_at": NOW + 11 * DAY,
    }
    assert set(others) == set(Terms.__slots__)
    for name, value in others.items():
        hashes.add(terms_hash(replace(plain, **{name: value}), sop_id="SOP-0001", revision=1, follows=None))  # type: ignore[arg-type]  # each field in turn
    hashes.add(terms_hash(plain, sop_id="SOP-0002", revision=1, follows=None))
    hashes.add(terms_hash(plain, sop_id="SOP-0001", revision=2, follows=None))
    hashes.add(terms_hash(plain, sop_id="SOP-0001", revision=1, follows=1))

    assert len(hashes) == len(others) + 4
    with pytest.raises(ConflictError) as moved:
        require_same_terms("a", "b")
    assert moved.value.content_hash == "b"


def test_whoever_wrote_it_cannot_decide_on_it() -> None:
    require_second_person(3, {1, 2})
    with pytest.raises(ForbiddenError):
        require_second_person(2, {1, 2})


def test_only_a_major_text_or_the_retirement_asks_to_look_again() -> None:
    first, at = revision(1, NOW - 9 * DAY), NOW + 5 * DAY
    minor = revision(2, NOW + DAY)
    major = revision(3, NOW + 2 * DAY, significance=Significance.MAJOR)
    gone = revision(4, NOW + 3 * DAY, kind=RevisionKind.RETIRE)

    assert changed_by(fact(), [first, minor], at) is None
    assert changed_by(fact(), [first, minor, major], at) == major
    assert changed_by(fact(), [first, minor, major], NOW + DAY) is None
    assert changed_by(fact(revision=3), [first, minor, major], at) is None
    assert changed_by(fact(), [first, minor, gone], at) == gone
    assert changed_by(fact(ends_at=NOW + DAY), [first, major], at) is None, "it had ended before"


def test_one_follows_another_that_it_names_or_that_ended_lately() -> None:
    first = fact(1)
    named = fact(2, follows=1, begins_at=NOW + 100 * DAY, ends_at=NOW + 110 * DAY)
    soon = fact(3, begins_at=NOW + 124 * DAY, ends_at=NOW + 130 * DAY)
    later = fact(4, begins_at=NOW + 145 * DAY, ends_at=NOW + 150 * DAY)
    refused = fact(5, follows=3, decision=REFUSED)

    assert places_in_row([later, soon, named, first, refused]) == {1: 1, 2: 2, 3: 3, 4: 1}


def test_deviations_beside_each_other_are_no_row() -> None:
    within = fact(4, begins_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    assert places_in_row([fact(1), fact(2), fact(3), within]) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_one_that_begins_before_the_other_ends_prolongs_it_though_it_does_not_name_it() -> None:
    first, second = fact(1), fact(2, begins_at=NOW + 9 * DAY, ends_at=NOW + 20 * DAY)
    assert places_in_row([first, second]) == {1: 1, 2: 2}


def test_one_that_was_ended_before_it_began_stands_in_no_row() -> None:
    never = fact(1, begins_at=NOW + DAY, ended_at=NOW)
    assert places_in_row([never, fact(2, follows=1, begins_at=NOW + 2 * DAY)]) == {2: 1}


def test_a_proposal_is_told_which_one_in_a_row_it_would_be() -> None:
    waits = fact(2, follows=1, decision=None, decided_at=None, begins_at=NOW + 10 * DAY, ends_at=NOW + 20 * DAY)

    assert place_if_approved(waits, [fact(1), waits], now=NOW) == 2
    assert place_if_approved(replace(waits, decision=REFUSED, decided_at=NOW), [fact(1), waits], now=NOW) == 0


def test_what_stands_on_a_sop_is_what_runs_and_then_what_comes() -> None:
    comes = fact(1, begins_at=NOW + DAY)
    long, short = fact(2), fact(3, ends_at=NOW + DAY)
    others = (fact(4, decision=None, decided_at=None), fact(5, sop_id="SOP-0002"), fact(6, ends_at=NOW))

    found = marks((comes, long, short, *others), [], sop_id="SOP-0001", at=NOW)

    assert [one.id for one in found] == [3, 2, 1]
    assert {one.state for one in found} <= RUNNING


def test_the_figures_count_days_within_the_period() -> None:
    old = fact(1, begins_at=NOW - 100 * DAY, ends_at=NOW - 85 * DAY, decided_at=NOW - 101 * DAY)
    running = fact(2, begins_at=NOW - 4 * DAY, ends_at=NOW + DAY, decided_at=NOW - 5 * DAY)
    comes = fact(3, begins_at=NOW + DAY)
    proposed = fact(4, decision=None, decided_at=None, begins_at=NOW - DAY)

    found = figures([old, running, comes, proposed], at=NOW)

    assert (found.in_force, found.oldest, found.total_days) == (1, NOW - 4 * DAY, 5 + 4)
    assert figures([], at=NOW).oldest is None


def found_of(*facts: DeviationFact, drafted: tuple[str, ...] = (), at: datetime = NOW) -> list[FindingKind]:
    revisions = {"SOP-0001": (revision(1, NOW - 9 * DAY),)}
    of = standing(Facts(at=at, revisions=revisions, deviations=facts))
    return [one.kind for one in deviation_findings(of, drafted=drafted)]


def test_a_deviation_that_ends_soon_is_a_finding_unless_somebody_drafts() -> None:
    assert found_of(fact(ends_at=NOW + 8 * DAY)) == []
    assert found_of(fact(ends_at=NOW + 7 * DAY)) == [FindingKind.DEVIATION_ENDS]
    assert found_of(fact(ends_at=NOW + 7 * DAY), drafted=("SOP-0001",)) == []
    assert found_of(fact(ends_at=NOW)) == []


def test_the_third_in_a_row_is_a_finding_while_it_lasts() -> None:
    three = [
        fact(
            number,
            begins_at=NOW + (number - 3) * 10 * DAY,
            ends_at=NOW + (number - 2) * 10 * DAY,
            decided_at=NOW - 30 * DAY,
        )
        for number in (1, 2, 3)
    ]
    assert found_of(*three) == [FindingKind.DEVIATION_REPEATED]
    assert found_of(*three[:2], at=NOW - 5 * DAY, drafted=("SOP-0001",)) == []
    assert found_of(*three, at=NOW + 20 * DAY) == []


def test_a_text_that_changed_is_a_finding_in_the_department_of_the_sop() -> None:
    major = revision(2, NOW - DAY, significance=Significance.MAJOR)
    revisions = {"SOP-0001": (revision(1, NOW - 9 * DAY), major)}
    of = standing(Facts(at=NOW, revisions=revisions, deviations=(fact(),)))

    (found,) = deviation_findings(of, drafted=())

    assert found.kind is FindingKind.DEVIATION_OF_OLD_TEXT
    assert (found.subject, found.department) == ("SOP-0001", major.department)
    assert "has r2 in force" in found.why
