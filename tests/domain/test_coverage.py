from datetime import timedelta

from sop_server.domain.coverage import coverage
from sop_server.domain.facts import Criticality, RevisionKind
from sop_server.domain.standing import narrow, standing
from tests.domain.library_facts import LONG_AGO, after, library, process, revision

NOW = after()
CRITICAL = process("PROC-001", criticality=Criticality.CRITICAL)
NORMAL = process("PROC-002")


def test_critical_processes_weigh_three_times_as_much() -> None:
    documented = revision(processes=("PROC-001",))
    report = coverage(standing(library(NOW, processes=[CRITICAL, NORMAL], revisions=[documented])))
    assert (report.coverage, report.documented, report.active) == (0.75, 1, 2)
    assert [row.process_id for row in report.undocumented] == ["PROC-002"]


def test_without_processes_there_is_no_coverage() -> None:
    assert coverage(standing(library(NOW, revisions=[revision()]))).coverage is None


def test_a_retired_process_does_not_count() -> None:
    retired = process("PROC-003", retired_at=after(-1))
    report = coverage(standing(library(NOW, processes=[retired])))
    assert (report.coverage, report.active, report.undocumented) == (None, 0, ())


def test_a_new_process_counts_from_the_end_of_its_grace_on_and_is_listed_at_once() -> None:
    new = process("PROC-003", registered_at=after(days=-60), recorded_at=after(days=-14, hours=1))
    known = library(NOW, processes=[NORMAL, new], revisions=[revision(processes=("PROC-002",))])
    report = coverage(standing(known))
    assert report.coverage == 1
    assert [(row.process_id, row.grace_until) for row in report.undocumented] == [("PROC-003", after(1))]

    older = process("PROC-003", recorded_at=after(days=-14))
    known = library(NOW, processes=[NORMAL, older], revisions=[revision(processes=("PROC-002",))])
    assert coverage(standing(known)).coverage == 0.5


def test_a_new_process_counts_at_once_when_it_is_documented() -> None:
    new = process("PROC-003", recorded_at=after(-1))
    known = library(NOW, processes=[NORMAL, new], revisions=[revision(processes=("PROC-003",))])
    assert coverage(standing(known)).coverage == 0.5


def test_a_scheduled_or_retired_sop_documents_nothing() -> None:
    scheduled = revision(1, after(1), processes=("PROC-002",))
    assert coverage(standing(library(NOW, processes=[NORMAL], revisions=[scheduled]))).coverage == 0
    retired = [revision(processes=("PROC-002",)), revision(2, after(days=-3), kind=RevisionKind.RETIRE)]
    assert coverage(standing(library(NOW, processes=[NORMAL], revisions=retired))).coverage == 0


def test_since_is_when_it_lost_its_last_sop_or_else_when_it_was_registered() -> None:
    known = library(
        NOW,
        processes=[NORMAL, CRITICAL],
        revisions=[
            revision(processes=("PROC-002",)),
            revision(2, after(days=-3)),
            revision(1, sop="SOP-0002", processes=("PROC-002",)),
            revision(2, after(days=-5), sop="SOP-0002", kind=RevisionKind.RETIRE),
        ],
    )
    rows = coverage(standing(known)).undocumented
    assert [(row.process_id, row.since) for row in rows] == [("PROC-001", LONG_AGO), ("PROC-002", after(days=-3))]


def test_a_process_taken_up_again_is_undocumented_since_then() -> None:
    first = process("PROC-002", retired_at=after(days=-20))
    again = process("PROC-002", registered_at=after(days=-10)).versions[0]
    resumed = type(first)(first.id, first.registered_at, first.recorded_at, (*first.versions, again))
    assert coverage(standing(library(NOW, processes=[resumed]))).undocumented[0].since == after(days=-10)


def test_the_critical_come_first_then_the_longest_undocumented() -> None:
    older = process("PROC-003", registered_at=LONG_AGO - timedelta(days=5))
    rows = coverage(standing(library(NOW, processes=[NORMAL, older, CRITICAL]))).undocumented
    assert [row.process_id for row in rows] == ["PROC-001", "PROC-003", "PROC-002"]


def test_a_department_is_measured_by_its_own_processes() -> None:
    theirs = process("PROC-003", department="claims")
    whole = standing(library(NOW, processes=[NORMAL, theirs], revisions=[revision(processes=("PROC-002",))]))
    assert coverage(narrow(whole, departments={"payments"})).coverage == 1
    assert coverage(narrow(whole, departments={"claims"})).coverage == 0
    assert coverage(narrow(whole, owner="nobody@example.com")).coverage is None
