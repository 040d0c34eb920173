from datetime import datetime, timedelta

import pytest

from sop_server.domain.facts import ObligationFact, RevisionFact, TicketFact, TicketStatus
from sop_server.domain.obligations import ObligationStatus, statuses
from sop_server.domain.window import due_within, window, window_by
from tests.domain.library_facts import after, library, not_needed, obligation, revision, ticket, version

NOW = after(days=50)


def changes(*exposures: tuple[float, bool], window_hours: float = 48) -> tuple[ObligationStatus, ...]:
    """Obligations as they stand now: stopped after so many hours, or open for so many."""
    tickets: list[TicketFact] = []
    revisions: list[RevisionFact] = []
    obligations: list[ObligationFact] = []
    for number, (hours, stopped) in enumerate(exposures, start=1):
        stop = NOW - timedelta(hours=100)
        live = stop - timedelta(hours=hours) if stopped else NOW - timedelta(hours=hours)
        sop = f"SOP-{number:04}"
        tickets.append(ticket(version(effective_at=live), number=number, source="jira" if stopped else "github"))
        revisions.append(revision(1, sop=sop, department="payments" if number % 2 else None))
        if stopped:
            revisions.append(revision(2, stop, sop=sop, tickets=(number,)))
        obligations.append(obligation(number, ticket=number, sop=sop, window_hours=window_hours))
    return statuses(library(NOW, tickets=tickets, revisions=revisions, obligations=obligations))


EXAMPLE = (
    *((hours, True) for hours in (0, 6, 14, 20, 26, 31, 44, 70)),
    *((hours, False) for hours in (10, 30, 400, 900)),
)


def test_the_worked_example() -> None:
    report = window(changes(*EXAMPLE), at=NOW, days=90)
    assert (report.n, report.met, report.late, report.breached, report.pending) == (10, 7, 1, 2, 2)
    assert report.compliance == 0.7
    assert report.wilson_low is not None
    assert report.wilson_high is not None
    assert (round(100 * report.wilson_low, 1), round(100 * report.wilson_high, 1)) == (39.7, 89.2)
    assert (report.median_exposure_hours, report.p90_exposure_hours) == (31, None)
    assert report.median_response_hours == (20 + 26) / 2


def test_without_matured_obligations_there_is_no_compliance() -> None:
    report = window(changes((10, False)), at=NOW, days=90)
    assert (report.n, report.pending) == (0, 1)
    assert (report.compliance, report.wilson_low, report.wilson_high) == (None, None, None)
    assert (report.median_exposure_hours, report.median_response_hours) == (None, None)


def test_the_period_is_open_at_its_start_and_closed_at_its_end() -> None:
    exactly_30_days_ago = changes((30 * 24 + 48, False))
    assert window(exactly_30_days_ago, at=NOW, days=30).n == 0
    assert window(changes((30 * 24 + 47.99, False)), at=NOW, days=30).n == 1
    due_now = changes((48.0, False))
    assert (window(due_now, at=NOW, days=30).n, window(due_now, at=NOW, days=30).pending) == (0, 1)


def test_what_is_not_needed_or_void_is_counted_apart() -> None:
    cancelled = ticket(
        version(NOW - timedelta(days=9), effective_at=NOW - timedelta(days=5)),
        version(NOW - timedelta(days=8), effective_at=NOW - timedelta(days=5), status=TicketStatus.CANCELLED),
        number=2,
    )
    needless = not_needed(NOW - timedelta(days=6), NOW - timedelta(days=6))
    found = statuses(
        library(
            NOW,
            tickets=[ticket(version(effective_at=NOW - timedelta(days=5))), cancelled],
            obligations=[obligation(1, proposal=needless), obligation(2, ticket=2)],
        )
    )
    report = window(found, at=NOW, days=30)
    assert (report.n, report.not_needed, report.void, report.pending) == (0, 1, 1, 0)
    assert len(due_within(found, at=NOW, days=30)) == 2
    assert window(found, at=NOW, days=2).not_needed == 0


def test_what_is_met_before_it_is_due_has_not_matured() -> None:
    upcoming = library(
        NOW,
        tickets=[ticket(version(effective_at=NOW + timedelta(days=1)))],
        revisions=[revision(1), revision(2, NOW - timedelta(hours=1), tickets=(1,))],
        obligations=[obligation()],
    )
    report = window(statuses(upcoming), at=NOW, days=30)
    assert (report.n, report.pending) == (0, 0)


@pytest.mark.parametrize(("met", "missed", "allowed", "left"), [(19, 1, 1, 0), (40, 0, 2, 2), (10, 3, 0, -3)])
def test_the_error_budget_is_the_misses_that_95_per_cent_allow(met: int, missed: int, allowed: int, left: int) -> None:
    report = window(changes(*[(5, True)] * met, *[(100, False)] * missed), at=NOW, days=30)
    assert (report.misses_allowed, report.misses_left) == (allowed, left)


def test_the_curve_is_the_share_not_reflected_by_exposure() -> None:
    report = window(changes((10, True), (20, True)), at=NOW, days=30)
    assert [(step.duration, step.open) for step in report.curve] == [(10, 0.5), (20, 0.0)]


def test_groups_are_reported_by_name_and_the_nameless_last() -> None:
    def source(status: ObligationStatus) -> str | None:
        return None if status.obligation.id == 1 else status.ticket.source

    groups = window_by(changes(*EXAMPLE), source, at=NOW, days=90)
    assert list(groups) == ["github", "jira", None]
    assert [report.n for report in groups.values()] == [2, 7, 1]


def test_an_earlier_instant_gives_what_it_gave_then() -> None:
    def report(at: datetime) -> tuple[int, int, int]:
        known = library(
            at,
            tickets=[ticket()],
            revisions=[revision(1), revision(2, after(60), tickets=(1,))],
            obligations=[obligation()],
        )
        found = window(statuses(known), at=at, days=30)
        return found.n, found.late, found.breached

    assert report(after(48)) == (0, 0, 0)
    assert report(after(50)) == (1, 0, 1)
    assert report(after(60)) == (1, 1, 0)
