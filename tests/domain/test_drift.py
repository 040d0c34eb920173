from datetime import datetime, timedelta

import pytest

from sop_server.domain.drift import compliance, drift, inputs_of
from sop_server.domain.drift_formula import Band, ComponentName, DriftInputs
from sop_server.domain.facts import Criticality, Facts, ObligationFact, RevisionFact, TicketFact
from sop_server.domain.obligations import statuses
from sop_server.domain.standing import narrow, standing
from tests.domain.library_facts import (
    MAJOR,
    acknowledgement,
    after,
    library,
    member,
    obligation,
    person,
    process,
    report,
    review,
    revision,
    ticket,
    version,
)

NOW = after(days=100)


def measured(facts: Facts) -> DriftInputs:
    return inputs_of(standing(facts))


def due(*days_ago_and_met: tuple[float, bool]) -> Facts:
    """A library with an obligation due so many days ago each, met or breached."""
    tickets: list[TicketFact] = []
    revisions: list[RevisionFact] = []
    obligations: list[ObligationFact] = []
    for number, (days, met) in enumerate(days_ago_and_met, start=1):
        live = NOW - timedelta(days=days, hours=48)
        sop = f"SOP-{number:04}"
        tickets.append(ticket(version(live, effective_at=live), number=number))
        revisions.append(revision(1, live - timedelta(days=1), sop=sop))
        if met:
            revisions.append(revision(2, live + timedelta(hours=1), sop=sop, tickets=(number,)))
        obligations.append(obligation(number, ticket=number, sop=sop, recorded_at=live))
    return library(NOW, tickets=tickets, revisions=revisions, obligations=obligations)


def scored(*days_ago_and_met: tuple[float, bool]) -> float | None:
    return compliance(statuses(due(*days_ago_and_met)), NOW)


class TestCompliance:
    def test_without_matured_obligations_it_is_unproven(self) -> None:
        assert scored() is None
        assert scored((-1, True)) is None

    def test_the_last_90_days_count_where_they_are_ten_or_more(self) -> None:
        recent = [(days, days > 2) for days in range(1, 13)]
        assert scored(*recent, (91, False), (100, False)) == 10 / 12

    def test_fewer_are_filled_up_to_ten_with_the_latest_before(self) -> None:
        recent = [(days, True) for days in range(1, 5)]
        older = [(100 + days, True) for days in range(6)]
        assert scored(*recent, *older, (200, False), (300, False)) == 1.0
        assert scored(*recent, *older[:5], (200, False), (300, False)) == 0.9

    def test_none_counts_that_was_due_more_than_365_days_ago(self) -> None:
        assert scored((366, True)) is None
        assert scored((365, True)) == 1.0
        assert scored((10, True), (365.1, False)) == 1.0

    def test_open_breaches_count_as_not_met(self) -> None:
        assert scored((10, True), (11, False)) == 0.5


class TestFreshness:
    def at_age(self, days: float) -> float | None:
        live = NOW - timedelta(days=days)
        facts = library(
            NOW,
            processes=[process()],
            revisions=[revision(processes=("PROC-001",))],
            tickets=[ticket(version(effective_at=live))],
            obligations=[obligation()],
        )
        return measured(facts).freshness

    @pytest.mark.parametrize(("days", "expected"), [(-3, 1), (1, 1), (2, 1), (16, 0.5), (30, 0), (300, 0)])
    def test_it_falls_from_two_days_to_thirty(self, days: float, expected: float) -> None:
        assert self.at_age(days) == pytest.approx(expected)

    def test_the_oldest_open_obligation_on_any_of_its_sops_counts_and_critical_ones_weigh_more(self) -> None:
        facts = library(
            NOW,
            processes=[process(criticality=Criticality.CRITICAL), process("PROC-002"), process("PROC-003")],
            revisions=[
                revision(processes=("PROC-001",)),
                revision(sop="SOP-0002", processes=("PROC-001",)),
                revision(sop="SOP-0003", processes=("PROC-002",)),
            ],
            tickets=[
                ticket(version(effective_at=NOW - timedelta(days=16))),
                ticket(version(effective_at=NOW - timedelta(days=3)), number=2),
            ],
            obligations=[obligation(sop="SOP-0002"), obligation(2, ticket=2, sop="SOP-0002")],
        )
        assert measured(facts).freshness == pytest.approx((3 * 0.5 + 1) / 4)

    def test_without_documented_processes_there_is_none(self) -> None:
        assert measured(library(NOW, processes=[process()], revisions=[revision()])).freshness is None


class TestLongOpen:
    def test_an_obligation_open_for_thirty_days_counts_also_a_triage(self) -> None:
        def long_open(days: float, sop: str | None) -> int:
            live = NOW - timedelta(days=days)
            return measured(
                library(NOW, tickets=[ticket(version(effective_at=live))], obligations=[obligation(sop=sop)])
            ).long_open

        assert [long_open(29.9, None), long_open(30, None), long_open(30, "SOP-0404")] == [0, 1, 1]

    def test_a_triage_replaced_by_named_sops_does_not(self) -> None:
        facts = library(NOW, tickets=[ticket()], obligations=[obligation(sop=None, uncounted_from=after(1))])
        assert measured(facts).long_open == 0

    def test_half_of_the_processes_lost_is_counted_by_weight_and_each_once(self) -> None:
        facts = library(
            NOW,
            processes=[process(criticality=Criticality.CRITICAL), process("PROC-002"), process("PROC-003")],
            revisions=[revision(processes=("PROC-001",)), revision(sop="SOP-0002", processes=("PROC-002",))],
            tickets=[ticket()],
            obligations=[obligation(sop="SOP-0002")],
        )
        found = measured(facts)
        assert (found.undocumented_share, found.long_open_share, found.lost_share) == (0.2, 0.2, 0.4)


class TestGrace:
    new = process("PROC-002", criticality=Criticality.CRITICAL, recorded_at=NOW - timedelta(days=13))

    def test_a_new_undocumented_process_is_in_no_cap(self) -> None:
        documented = revision(processes=("PROC-001",))
        found = measured(library(NOW, processes=[process(), self.new], revisions=[documented]))
        assert (found.critical_undocumented, found.lost_share, found.coverage) == (0, 0, 1)

    def test_registering_an_undocumented_process_does_not_lower_the_score(self) -> None:
        documented = revision(processes=("PROC-001",))
        before = drift(library(NOW, processes=[process()], revisions=[documented])).score
        assert drift(library(NOW, processes=[process(), self.new], revisions=[documented])).score == before

    def test_with_new_processes_alone_nothing_is_judged(self) -> None:
        found = measured(library(NOW, processes=[self.new]))
        assert (found.coverage, found.undocumented_share, found.lost_share) == (None, None, None)
        assert drift(library(NOW, processes=[self.new])).score is None


def test_an_empty_library_has_neither_score_nor_band() -> None:
    found = drift(library(NOW))
    assert (found.score, found.band, found.caps) == (None, None, ())
    assert [component.q for component in found.components] == [None] * 6


def test_processes_without_any_sop_score_nothing() -> None:
    found = drift(library(NOW, processes=[process()]))
    assert (found.score, found.band) == (0.0, Band.FAILURE)
    assert found.caps[0].limit == 0


def test_a_new_library_that_is_in_order_is_unproven() -> None:
    found = drift(library(NOW, processes=[process()], revisions=[revision(processes=("PROC-001",))]))
    assert (found.score, found.band) == (8.0, Band.HEALTHY)
    assert [cap.limit for cap in found.caps] == [8.0]


def test_every_component_is_measured_from_the_facts() -> None:
    recent = NOW - timedelta(days=20)
    facts = library(
        NOW,
        processes=[process(), process("PROC-002")],
        revisions=[
            revision(1, NOW - timedelta(days=395), processes=("PROC-001",), audience=("tier2",), deputy=None),
            revision(2, recent + timedelta(hours=5), processes=("PROC-001",), audience=("tier2",), tickets=(1,)),
        ],
        tickets=[ticket(version(recent, effective_at=recent))],
        obligations=[obligation(recorded_at=recent)],
        people=[person(1), person(2)],
        memberships=[member(1), member(2)],
        acknowledgements=[acknowledgement(1, after())],
        feedback=[report(1, NOW - timedelta(days=20), triaged_at=NOW - timedelta(days=19)), report(2, after(days=80))],
    )
    found = drift(facts)
    assert {component.name: component.q for component in found.components} == {
        ComponentName.WINDOW: 1.0,
        ComponentName.FRESHNESS: 1.0,
        ComponentName.COVERAGE: 0.5,
        ComponentName.REVIEWS: pytest.approx(1 - 30 / 90),
        ComponentName.KNOWLEDGE: pytest.approx((0.60 * 0.5 + 0.15) / 0.75),
        ComponentName.FEEDBACK: 0.5,
    }
    assert found.formula_version == "1"
    assert found.score == 3.0
    assert "undocumented processes" in found.would_raise_most
    reviewed = review(NOW - timedelta(days=1))
    assert measured(library(NOW, revisions=facts.revisions["SOP-0001"], reviews=[reviewed])).reviews == 1


def test_a_department_is_scored_by_what_is_its_own() -> None:
    whole = standing(
        library(
            NOW,
            processes=[process(), process("PROC-002", department="claims")],
            revisions=[revision(processes=("PROC-001",))],
        )
    )
    assert inputs_of(narrow(whole, departments={"payments"})).coverage == 1
    assert inputs_of(narrow(whole, departments={"claims"})).coverage == 0


def test_a_major_in_another_sop_changes_nothing_here() -> None:
    known = [revision(processes=("PROC-001",)), revision(1, sop="SOP-0002", significance=MAJOR)]
    alone = drift(library(NOW, processes=[process()], revisions=known[:1]))
    assert drift(library(NOW, processes=[process()], revisions=known)).score == alone.score


@pytest.mark.parametrize("instant", [after(), after(days=1), NOW])
def test_the_report_says_of_which_instant_it_is(instant: datetime) -> None:
    assert drift(library(instant)).at == instant
