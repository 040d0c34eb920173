"""Deviations on PostgreSQL: decided once, however many decide at the same instant, and read as of an instant."""

import threading
from datetime import timedelta

from sop_server.domain.deviations import DeviationInput, DeviationState
from sop_server.domain.permissions import Actor
from sop_server.errors import ConflictError, SopError
from sop_server.services.deviations.deciding import approve_deviation, end_deviation, refuse_deviation
from sop_server.services.deviations.deviation_views import DeviationView
from sop_server.services.deviations.proposing import edit_deviation, propose_deviation
from sop_server.services.deviations.register import get_deviation
from sop_server.services.library.reading import get_sop
from sop_server.services.stores import Stores
from sop_server.storage import audit, deviations
from tests.storage.postgresql.play import NOW, approved, at_once, person, submitted

GIVEN = DeviationInput(instead="Ask first.", why="SAP is down.", ends_at=NOW + timedelta(days=10), teams=["tier1"])


def proposed(stores: Stores, editor: Actor, approver: Actor) -> DeviationView:
    sop_id = approved(stores, approver, submitted(stores, editor)).sop_id
    return propose_deviation(stores, actor=editor, now=NOW, sop_id=sop_id, given=GIVEN)


def test_of_those_who_decide_at_the_same_instant_one_does(stores: Stores, editor: Actor, approver: Actor) -> None:
    one, second = proposed(stores, editor, approver), person(stores, "bob", "approver")

    outcomes = at_once(
        lambda: approve_deviation(stores, actor=approver, now=NOW, deviation_id=one.id, content_hash=one.content_hash),
        lambda: approve_deviation(stores, actor=second, now=NOW, deviation_id=one.id, content_hash=one.content_hash),
        lambda: refuse_deviation(stores, actor=second, now=NOW, deviation_id=one.id, reason="No."),
    )

    assert sum(isinstance(outcome, DeviationView) for outcome in outcomes) == 1
    assert all(isinstance(outcome, ConflictError) for outcome in outcomes if isinstance(outcome, SopError))
    with stores.database.read() as session:
        decided = [event.action for event in audit.events(session, action="deviation.")]
    assert len(decided) == 2


def test_an_edit_at_the_same_instant_is_approved_by_nobody_unread(
    stores: Stores, editor: Actor, approver: Actor
) -> None:
    one = proposed(stores, editor, approver)
    other = DeviationInput(instead="Ask nobody.", why="SAP is down.", ends_at=GIVEN.ends_at)

    at_once(
        lambda: approve_deviation(stores, actor=approver, now=NOW, deviation_id=one.id, content_hash=one.content_hash),
        lambda: edit_deviation(
            stores, actor=editor, now=NOW, deviation_id=one.id, content_hash=one.content_hash, given=other
        ),
    )

    found = get_deviation(stores, actor=approver, now=NOW, deviation_id=one.id)
    assert (found.state, found.instead) in {
        (DeviationState.IN_FORCE, "Ask first."),
        (DeviationState.PROPOSED, "Ask nobody."),
    }


def test_who_reads_one_does_not_wait_for_who_decides_on_it(stores: Stores, editor: Actor, approver: Actor) -> None:
    one, seen = proposed(stores, editor, approver), []
    reader = threading.Thread(
        target=lambda: seen.append(get_deviation(stores, actor=editor, now=NOW, deviation_id=one.id)), daemon=True
    )

    with stores.database.write() as session:
        deviations.deviation_row(session, 1)
        reader.start()
        reader.join(timeout=20)
        waited = reader.is_alive()
    reader.join()

    assert not waited
    assert seen == [one]


def test_a_past_instant_is_answered_by_what_was_recorded_then(stores: Stores, editor: Actor, approver: Actor) -> None:
    one, later = proposed(stores, editor, approver), NOW + timedelta(days=2)
    approve_deviation(stores, actor=approver, now=NOW, deviation_id=one.id, content_hash=one.content_hash)
    end_deviation(stores, actor=editor, now=later, deviation_id=one.id, reason="SAP is back.")

    for at, states in ((NOW + timedelta(days=1), [DeviationState.IN_FORCE]), (later, [])):
        page = get_sop(stores, actor=editor, sop_id=one.sop_id, now=later, at=at)
        assert [mark.state for mark in page.summary.deviations] == states
