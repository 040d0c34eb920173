from datetime import timedelta

import pytest

from sop_server.domain.facts import Criticality, ReviewOutcome, RevisionKind
from sop_server.domain.reviews import review_share, reviews_due
from sop_server.domain.standing import standing
from tests.domain.library_facts import MAJOR, after, library, process, review, revision

NOW = after()


def ago(days: float) -> timedelta:
    return timedelta(days=days)


def test_without_sops_there_is_no_share() -> None:
    assert review_share(standing(library(NOW))) is None


@pytest.mark.parametrize(("age", "share"), [(10, 1.0), (365, 1.0), (365 + 45, 0.5), (365 + 90, 0.0), (365 + 900, 0.0)])
def test_a_review_loses_its_worth_over_90_days(age: float, share: float) -> None:
    assert review_share(standing(library(NOW, revisions=[revision(1, NOW - ago(age))]))) == pytest.approx(share)


def test_a_sop_weighs_as_much_as_its_heaviest_active_process() -> None:
    processes = [
        process("PROC-001", criticality=Criticality.CRITICAL),
        process("PROC-002"),
        process("PROC-003", criticality=Criticality.CRITICAL, retired_at=after(-1)),
    ]
    overdue = NOW - ago(500)
    known = library(
        NOW,
        processes=processes,
        revisions=[
            revision(1, overdue, processes=("PROC-002", "PROC-001")),
            revision(1, sop="SOP-0002", processes=("PROC-003",)),
            revision(1, sop="SOP-0003"),
        ],
    )
    assert review_share(standing(known)) == pytest.approx(2 / 5)


def test_the_interval_of_the_revision_in_force_counts() -> None:
    known = [revision(1, NOW - ago(100)), revision(2, NOW - ago(50), review_every_days=90)]
    due = reviews_due(standing(library(NOW, revisions=known)))[0]
    assert (due.counted_from, due.due_at, due.days_overdue) == (NOW - ago(100), NOW - ago(10), 10)


def test_it_counts_from_the_later_of_the_last_confirmed_review_and_the_last_major() -> None:
    known = [revision(1, NOW - ago(300)), revision(2, NOW - ago(100), significance=MAJOR)]

    def counted_from(*reviewed: float) -> timedelta:
        reviews = [review(NOW - ago(days)) for days in reviewed]
        return NOW - reviews_due(standing(library(NOW, revisions=known, reviews=reviews)))[0].counted_from

    assert counted_from() == ago(100)
    assert counted_from(150) == ago(100)
    assert counted_from(50, 200) == ago(50)


def test_a_review_that_does_not_confirm_is_told_and_renews_nothing() -> None:
    reviews = [review(NOW - ago(50)), review(NOW - ago(5), outcome=ReviewOutcome.NEEDS_REVISION)]
    due = reviews_due(standing(library(NOW, revisions=[revision()], reviews=reviews)))[0]
    assert due.counted_from == NOW - ago(50)
    assert due.last == reviews[1]


def test_a_bulk_review_is_a_review_and_is_reported_as_such() -> None:
    reviews = [review(NOW - ago(5), bulk=True)]
    due = reviews_due(standing(library(NOW, revisions=[revision()], reviews=reviews)))[0]
    assert due.counted_from == NOW - ago(5)
    assert due.last is not None
    assert due.last.bulk


def test_the_most_urgent_comes_first_and_what_is_retired_not_at_all() -> None:
    known = [
        revision(1, NOW - ago(10)),
        revision(1, NOW - ago(400), sop="SOP-0002"),
        revision(1, NOW - ago(900), sop="SOP-0003"),
        revision(2, NOW - ago(1), sop="SOP-0003", kind=RevisionKind.RETIRE),
    ]
    rows = reviews_due(standing(library(NOW, revisions=known)))
    assert [(row.sop_id, row.days_overdue) for row in rows] == [("SOP-0002", 35), ("SOP-0001", 0)]
