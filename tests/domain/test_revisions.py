import pytest

from sop_server.domain import revisions
from sop_server.domain.revisions import RevisionKind, RevisionState
from tests.domain.library_facts import MAJOR, after, revision

R1 = revision(1, after(days=-100))
R2 = revision(2, after(days=-50), significance=MAJOR)
R3 = revision(3, after(days=10))


def test_nothing_is_in_force_before_the_first_revision() -> None:
    assert revisions.in_force([R1], after(days=-101)) is None
    assert revisions.in_force([], after()) is None


def test_the_highest_revision_that_has_come_into_force_is_served() -> None:
    assert revisions.in_force([R1, R2, R3], after(days=-50, hours=-1)) == R1
    assert revisions.in_force([R1, R2, R3], after(days=-50)) == R2
    assert revisions.in_force([R1, R2, R3], after(days=10)) == R3


def test_a_revision_to_come_is_scheduled_until_its_instant() -> None:
    assert revisions.scheduled([R1, R2, R3], after()) == (R3,)
    assert revisions.state([R1, R2, R3], 3, after()) is RevisionState.SCHEDULED
    assert revisions.scheduled([R1, R2, R3], after(days=10)) == ()


def test_a_scheduled_revision_overtaken_by_a_later_one_is_never_served() -> None:
    emergency = revision(4, after(days=5))
    known = [R1, R2, R3, emergency]
    assert revisions.overtaken(known) == (R3,)
    assert revisions.scheduled(known, after()) == (emergency,)
    assert revisions.in_force(known, after(days=20)) == emergency
    assert revisions.state(known, 3, after(days=20)) is RevisionState.OVERTAKEN


def test_a_revision_overtaken_at_its_very_instant_is_never_served() -> None:
    assert revisions.overtaken([R1, R3, revision(4, R3.effective_from)]) == (R3,)


def test_a_later_revision_scheduled_after_it_overtakes_nothing() -> None:
    later = revision(4, after(days=15))
    assert revisions.overtaken([R1, R3, later]) == ()
    assert revisions.scheduled([R1, R3, later], after()) == (R3, later)


def test_a_retiring_revision_ends_what_is_served() -> None:
    retiring = revision(3, after(days=1), kind=RevisionKind.RETIRE)
    known = [R1, R2, retiring]
    assert revisions.in_force(known, after()) == R2
    assert not revisions.is_retired(known, after())
    assert revisions.in_force(known, after(days=1)) is None
    assert revisions.is_retired(known, after(days=1))
    assert revisions.latest(known, after(days=1)) == retiring
    assert revisions.state(known, 3, after(days=1)) is RevisionState.RETIRED
    assert revisions.state(known, 2, after(days=1)) is RevisionState.SUPERSEDED
    assert [(span.revision.number, span.since, span.until) for span in revisions.served_spans(known)] == [
        (1, R1.effective_from, R2.effective_from),
        (2, R2.effective_from, after(days=1)),
    ]


def test_the_text_in_force_has_no_end() -> None:
    spans = revisions.served_spans([R1, R2])
    assert [(span.revision, span.until) for span in spans] == [(R1, R2.effective_from), (R2, None)]


def test_states_of_a_plain_history() -> None:
    found = [revisions.state([R1, R2, R3], number, after()) for number in (1, 2, 3)]
    assert found == [RevisionState.SUPERSEDED, RevisionState.IN_FORCE, RevisionState.SCHEDULED]


def test_an_unknown_number_has_no_state() -> None:
    with pytest.raises(KeyError):
        revisions.state([R1], 7, after())


def test_the_current_major_is_the_last_major_served() -> None:
    minor = revision(4, after(days=12))
    known = [R1, R2, R3, minor]
    assert revisions.current_major(known, after(days=20)) == R2
    assert revisions.current_major(known, after(days=-60)) == R1
    assert revisions.current_major(known, after(days=-101)) is None


def test_an_overtaken_major_asks_nobody_to_read() -> None:
    unserved = revision(2, after(days=10), significance=MAJOR)
    assert revisions.current_major([R1, unserved, revision(3, after(days=5))], after(days=20)) == R1


def test_a_first_revision_is_major_whatever_it_says() -> None:
    unmarked = revision(1, after(), significance=revisions.Significance.MINOR)
    assert revisions.current_major([unmarked, revision(2, after(1))], after(2)) == unmarked
