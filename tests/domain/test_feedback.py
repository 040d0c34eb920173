from sop_server.domain.facts import FeedbackKind
from sop_server.domain.feedback import feedback
from sop_server.domain.standing import narrow, standing
from tests.domain.library_facts import after, library, report, revision

NOW = after()


def test_without_feedback_due_there_is_no_share() -> None:
    assert feedback([], at=NOW).share is None
    assert feedback([report(1, after(days=-6))], at=NOW).share is None


def test_in_time_is_within_seven_days() -> None:
    found = feedback(
        [
            report(1, after(days=-20), triaged_at=after(days=-13)),
            report(2, after(days=-20), triaged_at=after(days=-12.9)),
            report(3, after(days=-20)),
            report(4, after(days=-20), triaged_at=after(days=-19)),
        ],
        at=NOW,
    )
    assert (found.due, found.in_time, found.late, found.untriaged, found.share) == (4, 2, 1, 1, 0.5)


def test_it_is_due_in_the_period_in_which_its_seven_days_end() -> None:
    assert feedback([report(1, after(days=-97))], at=NOW).due == 0
    assert feedback([report(1, after(days=-96.9))], at=NOW).due == 1
    assert feedback([report(1, after(days=-7))], at=NOW).due == 1


def test_a_triage_still_to_come_counts_as_none() -> None:
    found = feedback([report(1, after(days=-8), triaged_at=after(1))], at=NOW)
    assert (found.untriaged, [fact.id for fact in found.waiting]) == (1, [1])


def test_what_was_reported_later_is_not_known() -> None:
    found = feedback([report(1, after(1))], at=NOW)
    assert (found.waiting, sum(found.kinds.values())) == ((), 0)


def test_what_waits_is_listed_oldest_first_and_kinds_are_counted() -> None:
    found = feedback(
        [
            report(1, after(days=-1), kind=FeedbackKind.UNCLEAR),
            report(2, after(days=-300)),
            report(3, after(days=-2), kind=FeedbackKind.UNCLEAR, triaged_at=after(days=-1)),
        ],
        at=NOW,
    )
    assert [fact.id for fact in found.waiting] == [2, 1]
    assert found.kinds[FeedbackKind.UNCLEAR] == 2
    assert found.kinds[FeedbackKind.OUTDATED] == 0


def test_a_department_answers_for_the_feedback_on_its_own_sops() -> None:
    known = standing(
        library(
            NOW,
            revisions=[revision(), revision(sop="SOP-0002", department="claims")],
            feedback=[
                report(1, after(-1)),
                report(2, after(-1), sop="SOP-0002"),
                report(3, after(-1), sop=None),
                report(4, after(-1), sop="SOP-0404"),
            ],
        )
    )
    assert [fact.id for fact in narrow(known, departments={"claims"}).feedback] == [2]
    assert len(known.feedback) == 4
