import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.changes.obligations import (
    confirm_not_needed,
    get_obligation,
    name_sops,
    obligations_of_sop,
    obligations_of_ticket,
    open_obligations,
    propose_not_needed,
)
from sop_server.services.changes.tickets import get_ticket, list_tickets, upsert_ticket
from sop_server.services.stores import Stores
from sop_server.storage import ticket_references
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHY = "Only the wording of a button changed."


def ticket(stores: Stores, actor: Actor, *sops: str, key: str = "CHG-1", t0: datetime = NOW) -> str:
    given = TicketInput(title="New limit", sops=sops, effective_at=t0)
    return upsert_ticket(stores, actor=actor, now=NOW, source="jira", key=key, given=given).ticket.id


def propose(stores: Stores, actor: Actor, number: int = 1, now: datetime = NOW) -> str:
    return propose_not_needed(stores, actor=actor, now=now, obligation_id=f"OBL-{number:04d}", reason=WHY).state


def confirm(stores: Stores, actor: Actor, number: int = 1, now: datetime = NOW) -> str:
    return confirm_not_needed(stores, actor=actor, now=now, obligation_id=f"OBL-{number:04d}").state


def test_two_people_within_the_window_make_it_not_needed(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor, "SOP-0001")

    assert propose(stores, cast.editor) == "pending", "one person alone stops no clock"
    assert confirm(stores, cast.approver, now=NOW + 40 * HOUR) == "not_needed"
    seen = get_obligation(stores, actor=cast.manager, now=NOW + 90 * HOUR, obligation_id="OBL-0001")
    assert seen.state == "not_needed"
    assert seen.exposure_hours is None
    assert seen.not_needed is not None
    assert (seen.not_needed.proposed_by, seen.not_needed.confirmed_by_name) == ("asha@example.com", "Ben")
    assert seen.not_needed.reason == WHY


def test_unconfirmed_when_due_it_is_breached_and_confirmed_after_it_late(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor, "SOP-0001")
    propose(stores, cast.editor)

    breached = get_obligation(stores, actor=cast.editor, now=NOW + 49 * HOUR, obligation_id="OBL-0001")
    assert breached.state == "breached"
    assert confirm(stores, cast.approver, now=NOW + 60 * HOUR) == "late"
    late = get_obligation(stores, actor=cast.editor, now=NOW + 99 * HOUR, obligation_id="OBL-0001")
    assert (late.stopped_at, late.exposure_hours) == (NOW + 60 * HOUR, 60.0)


def test_nobody_confirms_their_own_proposal(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor, "SOP-0001")
    propose(stores, cast.manager)

    with pytest.raises(ForbiddenError, match="yourself"):
        confirm(stores, cast.manager)
    assert confirm(stores, cast.other_manager) == "not_needed"


def test_who_may_propose_and_who_may_confirm(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor, "SOP-0001")

    for actor in (cast.reader, cast.approver, cast.admin):
        with pytest.raises(ForbiddenError):
            propose(stores, actor)
    with pytest.raises(NotFoundError):
        propose(stores, cast.care_editor)
    propose(stores, cast.editor)
    for actor in (cast.reader, cast.editor, cast.admin, cast.care_editor):
        with pytest.raises((ForbiddenError, NotFoundError)):
            confirm(stores, actor)


def test_a_triage_may_be_not_needed_too(stores: Stores, cast: Cast) -> None:
    ticket(stores, cast.editor)
    propose(stores, cast.care_editor)

    with pytest.raises(ForbiddenError, match="for all departments"):
        confirm(stores, cast.approver)
    assert confirm(stores, cast.manager) == "not_needed"


def test_what_cannot_be_proposed_or_confirmed_says_why(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", at=NOW - HOUR)
    number = ticket(stores, cast.editor, "SOP-0001")

    for reason in ("  ", "\ud800", "x" * 2001, "Paid by 4111 1111 1111 1111"):
        with pytest.raises(InvalidInputError):
            propose_not_needed(stores, actor=cast.editor, now=NOW, obligation_id="OBL-0001", reason=reason)
    with pytest.raises(ConflictError, match="Nobody has proposed"):
        confirm(stores, cast.approver)
    for obligation_id in ("OBL-0099", "OBL-1", "1", "../x"):
        with pytest.raises(NotFoundError):
            propose_not_needed(stores, actor=cast.editor, now=NOW, obligation_id=obligation_id, reason=WHY)
    propose(stores, cast.editor)
    with pytest.raises(ConflictError, match="Asha proposed this already"):
        propose(stores, cast.manager)

    publish("SOP-0001", at=NOW + HOUR, tickets=(1,))
    with pytest.raises(ConflictError, match="met in time"):
        confirm(stores, cast.approver, now=NOW + 2 * HOUR)
    assert number == "TKT-0001"


def test_a_triage_that_was_replaced_is_closed(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor)
    propose(stores, cast.editor)
    name_sops(stores, actor=cast.editor, now=NOW, ticket_id="TKT-0001", sop_ids=["SOP-0001"])

    with pytest.raises(ConflictError, match="took the place"):
        confirm(stores, cast.approver)


def test_triage_is_naming_sops(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor)

    with pytest.raises(InvalidInputError):
        name_sops(stores, actor=cast.editor, now=NOW, ticket_id="TKT-0001", sop_ids=[])
    named = name_sops(stores, actor=cast.editor, now=NOW, ticket_id="jira:CHG-1", sop_ids=["SOP-0001"])
    assert [one.sop_id for one in named.obligations] == ["SOP-0001"]
    assert obligations_of_ticket(stores, actor=cast.editor, now=NOW, ticket_id="TKT-0001") == named.obligations
    for actor in (cast.reader, cast.approver, cast.admin):
        with pytest.raises(ForbiddenError):
            name_sops(stores, actor=actor, now=NOW, ticket_id="TKT-0001", sop_ids=["SOP-0001"])


def test_a_revision_of_an_unnamed_sop_adds_its_obligation_and_ends_no_triage(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", at=NOW - HOUR)
    ticket(stores, cast.editor)
    publish("SOP-0001", at=NOW + HOUR, tickets=(1,))
    with stores.database.write() as session:
        ticket_references.add_obligations_of_revision(
            session, sop_id="SOP-0001", ticket_ids=[1], window_hours=48, recorded_at=NOW + HOUR
        )

    found = obligations_of_ticket(stores, actor=cast.editor, now=NOW + 2 * HOUR, ticket_id="TKT-0001")
    assert [(one.sop_id, one.state) for one in found] == [(None, "pending"), ("SOP-0001", "met")]

    named = name_sops(stores, actor=cast.editor, now=NOW + 3 * HOUR, ticket_id="TKT-0001", sop_ids=["SOP-0001"])
    assert [(one.sop_id, one.state) for one in named.obligations] == [("SOP-0001", "met")]


def test_an_obligation_keeps_the_window_it_was_born_with(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor, "SOP-0001")
    publish("SOP-0002")
    shorter = replace(stores, policy=Policy(window_hours=24))
    name_sops(shorter, actor=cast.editor, now=NOW, ticket_id="TKT-0001", sop_ids=["SOP-0002"])

    found = obligations_of_ticket(shorter, actor=cast.editor, now=NOW, ticket_id="TKT-0001")
    assert [(one.sop_id, one.due_at) for one in found] == [
        ("SOP-0001", NOW + 48 * HOUR),
        ("SOP-0002", NOW + 24 * HOUR),
    ]


def test_readers_see_what_their_sop_does_not_reflect_yet(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002", department="customer-care")
    ticket(stores, cast.manager, "SOP-0001", "SOP-0002")

    (seen,) = obligations_of_sop(stores, actor=cast.reader, now=NOW + HOUR, sop_id="SOP-0001")
    assert (seen.ticket_label, seen.ticket_title, seen.state) == ("jira:CHG-1", "New limit", "pending")
    for sop_id in ("SOP-0002", "SOP-0099"):
        with pytest.raises(NotFoundError):
            obligations_of_sop(stores, actor=cast.reader, now=NOW, sop_id=sop_id)
    with pytest.raises(ForbiddenError):
        obligations_of_ticket(stores, actor=cast.reader, now=NOW, ticket_id="TKT-0001")


def test_open_obligations_are_those_that_the_rules_find_open(stores: Stores, cast: Cast, publish: Publish) -> None:
    first = "a" * 64
    for number in range(1, 8):
        publish(f"SOP-{number:04d}", at=NOW - HOUR, content_hash=f"{number}".rjust(64, "a") if number != 4 else first)
    ticket(stores, cast.manager, *(f"SOP-{number:04d}" for number in range(1, 8)))
    ticket(stores, cast.manager, key="CHG-2", t0=NOW - 30 * HOUR)
    publish("SOP-0001", at=NOW + HOUR, tickets=(1,))
    publish("SOP-0002", at=NOW + HOUR, tickets=(1,))
    publish("SOP-0002", at=NOW + 2 * HOUR)
    publish("SOP-0003", at=NOW + HOUR, tickets=(1,))
    publish("SOP-0003", at=NOW + 2 * HOUR, reverts=1)
    publish("SOP-0004", at=NOW + HOUR, tickets=(1,))
    publish("SOP-0004", at=NOW + 2 * HOUR, content_hash=first)
    publish("SOP-0005", at=NOW + 3 * HOUR, tickets=(1,))
    publish("SOP-0005", at=NOW + 2 * HOUR)
    publish("SOP-0006", at=NOW + 90 * HOUR, tickets=(1,))
    propose(stores, cast.editor, 7)
    confirm(stores, cast.approver, 7)

    found = open_obligations(stores, actor=cast.manager, now=NOW + 5 * HOUR)
    assert [one.sop_id for one in found] == [None, "SOP-0003", "SOP-0004", "SOP-0005", "SOP-0006"]
    everything = get_ticket(stores, actor=cast.manager, now=NOW + 5 * HOUR, ticket_id="TKT-0001").obligations
    assert {one.sop_id for one in everything if one.open} == {one.sop_id for one in found} - {None}
    assert [one.sop_id for one in open_obligations(stores, actor=cast.care_editor, now=NOW)] == [None]
    with pytest.raises(ForbiddenError):
        open_obligations(stores, actor=cast.reader, now=NOW)


def test_of_two_who_confirm_at_once_one_does(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    ticket(stores, cast.editor, "SOP-0001")
    propose(stores, cast.editor)
    start = threading.Barrier(2)
    answers: list[str] = []

    def decide(actor: Actor) -> None:
        start.wait()
        try:
            answers.append(confirm(stores, actor))
        except ConflictError:
            answers.append("conflict")

    threads = [threading.Thread(target=decide, args=(actor,)) for actor in (cast.approver, cast.manager)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["conflict", "not_needed"]


def test_lists_ask_a_fixed_number_of_times(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001")
    publish("SOP-0002")
    asked: list[str] = []
    event.listen(stores.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def count() -> int:
        asked.clear()
        list_tickets(stores, actor=cast.editor, now=NOW)
        open_obligations(stores, actor=cast.editor, now=NOW)
        return len([statement for statement in asked if statement.startswith("SELECT")])

    ticket(stores, cast.editor, "SOP-0001")
    propose(stores, cast.editor)
    few = count()
    for number in range(2, 12):
        ticket(stores, cast.editor, "SOP-0001", "SOP-0002", key=f"CHG-{number}")
    propose(stores, cast.editor, 5)

    assert count() == few
