from datetime import datetime, timedelta

import pytest

from sop_server.domain.facts import NotNeeded, RevisionFact, RevisionKind, TicketFact, TicketStatus
from sop_server.domain.golive import GoLiveSource
from sop_server.domain.obligations import ObligationState, ObligationStatus, clock_stop, state, statuses, ticket_met
from tests.domain.library_facts import (
    after,
    confirmation,
    declined,
    library,
    not_needed,
    obligation,
    revision,
    ticket,
    version,
)

R1 = revision(1)


def answered(effective_from: datetime, number: int = 2, *tickets: int) -> RevisionFact:
    return revision(number, effective_from, tickets=tickets or (1,))


def at(
    instant: datetime, *revisions: RevisionFact, change: TicketFact | None = None, proposal: NotNeeded | None = None
) -> ObligationStatus:
    return state(obligation(proposal=proposal), change or ticket(), (R1, *revisions), instant)


def test_before_go_live_it_is_upcoming_and_exposes_nobody() -> None:
    status = at(after(-1))
    assert status.state is ObligationState.UPCOMING
    assert (status.exposure, status.stopped_at, status.due_at) == (None, None, after(48))


@pytest.mark.parametrize("hours", [0, 10, 48])
def test_within_the_window_it_is_pending_and_its_exposure_grows(hours: float) -> None:
    status = at(after(hours))
    assert (status.state, status.exposure) == (ObligationState.PENDING, timedelta(hours=hours))


def test_past_the_window_it_is_breached() -> None:
    status = at(after(48, days=0) + timedelta(microseconds=1))
    assert status.state is ObligationState.BREACHED
    assert status.open_past_go_live


@pytest.mark.parametrize(("hours", "expected"), [(20, ObligationState.MET), (48, ObligationState.MET)])
def test_stopped_at_or_before_the_end_of_the_window_it_is_met(hours: float, expected: ObligationState) -> None:
    status = at(after(100), answered(after(hours)))
    assert (status.state, status.stopped_at, status.exposure) == (expected, after(hours), timedelta(hours=hours))


def test_stopped_after_the_window_it_is_late() -> None:
    status = at(after(100), answered(after(48.01)))
    assert status.state is ObligationState.LATE


def test_stopped_before_go_live_the_exposure_is_zero() -> None:
    for instant in (after(-1), after(100)):
        status = at(instant, answered(after(-5)))
        assert (status.state, status.exposure) == (ObligationState.MET, timedelta(0))


def test_a_draft_or_a_scheduled_revision_does_not_stop_it() -> None:
    scheduled = answered(after(60))
    assert at(after(40), scheduled).state is ObligationState.PENDING
    assert at(after(59), scheduled).state is ObligationState.BREACHED
    assert at(after(60), scheduled).state is ObligationState.LATE


def test_an_overtaken_revision_never_stops_it() -> None:
    overtaken = answered(after(60))
    assert at(after(100), overtaken, revision(3, after(30))).state is ObligationState.BREACHED


def test_a_revision_that_names_another_ticket_does_not_stop_it() -> None:
    assert at(after(100), answered(after(1), 2, 7)).state is ObligationState.BREACHED


def test_retiring_the_sop_with_a_reference_stops_it() -> None:
    retiring = revision(2, after(10), kind=RevisionKind.RETIRE, tickets=(1,))
    assert at(after(100), retiring).state is ObligationState.MET


def test_retiring_the_sop_without_a_reference_does_not() -> None:
    assert at(after(100), revision(2, after(10), kind=RevisionKind.RETIRE)).state is ObligationState.BREACHED


def test_retiring_the_sop_later_does_not_reopen_it() -> None:
    retiring = revision(3, after(60), kind=RevisionKind.RETIRE, text=R1.content_hash)
    assert at(after(100), answered(after(10)), retiring).state is ObligationState.MET


class TestReverts:
    met = answered(after(10))

    def test_a_revert_to_an_older_text_reopens_it_from_that_instant(self) -> None:
        back = revision(3, after(30), text=R1.content_hash)
        assert at(after(29), self.met, back).state is ObligationState.MET
        assert at(after(30), self.met, back).state is ObligationState.PENDING
        status = at(after(100), self.met, back)
        assert (status.state, status.exposure) == (ObligationState.BREACHED, timedelta(hours=100))

    def test_a_revision_that_says_it_takes_the_meeting_one_back_reopens_it(self) -> None:
        assert at(after(100), self.met, revision(3, after(30), reverts=2)).state is ObligationState.BREACHED

    def test_a_revision_that_says_it_takes_an_older_one_back_reopens_it(self) -> None:
        met_by_r3 = answered(after(10), 3)
        undo = revision(4, after(30), reverts=2)
        assert at(after(100), revision(2, after(-50)), met_by_r3, undo).state is ObligationState.BREACHED

    def test_a_revert_of_a_later_revision_does_not_reopen_it(self) -> None:
        other = revision(3, after(20))
        undo = revision(4, after(30), reverts=3, text=self.met.content_hash)
        assert at(after(100), self.met, other, undo).state is ObligationState.MET

    def test_the_text_that_met_it_never_reopens_it(self) -> None:
        back_to_it = revision(4, after(30), reverts=2, text=self.met.content_hash)
        assert at(after(100), self.met, revision(3, after(20)), back_to_it).state is ObligationState.MET

    def test_other_later_revisions_do_not_reopen_it(self) -> None:
        later = [revision(number, after(number * 10)) for number in range(3, 6)]
        assert at(after(100), self.met, *later).state is ObligationState.MET

    def test_only_a_later_revision_that_names_the_ticket_stops_it_again(self) -> None:
        back = revision(3, after(20), reverts=2, text=R1.content_hash)
        forth = revision(4, after(25), reverts=3, text=self.met.content_hash)
        assert at(after(40), self.met, back, forth).state is ObligationState.PENDING
        status = at(after(100), self.met, back, forth, answered(after(45), 5))
        assert (status.state, status.stopped_at) == (ObligationState.MET, after(45))
        assert at(after(100), self.met, back, forth, answered(after(50), 5)).state is ObligationState.LATE

    def test_a_revert_that_names_the_ticket_itself_leaves_it_stopped(self) -> None:
        back = revision(3, after(30), reverts=2, text=R1.content_hash, tickets=(1,))
        status = at(after(100), self.met, back, revision(4, after(60), text=R1.content_hash))
        assert (status.state, status.stopped_at) == (ObligationState.MET, after(10))

    def test_met_again_by_the_same_text_it_stays_met_when_that_text_comes_back(self) -> None:
        back = revision(3, after(20), text=R1.content_hash)
        again = revision(4, after(30), text=self.met.content_hash, tickets=(1,))
        restored = revision(6, after(50), text=self.met.content_hash)
        status = at(after(100), self.met, back, again, revision(5, after(40)), restored)
        assert (status.state, status.stopped_at) == (ObligationState.MET, after(30))

    def test_an_overtaken_revert_does_not_reopen_it(self) -> None:
        back = revision(3, after(60), text=R1.content_hash)
        assert at(after(100), self.met, back, revision(4, after(30))).state is ObligationState.MET


class TestNotNeeded:
    def test_what_was_declined_stops_no_clock_and_may_be_proposed_again(self) -> None:
        no = declined(after(2), after(4))
        once, again = obligation()._replace(proposals=(no,)), (no, not_needed(after(5), after(6)))
        assert once.proposal is None
        assert state(once, ticket(), (R1,), after(40)).state is ObligationState.PENDING
        assert state(once, ticket(), (R1,), after(49)).state is ObligationState.BREACHED
        status = state(once._replace(proposals=again), ticket(), (R1,), after(49))
        assert (status.state, status.stopped_at) == (ObligationState.NOT_NEEDED, after(6))

    def test_confirmed_within_the_window_it_is_not_needed(self) -> None:
        for confirmed in (after(-3), after(48)):
            status = at(after(100), proposal=not_needed(after(-5), confirmed))
            assert (status.state, status.exposure) == (ObligationState.NOT_NEEDED, None)

    def test_unconfirmed_when_due_it_is_breached(self) -> None:
        assert at(after(40), proposal=not_needed(after(5), None)).state is ObligationState.PENDING
        assert at(after(49), proposal=not_needed(after(5), None)).state is ObligationState.BREACHED

    def test_confirmed_after_the_window_it_is_late(self) -> None:
        proposal = not_needed(after(5), after(60))
        assert at(after(59), proposal=proposal).state is ObligationState.BREACHED
        status = at(after(100), proposal=proposal)
        assert (status.state, status.stopped_at, status.exposure) == (
            ObligationState.LATE,
            after(60),
            timedelta(hours=60),
        )

    def test_what_a_revision_met_first_stays_met(self) -> None:
        status = at(after(100), answered(after(5)), proposal=not_needed(after(5), after(6)))
        assert (status.state, status.stopped_at) == (ObligationState.MET, after(5))

    def test_what_was_not_needed_first_stays_not_needed(self) -> None:
        status = at(after(100), answered(after(60)), proposal=not_needed(after(5), after(6)))
        assert status.state is ObligationState.NOT_NEEDED

    def test_a_triage_ends_by_not_needed(self) -> None:
        triage = obligation(sop=None, proposal=not_needed(after(1), after(2)))
        assert state(triage, ticket(), (), after(100)).state is ObligationState.NOT_NEEDED


class TestVoid:
    cancelled = ticket(
        version(after(-9), effective_at=after()),
        version(after(-2), effective_at=after(), status=TicketStatus.CANCELLED),
    )

    def test_cancelled_before_go_live_it_is_void(self) -> None:
        assert at(after(-3), change=self.cancelled).state is ObligationState.UPCOMING
        assert at(after(100), change=self.cancelled).state is ObligationState.VOID

    def test_void_it_has_neither_stop_nor_exposure(self) -> None:
        status = at(after(100), answered(after(-5)), change=self.cancelled)
        assert (status.state, status.stopped_at, status.exposure) == (ObligationState.VOID, None, None)


class TestTriage:
    def test_no_revision_ends_it(self) -> None:
        known = library(
            after(100), revisions=[R1, answered(after(5))], tickets=[ticket()], obligations=[obligation(sop=None)]
        )
        assert statuses(known)[0].state is ObligationState.BREACHED

    def test_replaced_by_named_sops_it_is_uncounted_from_then_and_not_before(self) -> None:
        triage = obligation(sop=None, uncounted_from=after(20))
        assert state(triage, ticket(), (), after(19)).counted
        assert not state(triage, ticket(), (), after(20)).counted


def test_an_obligation_keeps_the_window_that_it_was_born_with() -> None:
    status = state(obligation(window_hours=24), ticket(), (R1,), after(25))
    assert (status.state, status.due_at) == (ObligationState.BREACHED, after(24))


def test_a_later_go_live_moves_the_window() -> None:
    moved = ticket(version(effective_at=after()), confirmations=(confirmation(after(30), after(50)),))
    assert at(after(49), change=moved).state is ObligationState.BREACHED
    status = at(after(51), change=moved)
    assert (status.state, status.t0, status.t0_source) == (ObligationState.PENDING, after(30), GoLiveSource.CONFIRMED)


def test_one_revision_stops_several_tickets() -> None:
    both = (R1, answered(after(5), 2, 1, 2))
    assert clock_stop(both, 1, after(10)) == clock_stop(both, 2, after(10)) == after(5)


def test_two_tickets_on_one_sop_have_each_a_clock_of_their_own() -> None:
    known = library(
        after(100),
        revisions=[R1, answered(after(5))],
        tickets=[ticket(), ticket(number=2)],
        obligations=[obligation(1), obligation(2, ticket=2)],
    )
    assert [status.state for status in statuses(known)] == [ObligationState.MET, ObligationState.BREACHED]


def test_a_ticket_is_met_when_all_its_obligations_are() -> None:
    met, open_one = at(after(100), answered(after(5))), at(after(100))
    left_out = at(after(100), proposal=not_needed(after(1), after(2)))
    replaced = state(obligation(sop=None, uncounted_from=after(1)), ticket(), (), after(100))
    assert ticket_met([met, left_out, replaced])
    assert not ticket_met([met, open_one])
    assert not ticket_met([left_out])
    assert not ticket_met([])


def test_the_response_counts_from_the_first_word_of_it_here() -> None:
    heard_late = ticket(version(after(20), effective_at=after()))
    assert at(after(100), answered(after(30)), change=heard_late).response == timedelta(hours=10)
    assert at(after(100), answered(after(30))).response == timedelta(hours=30)
    assert at(after(100), answered(after(-30))).response == timedelta(0)
    assert at(after(100)).response is None


def test_the_whole_snapshot_and_one_obligation_give_the_same() -> None:
    proposal = not_needed(after(1), after(3))
    known = library(
        after(70),
        revisions=[R1, answered(after(5))],
        tickets=[ticket(), TestVoid.cancelled._replace(id=2)],
        obligations=[obligation(1), obligation(2, ticket=2), obligation(3, sop="SOP-0404", proposal=proposal)],
    )
    for status in statuses(known):
        revisions = known.revisions.get(status.obligation.sop_id or "", ())
        assert status == state(status.obligation, status.ticket, revisions, known.at)
