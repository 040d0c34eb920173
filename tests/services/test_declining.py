from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.facts import Facts
from sop_server.domain.permissions import Actor
from sop_server.domain.snapshot import known_by
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.changes.obligation_views import ObligationView
from sop_server.services.changes.obligations import (
    confirm_not_needed,
    decline_not_needed,
    get_obligation,
    obligations_of_sop,
    open_obligations,
    propose_not_needed,
)
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.reports.reporting import ReportRequest, window_report
from sop_server.services.stores import Stores
from sop_server.storage import audit, facts
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def owed(stores: Stores, cast: Cast, publish: Publish) -> str:
    """An obligation of payments, proposed as not needed by its editor."""
    publish("SOP-0001")
    given = TicketInput(title="New limit", sops=["SOP-0001"], effective_at=NOW)
    kept = upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-1", given=given)
    propose(stores, cast.editor, NOW + HOUR)
    return kept.ticket.obligations[0].id


def propose(stores: Stores, actor: Actor, now: datetime, reason: str = "A button moved.") -> ObligationView:
    return propose_not_needed(stores, actor=actor, now=now, obligation_id="OBL-0001", reason=reason)


def decline(stores: Stores, actor: Actor, now: datetime, reason: str = "Step 3 names it.") -> ObligationView:
    return decline_not_needed(stores, actor=actor, now=now, obligation_id="OBL-0001", reason=reason)


def test_a_declined_proposal_leaves_the_obligation_open_and_stays_in_its_history(
    stores: Stores, cast: Cast, owed: str
) -> None:
    declined = decline(stores, cast.approver, NOW + 2 * HOUR)

    assert (declined.id, declined.state, declined.not_needed) == (owed, "pending", None)
    (said,) = declined.declined
    assert (said.reason, said.proposed_by, said.proposed_at) == ("A button moved.", "asha@example.com", NOW + HOUR)
    assert (said.declined_by_name, said.declined_at) == ("Ben", NOW + 2 * HOUR)
    assert said.declined_because == "Step 3 names it."
    with stores.database.read() as session:
        newest = max(audit.events(session, subject="TKT-0001"), key=lambda event: event.id)
    assert (newest.action, newest.actor) == ("obligation.not_needed_declined", "ben@example.com")
    assert newest.details["reason"] == "Step 3 names it."


def test_after_a_refusal_it_may_be_proposed_again_and_confirmed(stores: Stores, cast: Cast, owed: str) -> None:
    decline(stores, cast.approver, NOW + 2 * HOUR)
    propose(stores, cast.editor, NOW + 3 * HOUR, "Step 3 is gone.")
    decline(stores, cast.manager, NOW + 4 * HOUR, "It is back.")
    again = propose(stores, cast.manager, NOW + 5 * HOUR, "Now it is gone.")

    assert [one.reason for one in again.declined] == ["A button moved.", "Step 3 is gone."]
    assert again.not_needed is not None
    assert again.not_needed.reason == "Now it is gone."
    with pytest.raises(ConflictError, match="proposed this already"):
        propose(stores, cast.editor, NOW + 6 * HOUR)
    done = confirm_not_needed(stores, actor=cast.approver, now=NOW + 7 * HOUR, obligation_id=owed)
    assert (done.state, done.stopped_at) == ("not_needed", NOW + 7 * HOUR)
    assert len(done.declined) == 2
    assert open_obligations(stores, actor=cast.manager, now=NOW + 8 * HOUR) == ()
    seen = obligations_of_sop(stores, actor=cast.reader, now=NOW + 8 * HOUR, sop_id="SOP-0001")
    assert [one.state for one in seen] == ["not_needed"], "one obligation, however often it was proposed"


def test_who_may_decline_and_what(stores: Stores, cast: Cast, publish: Publish, owed: str) -> None:
    for actor in (cast.reader, cast.admin, cast.editor):
        with pytest.raises(ForbiddenError):
            decline(stores, actor, NOW + HOUR)
    with pytest.raises(NotFoundError):
        decline_not_needed(
            stores, actor=cast.approver, now=NOW + HOUR, obligation_id="OBL-0404", reason="It does not exist."
        )
    for reason in (" ", "x" * 2001):
        with pytest.raises(InvalidInputError):
            decline(stores, cast.approver, NOW + HOUR, reason)
    decline(stores, cast.approver, NOW + HOUR)
    for decide in (decline, lambda *_: confirm_not_needed(stores, actor=cast.approver, now=NOW, obligation_id=owed)):
        with pytest.raises(ConflictError, match="Nobody has proposed"):
            decide(stores, cast.approver, NOW + HOUR)
    propose(stores, cast.manager, NOW + HOUR)
    with pytest.raises(ForbiddenError, match="a second person has to decline it"):
        decline(stores, cast.manager, NOW + HOUR)
    publish("SOP-0001", at=NOW + 2 * HOUR, tickets=(1,))
    with pytest.raises(ConflictError, match="met in time"):
        decline(stores, cast.approver, NOW + 3 * HOUR)


def test_the_past_is_what_it_was_before_the_refusal(stores: Stores, cast: Cast, owed: str) -> None:
    then = [NOW + timedelta(minutes=minutes) for minutes in (30, 90, 150, 210, 270)]

    def snapshots() -> list[Facts]:
        with stores.database.read() as session:
            return [facts.load_facts(session, at) for at in then]

    def told() -> list[object]:
        return [
            window_report(stores, actor=OPERATOR, request=ReportRequest(at=at), now=NOW + 9 * HOUR).body for at in then
        ]

    decline(stores, cast.approver, NOW + 2 * HOUR)
    propose(stores, cast.editor, NOW + 3 * HOUR, "Step 3 is gone.")
    before, reported = snapshots()[:4], told()[:4]
    confirm_not_needed(stores, actor=cast.approver, now=NOW + 4 * HOUR, obligation_id=owed)

    assert snapshots()[:4] == before
    assert told()[:4] == reported
    assert [known_by(snapshots()[-1], at) for at in then] == snapshots()
    with stores.database.read() as session:
        whole = facts.load_facts(session, then[-1]).obligations
        assert facts.load_facts_of(session, then[-1], ["SOP-0001"]).obligations == whole
    waiting = [
        get_obligation(stores, actor=cast.editor, now=at, obligation_id=owed).not_needed is not None for at in then
    ]
    assert waiting == [False, True, False, True, True]
