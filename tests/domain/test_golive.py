from sop_server.domain.facts import TicketStatus
from sop_server.domain.golive import GoLiveSource, cancelled_at, cancelled_before_go_live, go_live, history
from tests.domain.library_facts import after, confirmation, ticket, version


def test_go_live_is_taken_from_the_surest_source_there_is() -> None:
    full = version(
        after(-6),
        status=TicketStatus.DONE,
        effective_at=after(1),
        actual_end=after(2),
        planned_end=after(3),
        announced_at=after(-4),
        created_at=after(-5),
    )
    confirmed = ticket(full, confirmations=(confirmation(after(7), after(-6)),))
    assert (go_live(confirmed, after()).source, go_live(confirmed, after()).t0) == (GoLiveSource.CONFIRMED, after(7))

    without_statement = full._replace(effective_at=None)
    without_end = without_statement._replace(actual_end=None)
    without_plan = without_end._replace(planned_end=None)
    bare = without_plan._replace(announced_at=None)
    found = [go_live(ticket(known), after()) for known in (full, without_statement, without_end, without_plan, bare)]
    assert [(live.source, live.t0) for live in found] == [
        (GoLiveSource.STATED, after(1)),
        (GoLiveSource.ACTUAL_END, after(2)),
        (GoLiveSource.PLANNED_END, after(3)),
        (GoLiveSource.ANNOUNCED, after(-4)),
        (GoLiveSource.CREATED, after(-5)),
    ]


def test_the_actual_end_counts_for_a_successful_change_alone() -> None:
    for status in (TicketStatus.PLANNED, TicketStatus.FAILED, TicketStatus.CANCELLED):
        failed = ticket(version(status=status, actual_end=after(2), planned_end=after(3)))
        assert go_live(failed, after(4)).source is GoLiveSource.PLANNED_END


def test_a_planned_end_is_upcoming_before_it_and_provisional_once_it_has_passed() -> None:
    planned = ticket(version(planned_end=after(3)))
    before, passed = go_live(planned, after(2)), go_live(planned, after(3))
    assert (before.upcoming, before.provisional) == (True, False)
    assert (passed.upcoming, passed.provisional) == (False, True)


def test_a_stated_go_live_is_never_provisional() -> None:
    assert not go_live(ticket(), after(1)).provisional


def test_the_newest_confirmation_and_the_newest_version_apply() -> None:
    known = ticket(
        version(after(-10), effective_at=after(1)),
        version(after(-5), effective_at=after(9)),
        confirmations=(confirmation(after(4), after(-3)), confirmation(after(2), after(-1))),
    )
    assert go_live(known, after(-4)).t0 == after(9)
    assert go_live(known, after(-2)).t0 == after(4)
    assert go_live(known, after()).t0 == after(2)


def test_what_was_recorded_later_does_not_change_what_was_known() -> None:
    known = ticket(version(after(-10), effective_at=after(1)), version(after(20), effective_at=after(-9)))
    assert go_live(known, after(19)).t0 == after(1)


def test_the_history_names_each_go_live_with_the_instant_at_which_it_was_recorded() -> None:
    known = ticket(
        version(after(-10), announced_at=after(-12)),
        version(after(-8), announced_at=after(-12), systems=("SAP",)),
        version(after(-5), announced_at=after(-12), effective_at=after()),
        confirmations=(confirmation(after(), after(1)),),
    )
    assert [(instant, live.t0, live.source) for instant, live in history(known)] == [
        (after(-10), after(-12), GoLiveSource.ANNOUNCED),
        (after(-5), after(), GoLiveSource.STATED),
        (after(1), after(), GoLiveSource.CONFIRMED),
    ]


def test_a_change_cancelled_before_its_go_live_is_void() -> None:
    known = ticket(
        version(after(-10), effective_at=after()),
        version(after(-1), effective_at=after(), status=TicketStatus.CANCELLED),
    )
    assert not cancelled_before_go_live(known, after(-2))
    assert cancelled_before_go_live(known, after(-1))
    assert cancelled_before_go_live(known, after(100))


def test_a_change_rolled_back_after_its_go_live_is_not_void() -> None:
    known = ticket(
        version(after(-10), effective_at=after()),
        version(after(0), effective_at=after(), status=TicketStatus.CANCELLED),
    )
    assert not cancelled_before_go_live(known, after(5))


def test_a_change_that_is_taken_up_again_is_not_void() -> None:
    known = ticket(
        version(after(-9), effective_at=after(), status=TicketStatus.CANCELLED),
        version(after(-5), effective_at=after()),
    )
    assert cancelled_before_go_live(known, after(-6))
    assert not cancelled_before_go_live(known, after(-5))


def test_editing_a_cancelled_ticket_does_not_cancel_it_again() -> None:
    known = ticket(
        version(after(-9), effective_at=after(), status=TicketStatus.CANCELLED),
        version(after(5), effective_at=after(), status=TicketStatus.CANCELLED, systems=("SAP",)),
    )
    assert cancelled_at(known, after(6)) == after(-9)
    assert cancelled_before_go_live(known, after(6))
