"""Who is shown which deviation where, and what somebody is told to look at."""

from datetime import datetime, timedelta

import pytest

from sop_server.domain.deviations import DeviationState
from sop_server.domain.findings import FindingKind
from sop_server.errors import (
    GoneError,
    InvalidInputError,
    NotFoundError,
)
from sop_server.services.deviations import register
from sop_server.services.deviations.register import DeviationFilter
from sop_server.services.library.reading import get_sop, list_sops
from sop_server.services.library.searching import Query, search
from sop_server.services.participation.reader_home import reader_home
from sop_server.services.reports.managing import manager_home
from sop_server.services.reports.needs import NeedKind, owner_home
from sop_server.services.stores import Stores
from sop_server.storage import audit
from tests.services.conftest import NOW
from tests.services.deviation_story import DAY, Play, play_in
from tests.services.story import step, text


@pytest.fixture
def play(stores: Stores) -> Play:
    return play_in(stores)


def test_lists_and_search_hits_are_marked_while_it_lasts(play: Play) -> None:
    sop_id = play.sop()
    play.permit(play.propose(sop_id))

    (listed,) = list_sops(play.stores, actor=play.rita, now=play.now).items
    (hit,) = search(play.stores, actor=play.rita, query=Query(text="refunds"), now=play.now).items
    assert [len(listed.deviates), len(hit.sop.deviates)] == [1, 1]

    play.later(days=10)
    (listed,) = list_sops(play.stores, actor=play.rita, now=play.now).items
    assert listed.deviations == ()


def test_a_past_instant_is_answered_by_what_was_recorded_then(play: Play) -> None:
    sop_id = play.sop()
    before = play.now
    play.later(hours=1)
    proposed = play.propose(sop_id, begins_at=play.now + DAY)
    waiting = play.later(hours=1)
    approved = play.permit(proposed)
    upcoming = play.later(hours=1)
    running = play.later(days=2)
    play.later(days=1)
    play.end(approved)
    ended = play.now

    def states(at: datetime) -> list[DeviationState]:
        page = get_sop(play.stores, actor=play.rita, sop_id=sop_id, now=play.now, at=at)
        return [one.state for one in page.summary.deviations]

    assert [states(at) for at in (before, waiting - timedelta(seconds=1), ended)] == [[], [], []]
    assert states(upcoming) == [DeviationState.UPCOMING]
    assert states(running) == [DeviationState.IN_FORCE]


def test_one_that_outlives_its_text_is_shown_and_is_to_be_looked_at_again(play: Play) -> None:
    sop_id = play.sop()
    approved = play.permit(play.propose(sop_id))
    assert play.found() == []

    play.approve(play.draft(text(steps=step(4, "Ask."), extra="audience: [tier1]\n"), sop_id=sop_id))

    (mark,) = get_sop(play.stores, actor=play.rita, sop_id=sop_id, now=play.now).summary.deviates
    assert mark.changed_by == 2
    assert play.found() == [FindingKind.DEVIATION_OF_OLD_TEXT]
    (need,) = [one for one in owner_home(play.stores, actor=play.asha, now=play.now).needs if one.kind == NeedKind.LOOK]
    assert need.href == f"/deviations/{approved.id}"
    play.end(approved)
    assert play.found() == []


def test_a_retired_sop_has_its_deviation_looked_at_and_gets_no_other(play: Play) -> None:
    sop_id = play.sop()
    play.permit(play.propose(sop_id))
    waits = play.propose(sop_id)

    play.approve(play.draft(None, sop_id=sop_id, kind="retire"))

    assert play.found() == [FindingKind.DEVIATION_OF_OLD_TEXT]
    needs = owner_home(play.stores, actor=play.asha, now=play.now).needs
    assert [one.kind for one in needs if one.href == "/deviations/DEV-0001"] == [NeedKind.LOOK]
    with pytest.raises(GoneError):
        play.permit(waits)
    with pytest.raises(GoneError):
        play.propose(sop_id)


def test_there_is_no_extension_and_the_third_in_a_row_is_a_finding(play: Play) -> None:
    sop_id = play.sop()
    first = play.permit(play.propose(sop_id))
    play.later(days=10)
    second = play.permit(play.propose(sop_id, follows=first.id))
    assert (second.follows, second.in_row, play.found()) == (first.id, 2, [])
    play.later(days=12)
    third = play.propose(sop_id)
    assert third.in_row == 3
    play.permit(third)
    assert play.found() == [FindingKind.DEVIATION_REPEATED]

    other = play.sop()
    for follows in ("DEV-9999", "nonsense", first.id):
        with pytest.raises(InvalidInputError):
            play.propose(other, follows=follows)
    with pytest.raises(InvalidInputError):
        play.propose(sop_id, follows=play.propose(sop_id).id)


def test_its_owner_is_told_a_week_before_it_ends(play: Play) -> None:
    sop_id = play.sop()
    play.permit(play.propose(sop_id))
    assert owner_home(play.stores, actor=play.asha, now=play.now).needs == ()

    play.later(days=3)

    assert [one.kind for one in owner_home(play.stores, actor=play.asha, now=play.now).needs] == [NeedKind.LOOK]
    assert play.found() == [FindingKind.DEVIATION_ENDS]
    play.draft(text(steps=step(4, "Ask.")), sop_id=sop_id, submitted=False)
    assert play.found() == []


def test_who_may_decide_is_asked_in_the_order_in_which_they_begin(play: Play) -> None:
    sop_id = play.sop()
    later = play.propose(sop_id, begins_at=play.now + 5 * DAY)
    sooner = play.propose(sop_id, begins_at=play.now + 2 * DAY, by="bela")

    def asked(name: str) -> list[str]:
        found = owner_home(play.stores, actor=play.people[name], now=play.now).needs
        return [one.href.rpartition("/")[2] for one in found if one.kind == NeedKind.DECIDE]

    assert asked("ben") == [sooner.id, later.id]
    assert asked("bela") == [later.id], "their own waits for somebody else"
    assert asked("asha") == asked("cora") == []


def test_proposals_are_seen_by_those_who_see_drafts_and_the_rest_by_readers(play: Play) -> None:
    sop_id = play.sop()
    approved, waits = play.permit(play.propose(sop_id)), play.propose(sop_id)
    refused = play.refuse(play.propose(sop_id))

    assert play.listed("asha") == [refused.id, waits.id, approved.id]
    assert play.listed("rita") == play.listed("mia") == [approved.id]
    assert play.listed("rita", state="proposed") == play.listed("cora") == []
    with pytest.raises(NotFoundError):
        play.see(waits, by="rita")
    with pytest.raises(NotFoundError):
        play.see(approved, by="cora")
    with pytest.raises(NotFoundError):
        play.listed("cora", sop_id=sop_id)
    assert play.listed("asha", state="in_force", department="payments", sop_id=sop_id) == [approved.id]
    assert play.listed("asha", department="customer-care") == []
    with pytest.raises(InvalidInputError):
        play.listed("asha", state="open")


def test_a_long_register_is_read_in_parts(play: Play) -> None:
    sop_id = play.sop()
    ids = [play.permit(play.propose(sop_id)).id for _ in range(5)][::-1]
    found, cursor = [], None
    while True:
        page = register.list_deviations(
            play.stores, actor=play.rita, now=play.now, wanted=DeviationFilter(), limit=2, cursor=cursor
        )
        found += [one.id for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == ids
    every = register.every_deviation(play.stores, actor=play.rita, now=play.now, wanted=DeviationFilter())
    assert [one.id for one in every] == ids


def test_readers_are_told_on_their_first_page_of_what_holds_for_them(play: Play) -> None:
    sop_id = play.sop()
    play.permit(play.propose(sop_id, instead="All may."))
    play.permit(play.propose(sop_id, instead="Tier 1 may.", teams=["tier1"]))

    def told(name: str) -> list[str]:
        found = reader_home(play.stores, actor=play.people[name], now=play.now).otherwise
        return sorted(one.deviation.instead for one in found)

    assert told("tia") == ["All may.", "Tier 1 may."]
    assert told("tom") == ["All may."]
    assert told("rita") == told("cora") == []
    play.later(days=10)
    assert told("tia") == []


def test_the_figures_are_those_of_what_may_be_read(play: Play) -> None:
    play.permit(play.propose(play.sop()))
    play.later(days=4)

    def figures(name: str) -> tuple[int, int]:
        found = register.deviation_figures(play.stores, actor=play.people[name], now=play.now)
        return found.in_force, found.total_days

    assert figures("rita") == (1, 4)
    assert figures("cora") == (0, 0)
    home = manager_home(play.stores, actor=play.mia, now=play.now)
    assert (home.deviations.in_force, home.deviations.oldest, home.deviations.total_days) == (1, NOW, 4)


def test_the_audit_trail_tells_what_was_approved_and_not_why(play: Play) -> None:
    approved = play.permit(play.propose(play.sop(), why="Mrs Smith is away."))
    with play.stores.database.read() as session:
        events = [*audit.events(session, action="deviation.")]
    assert events[0].details["content_hash"] == approved.content_hash
    assert {one.subject for one in events} == {approved.sop_id}
    assert "Smith" not in str([one.details for one in events])
