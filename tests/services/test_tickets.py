import threading
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import System
from sop_server.domain.golive import GoLiveSource
from sop_server.domain.obligations import ObligationState
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.changes.tickets import (
    Outcome,
    change_ticket,
    confirm_go_live,
    get_ticket,
    list_sources,
    list_tickets,
    upsert_ticket,
)
from sop_server.services.stores import Stores
from sop_server.storage import audit, tickets
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
JIRA = System("jira")


def keep(stores: Stores, actor: Actor | System, key: str = "CHG-1", now: datetime = NOW, **said: object) -> TicketView:
    given = TicketInput(**{"title": "New refund limit", **said})  # type: ignore[arg-type]
    return upsert_ticket(stores, actor=actor, now=now, source="jira", key=key, given=given).ticket


def states(ticket: TicketView) -> dict[str | None, ObligationState]:
    return {one.sop_id: one.state for one in ticket.obligations}


def test_a_ticket_without_sops_is_one_triage_obligation(stores: Stores, cast: Cast) -> None:
    ticket = keep(stores, cast.editor)

    assert ticket.id == "TKT-0001"
    assert (ticket.status, ticket.t0, ticket.t0_source) == ("planned", NOW, GoLiveSource.CREATED)
    (triage,) = ticket.obligations
    assert triage.id == "OBL-0001"
    assert (triage.sop_id, triage.state, triage.due_at) == (None, "pending", NOW + 48 * HOUR)
    assert ticket.sops == ()


def test_named_sops_become_obligations_at_once(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002")

    ticket = keep(stores, cast.editor, sops=["sop-0002", "SOP-0001", "SOP-0001"], effective_at=NOW + HOUR)

    assert ticket.sops == ("SOP-0001", "SOP-0002")
    assert states(ticket) == {"SOP-0001": "upcoming", "SOP-0002": "upcoming"}
    assert ticket.replaced is None
    assert {one.ticket_label for one in ticket.obligations} == {"jira:CHG-1"}


def test_naming_sops_later_replaces_the_triage_from_then_on(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    keep(stores, cast.editor)

    ticket = keep(stores, cast.editor, now=NOW + 5 * HOUR, sops=["SOP-0001"])

    assert states(ticket) == {"SOP-0001": "pending"}
    assert ticket.replaced is not None
    assert not ticket.replaced.counted
    assert ticket.obligations[0].t0 == NOW, "naming does not move the clock"


def test_saying_it_again_changes_nothing_and_takes_no_sop_away(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002")
    given = TicketInput(title="T", sops=["SOP-0001"])
    first = upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="A", given=given)
    same = upsert_ticket(stores, actor=cast.editor, now=NOW + HOUR, source="jira", key="A", given=given)
    more = upsert_ticket(
        stores,
        actor=cast.editor,
        now=NOW + HOUR,
        source="jira",
        key="A",
        given=TicketInput(title="T", sops=["SOP-0002"]),
    )

    assert [kept.outcome for kept in (first, same, more)] == [Outcome.CREATED, Outcome.UNCHANGED, Outcome.UPDATED]
    assert more.ticket.id == first.ticket.id
    assert more.ticket.sops == ("SOP-0001", "SOP-0002")
    assert len(more.ticket.versions) == 1


def test_an_absent_field_keeps_its_value_and_none_clears_it(stores: Stores, cast: Cast) -> None:
    keep(stores, cast.editor, effective_at=NOW + HOUR, systems=["SAP", " SAP ", ""], url="https://jira.example.com/1")
    kept = keep(stores, cast.editor, now=NOW + HOUR, status="done")
    cleared = keep(stores, cast.editor, now=NOW + 2 * HOUR, effective_at=None, url=None, systems=None)

    assert (kept.effective_at, kept.systems, kept.url) == (NOW + HOUR, ("SAP",), "https://jira.example.com/1")
    assert (cleared.effective_at, cleared.systems, cleared.url) == (None, (), None)
    assert cleared.status == "done"
    assert [version.status for version in cleared.versions] == ["planned", "done", "done"]
    assert [version.recorded_by for version in cleared.versions] == ["Asha"] * 3


def test_every_wrong_field_is_named_and_nothing_is_stored(stores: Stores, cast: Cast) -> None:
    with pytest.raises(InvalidInputError) as refused:
        keep(
            stores,
            cast.editor,
            title=" ",
            status="maybe",
            effective_at=datetime(9999, 12, 31, tzinfo=UTC),
            planned_end=datetime(1970, 1, 1, tzinfo=UTC),
            url="javascript:alert(1)",
            processes=["PROC"],
        )

    assert set(refused.value.fields) == {"title", "status", "effective_at", "planned_end", "url", "processes"}
    assert list_tickets(stores, actor=cast.editor, now=NOW).items == ()


@pytest.mark.parametrize(("source", "key"), [("", "A"), ("ji ra", "A"), ("a:b", "A"), ("jira", " "), ("jira", "A\nB")])
def test_a_reference_that_nobody_could_write_down_is_refused(stores: Stores, cast: Cast, source: str, key: str) -> None:
    with pytest.raises(InvalidInputError):
        upsert_ticket(stores, actor=cast.editor, now=NOW, source=source, key=key, given=TicketInput(title="T"))


def test_unknown_and_retired_sops_are_named(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002", at=NOW - 2 * HOUR)
    publish("SOP-0002", at=NOW - HOUR, kind="retire")

    with pytest.raises(InvalidInputError, match="no SOP SOP-0099"):
        keep(stores, cast.editor, sops=["SOP-0001", "SOP-0099"])
    with pytest.raises(InvalidInputError, match="SOP-0002 is retired"):
        keep(stores, cast.editor, sops=["SOP-0001", "SOP-0002"])
    with pytest.raises(InvalidInputError, match="not a SOP"):
        keep(stores, cast.editor, sops=["not a SOP"])
    assert list_tickets(stores, actor=cast.editor, now=NOW).items == ()


def test_an_unknown_process_is_named(stores: Stores, cast: Cast) -> None:
    with pytest.raises(InvalidInputError, match="PROC-077"):
        keep(stores, cast.editor, processes=["proc-077"])


def test_a_sop_that_retired_after_it_was_named_hinders_nothing(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - HOUR)
    keep(stores, cast.editor, sops=["SOP-0001"])
    publish("SOP-0001", at=NOW + HOUR, kind="retire", tickets=(1,))

    ticket = keep(stores, cast.editor, now=NOW + 2 * HOUR, sops=["SOP-0001"], status="done")

    assert states(ticket) == {"SOP-0001": "met"}


def test_who_may_register_tickets(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", department="payments")
    publish("SOP-0002", department="customer-care")
    publish("SOP-0003", department=None)

    assert keep(stores, cast.manager, "M", sops=["SOP-0001", "SOP-0002", "SOP-0003"]).id == "TKT-0001"
    assert keep(stores, cast.editor, "E", sops=["SOP-0001"]).id == "TKT-0002"
    for actor in (cast.reader, cast.approver, cast.admin, cast.nobody):
        with pytest.raises(ForbiddenError):
            keep(stores, actor, "X")
    with pytest.raises(InvalidInputError, match="no SOP SOP-0002"):
        keep(stores, cast.editor, "X", sops=["SOP-0001", "SOP-0002"])
    with pytest.raises(InvalidInputError, match="no SOP SOP-0003"):
        keep(stores, cast.editor, "X", sops=["SOP-0003"])


def test_an_editor_of_another_department_does_not_move_the_clock(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", department="payments")
    publish("SOP-0002", department="customer-care")
    keep(stores, cast.editor, sops=["SOP-0001"])

    with pytest.raises(ForbiddenError):
        keep(stores, cast.care_editor, effective_at=NOW + 9 * HOUR)
    with pytest.raises(ForbiddenError):
        keep(stores, cast.care_editor, status="never heard of")
    both = keep(stores, cast.care_editor, sops=["SOP-0002"])
    assert states(both) == {"SOP-0002": "pending"}, "and what they may not read is not shown to them"
    assert states(get_ticket(stores, actor=cast.manager, now=NOW, ticket_id="TKT-0001")).keys() == {
        "SOP-0001",
        "SOP-0002",
    }


def test_the_clock_stops_with_the_revision_in_force(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - HOUR)
    publish("SOP-0002", at=NOW - HOUR)
    keep(stores, cast.editor, sops=["SOP-0001", "SOP-0002"])
    publish("SOP-0001", at=NOW + 10 * HOUR, tickets=(1,))
    publish("SOP-0002", at=NOW + 50 * HOUR, tickets=(1,))

    early = get_ticket(stores, actor=cast.editor, now=NOW + 20 * HOUR, ticket_id="TKT-0001")
    late = get_ticket(stores, actor=cast.editor, now=NOW + 60 * HOUR, ticket_id="jira:CHG-1")

    assert states(early) == {"SOP-0001": "met", "SOP-0002": "pending"}
    assert states(late) == {"SOP-0001": "met", "SOP-0002": "late"}
    assert [one.exposure_hours for one in late.obligations] == [10.0, 50.0]
    assert [one.stopped_at for one in late.obligations] == [NOW + 10 * HOUR, NOW + 50 * HOUR]


def test_a_confirmed_go_live_goes_before_what_the_source_says(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    keep(stores, JIRA, sops=["SOP-0001"], effective_at=NOW)
    said_at = NOW + timedelta(minutes=5)
    confirm_go_live(
        stores, actor=cast.editor, now=said_at, ticket_id="TKT-0001", t0=NOW + 3 * HOUR, reason="Call with IT"
    )
    ticket = keep(stores, JIRA, now=NOW + HOUR, effective_at=NOW + 9 * HOUR)

    assert (ticket.t0, ticket.t0_source) == (NOW + 3 * HOUR, GoLiveSource.CONFIRMED)
    assert [(one.recorded_at, one.source, one.t0, one.by, one.reason) for one in ticket.history] == [
        (NOW, "stated", NOW, None, None),
        (said_at, "confirmed", NOW + 3 * HOUR, "Asha", "Call with IT"),
    ]


def test_a_go_live_needs_a_reason_and_a_possible_instant(stores: Stores, cast: Cast) -> None:
    keep(stores, cast.editor)

    for t0, reason in ((NOW, " "), (datetime(9999, 1, 1, tzinfo=UTC), "why not")):
        with pytest.raises(InvalidInputError):
            confirm_go_live(stores, actor=cast.editor, now=NOW, ticket_id="TKT-0001", t0=t0, reason=reason)
    with pytest.raises(ForbiddenError):
        confirm_go_live(stores, actor=cast.approver, now=NOW, ticket_id="TKT-0001", t0=NOW, reason="Because")
    with pytest.raises(NotFoundError):
        confirm_go_live(stores, actor=cast.editor, now=NOW, ticket_id="TKT-0009", t0=NOW, reason="Because")


@pytest.mark.parametrize("closed_late", [False, True])
def test_after_a_breach_only_a_manager_moves_the_go_live_later(
    stores: Stores, cast: Cast, publish: Publish, *, closed_late: bool
) -> None:
    publish("SOP-0001", at=NOW - HOUR)
    keep(stores, cast.editor, sops=["SOP-0001"])
    if closed_late:
        publish("SOP-0001", at=NOW + 60 * HOUR, tickets=(1,))
    after = NOW + 70 * HOUR

    with pytest.raises(ForbiddenError, match="move a go-live later"):
        confirm_go_live(
            stores, actor=cast.editor, now=after, ticket_id="TKT-0001", t0=NOW + 30 * HOUR, reason="It slipped"
        )
    with pytest.raises(ForbiddenError, match="move a go-live later"):
        keep(stores, cast.editor, now=after, effective_at=NOW + 30 * HOUR)
    unchanged = get_ticket(stores, actor=cast.editor, now=after, ticket_id="TKT-0001")
    assert (unchanged.t0, len(unchanged.versions), len(unchanged.history)) == (NOW, 1, 1)

    earlier = keep(stores, cast.editor, now=after, effective_at=NOW - HOUR)
    assert earlier.t0 == NOW - HOUR, "earlier is anybody's to say"
    moved = confirm_go_live(
        stores, actor=cast.manager, now=after, ticket_id="TKT-0001", t0=NOW + 30 * HOUR, reason="It slipped"
    )
    assert moved.t0 == NOW + 30 * HOUR
    with stores.database.read() as session:
        (move,) = audit.events(session, action=tickets.MOVED_AFTER_BREACH)
    assert move.subject == "TKT-0001"
    assert move.details["by_person"] is True


def test_before_a_breach_an_editor_moves_the_go_live(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    keep(stores, cast.editor, sops=["SOP-0001"])

    moved = keep(stores, cast.editor, now=NOW + 47 * HOUR, effective_at=NOW + 40 * HOUR)

    assert moved.obligations[0].state == "pending"
    assert [one.source for one in moved.history] == ["created", "stated"]


def test_a_source_always_applies_and_its_late_move_leaves_a_trace(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    keep(stores, JIRA, sops=["SOP-0001"], effective_at=NOW)
    moved = keep(stores, JIRA, now=NOW + 70 * HOUR, effective_at=NOW + 60 * HOUR)

    assert (moved.t0, moved.obligations[0].state) == (NOW + 60 * HOUR, "pending")
    with stores.database.read() as session:
        (move,) = audit.events(session, action=tickets.MOVED_AFTER_BREACH)
        actors = {event.actor for event in audit.events(session, subject="TKT-0001")}
    assert move.details == {"from": "2026-03-02T09:00:00Z", "to": "2026-03-04T21:00:00Z", "by_person": False}
    assert actors == {"jira"}


def test_a_change_cancelled_before_it_went_live_obliges_to_nothing(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001")
    keep(stores, cast.editor, sops=["SOP-0001"], effective_at=NOW + 5 * HOUR)

    assert states(keep(stores, cast.editor, now=NOW + HOUR, status="cancelled")) == {"SOP-0001": "void"}
    assert states(keep(stores, cast.editor, now=NOW + 2 * HOUR, status="planned")) == {"SOP-0001": "upcoming"}
    assert states(keep(stores, cast.editor, now=NOW + 6 * HOUR, status="cancelled")) == {"SOP-0001": "pending"}


def test_a_ticket_of_departments_that_one_may_not_read_does_not_exist(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", department="payments")
    keep(stores, cast.editor, sops=["SOP-0001"])
    keep(stores, cast.editor, "CHG-2")

    with pytest.raises(NotFoundError):
        get_ticket(stores, actor=cast.care_editor, now=NOW, ticket_id="TKT-0001")
    with pytest.raises(NotFoundError):
        change_ticket(stores, actor=cast.care_editor, now=NOW, ticket_id="TKT-0001", given=TicketInput(status="done"))
    listed = list_tickets(stores, actor=cast.care_editor, now=NOW).items
    assert [ticket.id for ticket in listed] == ["TKT-0002"], "what nobody triaged yet is everybody's"
    for actor in (cast.reader, cast.admin):
        with pytest.raises(ForbiddenError):
            list_tickets(stores, actor=actor, now=NOW)


def test_tickets_are_listed_newest_first_and_filtered(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    for number in range(5):
        keep(stores, cast.editor, f"CHG-{number}", title=f"Change {number}")
    keep(stores, cast.editor, "CHG-3", status="done", sops=["SOP-0001"])
    upsert_ticket(stores, actor=cast.editor, now=NOW, source="manual", key="50%", given=TicketInput(title="Rates_1"))

    def ids(**wanted: object) -> list[str]:
        return [one.key for one in list_tickets(stores, actor=cast.editor, now=NOW, **wanted).items]  # type: ignore[arg-type]

    assert ids() == ["50%", "CHG-4", "CHG-3", "CHG-2", "CHG-1", "CHG-0"]
    assert ids(source="manual") == ["50%"]
    assert ids(statuses=["done"]) == ["CHG-3"]
    assert ids(words="CHANGE 3") == []
    assert ids(words="hange 2") == ["CHG-2"]
    assert ids(words="%") == ["50%"]
    assert ids(words="_") == ["50%"]
    assert ids(sop_id="SOP-0001") == ["CHG-3"]
    assert ids(states=["met"]) == []
    assert list_sources(stores, actor=cast.editor, now=NOW) == ("jira", "manual")
    with pytest.raises(InvalidInputError):
        ids(states=["open"])
    first = list_tickets(stores, actor=cast.editor, now=NOW, limit=4)
    second = list_tickets(stores, actor=cast.editor, now=NOW, limit=4, cursor=first.next)
    assert [one.key for one in (*first.items, *second.items)] == ids()
    assert second.next is None


def test_a_page_of_one_state_is_filled_from_further_back(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - HOUR)
    for number in range(4):
        keep(stores, cast.editor, f"CHG-{number}", sops=["SOP-0001"])
    publish("SOP-0001", at=NOW + HOUR, tickets=(2, 4))
    later = NOW + 2 * HOUR

    first = list_tickets(stores, actor=cast.editor, now=later, states=["pending"], limit=1)
    second = list_tickets(stores, actor=cast.editor, now=later, states=["pending"], limit=1, cursor=first.next)

    met = list_tickets(stores, actor=cast.editor, now=later, states=["met", "late"])
    assert [one.id for one in met.items] == ["TKT-0004", "TKT-0002"]
    assert [one.id for one in (*first.items, *second.items)] == ["TKT-0003", "TKT-0001"]
    assert second.next is None


def test_two_who_register_the_same_change_at_once_make_one_ticket(stores: Stores, cast: Cast) -> None:
    start = threading.Barrier(6)
    outcomes: list[Outcome] = []

    def register() -> None:
        start.wait()
        outcomes.append(
            upsert_ticket(
                stores, actor=JIRA, now=NOW, source="jira", key="CHG-1", given=TicketInput(title="Same change")
            ).outcome
        )

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["created", *["unchanged"] * 5]
    assert len(list_tickets(stores, actor=cast.editor, now=NOW).items) == 1


def test_what_is_new_is_newest_even_by_a_clock_that_runs_behind(stores: Stores, cast: Cast) -> None:
    keep(stores, cast.editor, title="First")

    assert keep(stores, cast.editor, now=NOW - HOUR, title="Second").title == "Second"
