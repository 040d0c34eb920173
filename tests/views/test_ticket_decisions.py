from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.changes.tickets import get_ticket, upsert_ticket
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def sop(publish: Publish) -> str:
    return publish()


@pytest.fixture
def editor(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.editor)


@pytest.fixture
def ticket(stores: Stores, cast: Cast, sop: str) -> TicketView:
    given = TicketInput(title="Refunds above 800 USD", effective_at=NOW - timedelta(hours=40), sops=[sop])
    return upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-12", given=given).ticket


@pytest.fixture
def triage(stores: Stores, cast: Cast) -> TicketView:
    given = TicketInput(title="The portal moves", effective_at=NOW - timedelta(hours=40))
    return upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-14", given=given).ticket


def now_of(stores: Stores, cast: Cast, known: TicketView, at: Clock) -> TicketView:
    return get_ticket(stores, actor=cast.manager, now=at.now, ticket_id=known.id)


def test_a_go_live_is_confirmed_with_a_reason(
    editor: Browser, stores: Stores, cast: Cast, ticket: TicketView, clock: Clock
) -> None:
    sent = editor.post(f"/tickets/{ticket.id}/go-live", t0="2026-11-02T09:00", reason="Seen in the release notes.")

    assert sent.status_code == 303
    page = words(editor.get(sent.location))
    assert now_of(stores, cast, ticket, clock).t0 == NOW - timedelta(hours=24)
    assert "confirmed by a person: Asha Menon, “Seen in the release notes.”" in page


def test_a_go_live_without_a_reason_is_refused_and_stays_typed(
    editor: Browser, stores: Stores, cast: Cast, ticket: TicketView, clock: Clock
) -> None:
    refused = editor.post(f"/tickets/{ticket.id}/go-live", t0="2026-11-02T09:00", reason=" ")

    assert refused.status_code == 422
    assert 'value="2026-11-02T09:00"' in refused.text
    assert 'id="reason-error"' in refused.text
    assert now_of(stores, cast, ticket, clock).t0 == ticket.t0


def test_after_a_breach_an_editor_cannot_move_the_go_live_later_and_a_manager_can(
    as_person: AsPerson, stores: Stores, cast: Cast, ticket: TicketView, clock: Clock
) -> None:
    clock.now = NOW + timedelta(hours=20)
    later = {"t0": "2026-11-03T09:00", "reason": "It was rolled out a day later."}

    refused = as_person(cast.editor).post(f"/tickets/{ticket.id}/go-live", **later)
    assert refused.status_code == 403
    assert "It was rolled out a day later." in refused.text
    assert now_of(stores, cast, ticket, clock).t0 == ticket.t0

    assert as_person(cast.manager).post(f"/tickets/{ticket.id}/go-live", **later).status_code == 303
    assert now_of(stores, cast, ticket, clock).t0 == NOW


def test_naming_sops_ends_the_triage(editor: Browser, stores: Stores, cast: Cast, triage: TicketView, sop: str) -> None:
    sent = editor.post(f"/tickets/{triage.id}/sops", sops=sop.lower())

    assert sent.status_code == 303
    assert get_ticket(stores, actor=cast.manager, now=NOW, ticket_id=triage.id).sops == (sop,)
    assert "Its triage was replaced" in words(editor.get(sent.location))


@pytest.mark.parametrize("typed", ["", "SOP-9999", "nonsense"])
def test_sops_that_are_none_are_refused_and_stay_typed(editor: Browser, triage: TicketView, typed: str) -> None:
    refused = editor.post(f"/tickets/{triage.id}/sops", sops=typed)

    assert refused.status_code == 422
    assert f'value="{typed}"' in refused.text
    assert 'id="sops-error"' in refused.text


def test_one_person_proposes_that_nothing_is_needed_and_a_second_confirms(
    as_person: AsPerson, stores: Stores, cast: Cast, ticket: TicketView, clock: Clock
) -> None:
    address = f"/tickets/{ticket.id}/obligations/{ticket.obligations[0].id}"
    editor, approver = as_person(cast.editor), as_person(cast.approver)

    assert editor.post(f"{address}/not-needed", reason="The text names no amount.").status_code == 303
    assert "Confirm: not needed" not in words(editor.get(f"/tickets/{ticket.id}"))
    assert "Proposed as not needed by Asha Menon" in words(approver.get(f"/tickets/{ticket.id}"))
    assert now_of(stores, cast, ticket, clock).obligations[0].state == "pending"

    sent = approver.post(f"{address}/confirm")
    assert sent.status_code == 303
    assert now_of(stores, cast, ticket, clock).obligations[0].state == "not_needed"
    assert "confirmed by Ben Castro" in words(approver.get(sent.location))


def test_nobody_confirms_their_own_proposal(as_person: AsPerson, cast: Cast, ticket: TicketView) -> None:
    address = f"/tickets/{ticket.id}/obligations/{ticket.obligations[0].id}"
    manager = as_person(cast.manager)
    manager.post(f"{address}/not-needed", reason="The text names no amount.")

    refused = manager.post(f"{address}/confirm")

    assert refused.status_code == 403
    assert "a second person has to confirm it" in words(refused)


def test_a_proposal_without_a_reason_is_refused(editor: Browser, ticket: TicketView) -> None:
    refused = editor.post(f"/tickets/{ticket.id}/obligations/{ticket.obligations[0].id}/not-needed", reason="")

    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.text


def test_a_second_proposal_is_told_of_the_first_and_keeps_what_was_typed(
    as_person: AsPerson, cast: Cast, ticket: TicketView
) -> None:
    address = f"/tickets/{ticket.id}/obligations/{ticket.obligations[0].id}/not-needed"
    as_person(cast.editor).post(address, reason="The text names no amount.")

    refused = as_person(cast.manager).post(address, reason="Another reason of mine.")

    assert refused.status_code == 409
    assert "Asha Menon proposed this already" in words(refused)
    assert "Another reason of mine." in refused.text


def test_an_approver_does_not_propose(as_person: AsPerson, cast: Cast, ticket: TicketView) -> None:
    address = f"/tickets/{ticket.id}/obligations/{ticket.obligations[0].id}/not-needed"

    assert as_person(cast.approver).get(address).status_code == 403
    assert as_person(cast.approver).post(address, reason="No.").status_code == 403


def test_an_obligation_is_found_under_its_own_ticket_alone(
    editor: Browser, ticket: TicketView, triage: TicketView
) -> None:
    wrong = f"/tickets/{triage.id}/obligations/{ticket.obligations[0].id}/not-needed"

    assert editor.get(wrong).status_code == 404


def test_what_is_no_departments_yet_offers_triage_to_all_and_decisions_to_few(
    as_person: AsPerson, cast: Cast, triage: TicketView
) -> None:
    address = f"/tickets/{triage.id}"
    offered = {
        name: {word for word in ("Name SOPs", "Not needed", "Correct go-live") if word in words(browser.get(address))}
        for name, browser in (
            ("registered it", as_person(cast.editor)),
            ("another editor", as_person(cast.payments_editor)),
            ("an approver", as_person(cast.approver)),
            ("a manager", as_person(cast.manager)),
        )
    }

    assert offered == {
        "registered it": {"Name SOPs", "Not needed", "Correct go-live"},
        "another editor": {"Name SOPs", "Not needed"},
        "an approver": set(),
        "a manager": {"Name SOPs", "Not needed", "Correct go-live"},
    }
    other = as_person(cast.payments_editor)
    assert other.post(f"{address}/go-live", t0="2026-11-02T09:00", reason="The log.").status_code == 403
    decisions = f"{address}/obligations/{triage.obligations[0].id}"
    as_person(cast.manager).post(f"{decisions}/not-needed", reason="A test of the portal alone.")
    assert "Confirm: not needed" not in words(as_person(cast.approver).get(address))
    assert as_person(cast.approver).post(f"{decisions}/confirm").status_code == 403


def test_a_second_person_declines_with_a_reason_and_it_may_be_proposed_again(
    as_person: AsPerson, stores: Stores, cast: Cast, ticket: TicketView, clock: Clock
) -> None:
    page = f"/tickets/{ticket.id}"
    address = f"{page}/obligations/{ticket.obligations[0].id}"
    editor, approver = as_person(cast.editor), as_person(cast.approver)
    editor.post(f"{address}/not-needed", reason="The text names no amount.")

    assert "Decline" not in words(editor.get(page))
    assert "Decline" in words(approver.get(page))
    assert "“The text names no amount.”" in words(approver.get(f"{address}/decline"))
    refused = approver.post(f"{address}/decline", reason=" ")
    assert refused.status_code == 422
    assert 'id="reason-error"' in refused.text
    own = editor.post(f"{address}/decline", reason="I was wrong.")
    assert own.status_code == 403

    sent = approver.post(f"{address}/decline", reason="Step 2 names it.")
    assert sent.status_code == 303
    shown = words(approver.get(sent.location))
    assert "declined by Ben Castro" in shown
    assert "“Step 2 names it.”" in shown
    assert now_of(stores, cast, ticket, clock).obligations[0].not_needed is None
    assert approver.post(f"{address}/decline", reason="Once more.").status_code == 409
    assert editor.post(f"{address}/not-needed", reason="Step 2 is gone.").status_code == 303
