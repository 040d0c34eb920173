from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]


def test_a_stranger_has_no_home(stranger: Browser) -> None:
    assert stranger.get("/").location == "/login"


def test_a_reader_sees_what_to_read_and_what_changed(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish(summary="The limit went up.")
    publish(sop_text("Chargebacks", department="payments"), payments=True)
    reader = as_person(cast.reader)

    told = words(reader.get("/"))

    assert "To read due in 7 days Refunds over 500 USD The limit went up. Read" in told
    assert "Changed lately Refunds over 500 USD" in told
    assert "Chargebacks" not in told
    assert "Needs you" not in told
    reader.post(f"/sops/{sop_id}/acknowledgements", revision=1)
    assert "You have read everything that you have to" in words(reader.get("/"))


def test_an_owner_sees_the_clock_first(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    ticket = TicketInput(title="A higher limit", effective_at=NOW, sops=(sop_id,))
    upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-12", given=ticket)
    clock.now = NOW + timedelta(hours=43)

    page = as_person(cast.editor).get("/")

    told = words(page)
    assert "Needs you 5 h left Refunds over 500 USD jira:CHG-12 “A higher limit” Draft" in told
    assert 'aria-label="1 thing needs you"' in page.text
    assert "My SOPs" in told


def test_an_approver_sees_what_waits_for_them(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id = publish()
    assert "Nothing needs you" in words(as_person(cast.approver).get("/"))
    given = DraftInput(content=sop_text(body="Another.\n"), change_summary="Another text.", significance="minor")
    draft = create_draft(stores, actor=cast.editor, given=given, now=NOW, sop_id=sop_id)
    submit_draft(stores, actor=cast.editor, draft_id=draft.id, now=NOW)

    page = as_person(cast.approver).get("/")

    assert "Another text. Approve" in words(page)
    assert f'href="/drafts/{draft.id}"' in page.text


def test_a_manager_sees_the_score_before_anything_else(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    publish()

    page = as_person(cast.manager).get("/")

    told = words(page)
    assert "Do our SOPs describe what we do?" in told
    assert "of 10" in told
    assert 'href="/reports/window"' in page.text
    assert "0 clocks running" in told
    assert "of 1 in force" in told
    assert "Drift score over twelve months" in page.text


def test_a_manager_of_an_empty_library_sees_that_there_are_no_facts(as_person: AsPerson, cast: Cast) -> None:
    page = as_person(cast.manager).get("/")

    assert page.status_code == 200
    assert "no facts yet" in words(page)


def test_an_administrator_without_other_roles_has_a_home(as_person: AsPerson, cast: Cast) -> None:
    assert as_person(cast.admin).get("/").status_code == 200


def test_the_menu_leads_nowhere_that_its_person_may_not_go(as_person: AsPerson, cast: Cast) -> None:
    assert '"/drafts/"' in as_person(cast.approver).get("/").text
    manager = as_person(cast.manager)

    page = manager.get("/").text

    assert '"/drafts/"' not in page
    assert '"/tickets/"' in page
    assert manager.get("/drafts/").status_code == HTTPStatus.FORBIDDEN


def test_an_administrator_of_an_empty_library_learns_what_comes_next(as_person: AsPerson, cast: Cast) -> None:
    told = words(as_person(cast.admin).get("/"))

    assert "The library is empty Add the people who write and approve." in told


def test_an_owner_sees_the_state_of_each_sop(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    assert f"{sop_id} in force" in words(as_person(cast.editor).get("/")).split("My SOPs", 1)[1]

    ticket = TicketInput(title="A higher limit", effective_at=NOW, sops=(sop_id,))
    upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-12", given=ticket)
    clock.now = NOW + timedelta(days=3)

    assert f"{sop_id} stale It does not reflect jira:CHG-12" in words(as_person(cast.editor).get("/"))
