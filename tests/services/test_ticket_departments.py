from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.processes import ProcessInput
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.changes.obligations import (
    confirm_not_needed,
    get_obligation,
    name_sops,
    obligations_of_ticket,
    open_obligations,
    propose_not_needed,
)
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.changes.tickets import change_ticket, confirm_go_live, get_ticket, list_tickets, upsert_ticket
from sop_server.services.register.processes import register_process
from sop_server.services.reports.needs import owner_home
from sop_server.services.stores import Stores
from sop_server.storage import ticket_references
from tests.services.conftest import Cast, Publish

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def keep(stores: Stores, actor: Actor, key: str = "CHG-1", now: datetime = NOW, **said: object) -> TicketView:
    given = TicketInput(**{"title": "New refund limit", **said})  # type: ignore[arg-type]
    return upsert_ticket(stores, actor=actor, now=now, source="jira", key=key, given=given).ticket


def test_a_refused_upsert_tells_nothing_of_a_ticket_that_one_may_not_see(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", department="payments")
    publish("SOP-0002", department="customer-care")
    before = keep(stores, cast.editor, title="A secret change", sops=["SOP-0001"])

    told = set()
    for said in ({}, {"title": "A secret change"}, {"status": "never heard of"}, {"effective_at": NOW + 9 * HOUR}):
        with pytest.raises(ForbiddenError) as refused:
            keep(stores, cast.care_editor, **said)
        told.add((refused.value.message, str(refused.value.fields)))
    (one,) = told
    assert not any(word in str(one) for word in ("payments", "SOP-0001", "secret"))
    assert get_ticket(stores, actor=cast.editor, now=NOW + HOUR, ticket_id="TKT-0001").versions == before.versions
    keep(stores, cast.manager, title="A secret change", sops=["SOP-0002"])
    with pytest.raises(ForbiddenError) as refused:
        change_ticket(stores, actor=cast.care_editor, now=NOW, ticket_id="TKT-0001", given=TicketInput(title="Mine"))
    assert "payments" not in refused.value.message


def process(stores: Stores, department: str | None) -> str:
    given = ProcessInput(name=f"What {department} does", department=department)
    return register_process(stores, actor=OPERATOR, now=NOW - HOUR, given=given).id


def propose(stores: Stores, actor: Actor) -> str:
    return propose_not_needed(stores, actor=actor, now=NOW, obligation_id="OBL-0001", reason="Nothing of ours.").state


def confirm(stores: Stores, actor: Actor) -> str:
    return confirm_not_needed(stores, actor=actor, now=NOW, obligation_id="OBL-0001").state


def needs(stores: Stores, actor: Actor) -> list[str]:
    return [need.kind.value for need in owner_home(stores, actor=actor, now=NOW).needs]


def test_a_ticket_without_sops_is_of_the_departments_of_its_processes(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", department="payments")
    publish("SOP-0002", department="customer-care")
    kept = keep(stores, cast.care_editor, processes=[process(stores, "customer-care")])

    assert list_tickets(stores, actor=cast.editor, now=NOW).items == ()
    assert open_obligations(stores, actor=cast.editor, now=NOW) == ()
    assert needs(stores, cast.editor) == []
    with pytest.raises(NotFoundError):
        get_ticket(stores, actor=cast.editor, now=NOW, ticket_id=kept.id)
    with pytest.raises(NotFoundError):
        obligations_of_ticket(stores, actor=cast.editor, now=NOW, ticket_id=kept.id)
    with pytest.raises(NotFoundError):
        get_obligation(stores, actor=cast.approver, now=NOW, obligation_id="OBL-0001")
    with pytest.raises(NotFoundError):
        change_ticket(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, given=TicketInput(title="Ours now"))
    with pytest.raises(NotFoundError):
        confirm_go_live(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, t0=NOW + HOUR, reason="The log.")
    with pytest.raises(NotFoundError):
        propose(stores, cast.editor)
    with pytest.raises(NotFoundError):
        confirm(stores, cast.approver)
    with pytest.raises(ForbiddenError) as refused:
        keep(stores, cast.editor, sops=["SOP-0001"])
    assert "customer-care" not in refused.value.message

    assert needs(stores, cast.care_editor) == ["Triage"]
    keep(stores, cast.care_editor, title="A better title")
    assert propose(stores, cast.care_editor) == "pending"
    named = name_sops(stores, actor=cast.care_editor, now=NOW, ticket_id=kept.id, sop_ids=["SOP-0002"])
    assert (named.title, named.sops) == ("A better title", ("SOP-0002",))


def test_what_two_departments_share_one_begins_and_both_decide(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", department="payments")
    shared = [process(stores, "payments"), process(stores, "customer-care")]
    kept = keep(stores, cast.manager, processes=shared)

    propose(stores, cast.editor)
    with pytest.raises(ForbiddenError):
        confirm(stores, cast.approver)
    with pytest.raises(ForbiddenError):
        keep(stores, cast.editor, status="done")
    assert name_sops(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, sop_ids=["SOP-0001"]).sops == ("SOP-0001",)


def test_a_ticket_that_names_nothing_is_everybodys_to_triage_and_whoever_registered_it_changes_it(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", department="payments")
    kept = keep(stores, cast.care_editor)

    with pytest.raises(ForbiddenError, match="role for all departments, unless you registered it"):
        change_ticket(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, given=TicketInput(title="Ours now"))
    with pytest.raises(ForbiddenError):
        confirm_go_live(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, t0=NOW + HOUR, reason="The log.")
    propose(stores, cast.editor)
    with pytest.raises(ForbiddenError, match="role for all departments"):
        confirm(stores, cast.approver)
    assert keep(stores, cast.care_editor, title="A better title").title == "A better title"
    moved = confirm_go_live(
        stores, actor=cast.care_editor, now=NOW, ticket_id=kept.id, t0=NOW - HOUR, reason="The release notes."
    )
    assert moved.t0 == NOW - HOUR
    assert needs(stores, cast.manager) == ["Confirm"]
    assert name_sops(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, sop_ids=["SOP-0001"]).sops == ("SOP-0001",)
    with pytest.raises(ConflictError):
        confirm(stores, cast.manager)


def test_a_ticket_whose_triage_goes_on_beside_a_sop_is_of_both(stores: Stores, cast: Cast, publish: Publish) -> None:
    publish("SOP-0001", department="payments")
    kept = keep(stores, cast.manager, processes=[process(stores, "customer-care")])
    with stores.database.write() as session:
        ticket_references.add_obligations_of_revision(
            session, sop_id="SOP-0001", ticket_ids=[1], window_hours=48.0, recorded_at=NOW
        )

    seen = get_ticket(stores, actor=cast.editor, now=NOW, ticket_id=kept.id)
    assert [one.sop_id for one in seen.obligations] == ["SOP-0001"], "its triage is not theirs to see"
    with pytest.raises(ForbiddenError):
        keep(stores, cast.editor, status="done")
    with pytest.raises(ForbiddenError):
        name_sops(stores, actor=cast.editor, now=NOW, ticket_id=kept.id, sop_ids=["SOP-0001"])


def test_a_process_that_one_may_not_see_is_unknown_on_a_ticket_and_stays_where_it_is(
    stores: Stores, cast: Cast, publish: Publish
) -> None:
    publish("SOP-0001", department="payments")
    own, foreign, other = (process(stores, one) for one in ("payments", "customer-care", "payments"))

    told = set()
    for name in (foreign, "PROC-099"):
        with pytest.raises(InvalidInputError) as refused:
            keep(stores, cast.editor, processes=[own, name])
        told.add(f"{refused.value.message} {refused.value.fields}".replace(name, "…"))
    assert len(told) == 1

    keep(stores, cast.manager, processes=[foreign, own], sops=["SOP-0001"])
    seen = keep(stores, cast.editor, processes=[other, own])
    assert seen.processes == (own, other)
    assert get_ticket(stores, actor=cast.manager, now=NOW, ticket_id=seen.id).processes == (foreign, own, other)
    versions = len(keep(stores, cast.editor, processes=[own, other]).versions)
    assert versions == len(seen.versions), "said again, nothing is new"
    assert keep(stores, cast.editor, processes=[]).processes == ()
    assert get_ticket(stores, actor=cast.manager, now=NOW, ticket_id=seen.id).processes == (foreign,)
