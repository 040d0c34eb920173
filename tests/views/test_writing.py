import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.drafts.draft_lists import get_draft, list_drafts
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, edit_draft
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

CHANGED = sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 800 USD.\n")
DESCRIBED = {"change_summary": "The limit goes up.", "significance": "major", "tickets": "", "effective_from": ""}


def typed_text(page: str) -> str:
    found = re.search(r'<textarea name="content"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found.group(1))


def only_draft(stores: Stores, actor: Actor) -> DraftView:
    (found,) = list_drafts(stores, actor=actor, now=stores.clock(), states=["draft", "in_review"]).items
    return get_draft(stores, actor=actor, draft_id=found.id, now=stores.clock())


def begun(stores: Stores, actor: Actor, sop_id: str, content: str = CHANGED) -> DraftView:
    given = DraftInput(content=content, change_summary="The limit goes up.", significance="major")
    return create_draft(stores, actor=actor, given=given, now=stores.clock(), sop_id=sop_id)


def test_a_new_sop_begins_with_a_text_that_shows_how(as_person: AsPerson, cast: Cast) -> None:
    page = as_person(cast.editor).get("/sops/new?title=Refund%3A%20gift%20cards&process=PROC-001")

    text = typed_text(page.text)
    assert 'title: "Refund: gift cards"' in text
    assert "process: PROC-001" in text
    assert "department: customer-care" in text
    assert "owner: asha@example.com" in text
    assert "problems" not in page.text


def test_a_new_sop_is_kept_as_a_draft(as_person: AsPerson, cast: Cast, stores: Stores) -> None:
    editor = as_person(cast.editor)

    kept = editor.post("/sops/new", do="save", content=sop_text("Gift cards"), **DESCRIBED)

    draft = only_draft(stores, cast.editor)
    assert (kept.status_code, kept.location) == (303, f"/drafts/{draft.id}/edit")
    assert (draft.title, draft.state, draft.change_summary) == ("Gift cards", "draft", "The limit goes up.")
    assert "The draft is saved. Nobody is asked yet." in words(editor.get(kept.location))


def test_saving_and_submitting_asks_the_approvers_by_name(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id = publish()
    upsert_ticket(
        stores,
        actor=cast.editor,
        now=NOW,
        source="jira",
        key="CHG-12",
        given=TicketInput(title="A higher limit", effective_at=NOW, sops=(sop_id,)),
    )
    editor = as_person(cast.editor)
    assert "Open on this SOP: jira:CHG-12." in words(editor.get(f"/sops/{sop_id}/edit"))

    kept = editor.post(
        f"/sops/{sop_id}/edit",
        do="submit",
        content=CHANGED,
        change_summary="The limit goes up.",
        significance="minor",
        tickets="jira:CHG-12",
        effective_from="2026-11-05T08:00",
        base_revision="1",
    )

    draft = only_draft(stores, cast.editor)
    assert kept.location == f"/drafts/{draft.id}"
    assert (draft.state, draft.significance, draft.base_revision) == ("in_review", "minor", 1)
    assert [ticket.label for ticket in draft.tickets] == ["jira:CHG-12"]
    assert draft.effective_from == NOW.replace(day=5, hour=8)
    assert "Submitted. Asked to approve: Ben Castro." in words(editor.get(kept.location))


def test_whoever_has_a_draft_goes_on_with_it(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    draft = begun(stores, cast.editor, sop_id)
    editor = as_person(cast.editor)

    assert editor.get(f"/sops/{sop_id}/edit").location == f"/drafts/{draft.id}/edit"
    assert "Refund up to 500 USD" in typed_text(editor.get(f"/sops/{sop_id}/edit?anew=1").text)
    assert "Refund up to 800 USD" in typed_text(editor.get(f"/drafts/{draft.id}/edit").text)
    assert "Continue my draft" in words(editor.get(f"/sops/{sop_id}"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"change_summary": ""}, "change_summary-error"),
        ({"significance": ""}, "significance-error"),
        ({"tickets": "jira:NONE-1"}, "tickets-error"),
        ({"effective_from": "soon"}, "effective_from-error"),
        ({"content": "---\ntitle: [unclosed\n---\n\nA text.\n"}, "content-error"),
        ({"content": sop_text(department="payments")}, None),
        ({"content": "A text with \x07 in it."}, "content-error"),
    ],
)
def test_what_the_server_refuses_stands_in_the_form_again(
    as_person: AsPerson, cast: Cast, publish: Publish, wrong: dict[str, str], field: str | None
) -> None:
    sop_id = publish()
    typed = {**DESCRIBED, "content": CHANGED, "base_revision": "1", "change_summary": "My own words", **wrong}

    refused = as_person(cast.editor).post(f"/sops/{sop_id}/edit", do="save", **typed)

    assert refused.status_code == (422 if field else 403)
    assert typed_text(refused.text).strip() == typed["content"].strip()
    assert typed["change_summary"] in refused.text
    assert field is None or f'id="{field}"' in refused.text


def test_a_draft_with_errors_is_kept_but_not_submitted(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id = publish()
    text = sop_text(body="[Open](javascript:alert)\n")

    refused = as_person(cast.editor).post(f"/sops/{sop_id}/edit", do="submit", content=text, **DESCRIBED)

    draft = only_draft(stores, cast.editor)
    assert refused.status_code == 422
    assert draft.state == "draft"
    assert "cannot be submitted yet" in words(refused)
    assert f'action="/drafts/{draft.id}/edit"' in refused.text


def test_two_people_who_save_lose_nothing(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    draft = begun(stores, cast.editor, sop_id)
    theirs = sop_text(body="Refund up to 700 USD.\n")
    edit_draft(stores, actor=cast.editor, draft_id=draft.id, given=DraftInput(content=theirs), now=NOW)
    editor = as_person(cast.editor)
    mine = sop_text(body="Refund up to 900 USD.\n")

    stale = editor.post(f"/drafts/{draft.id}/edit", do="save", version=draft.version, content=mine, **DESCRIBED)

    assert stale.status_code == 412
    assert "900 USD" in typed_text(stale.text)
    assert "700 USD" in words(stale)
    assert "700 USD" in get_draft(stores, actor=cast.editor, draft_id=draft.id, now=NOW).content
    version = re.search(r'name="version" value="(\d+)"', stale.text)
    assert version is not None
    again = editor.post(f"/drafts/{draft.id}/edit", do="save", version=version.group(1), content=mine, **DESCRIBED)
    assert again.status_code == 303
    assert "900 USD" in get_draft(stores, actor=cast.editor, draft_id=draft.id, now=NOW).content


def test_a_draft_that_collides_opens_with_both_texts(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    draft = begun(stores, cast.editor, sop_id)
    clock.now = NOW + timedelta(hours=1)
    publish(sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 600 USD.\n"), sop_id=sop_id)
    editor = as_person(cast.editor)

    page = editor.get(f"/drafts/{draft.id}/edit")

    text = typed_text(page.text)
    assert "r2 was published meanwhile and changes the same lines" in words(page)
    assert "<<<<<<<" in text
    assert "800 USD" in text
    assert "600 USD" in text
    assert 'name="base_revision" value="2"' in page.text
    both = sop_text(front=f"id: {sop_id}\n", body="## Steps\n\n1. Open the order.\n2. Refund up to 850 USD.\n")
    kept = editor.post(
        f"/drafts/{draft.id}/edit", do="submit", version=draft.version, base_revision=2, content=both, **DESCRIBED
    )
    assert kept.location == f"/drafts/{draft.id}"
    assert only_draft(stores, cast.editor).base_revision == 2


def test_the_instant_can_be_taken_out_again(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    editor = as_person(cast.editor)
    editor.post(
        f"/sops/{sop_id}/edit", do="save", content=CHANGED, **{**DESCRIBED, "effective_from": "2026-11-05T08:00"}
    )
    draft = only_draft(stores, cast.editor)
    assert 'value="2026-11-05T08:00"' in editor.get(f"/drafts/{draft.id}/edit").text

    editor.post(f"/drafts/{draft.id}/edit", do="save", version=draft.version, content=draft.content, **DESCRIBED)

    assert 'value="2026-11-05T08:00"' not in editor.get(f"/drafts/{draft.id}/edit").text
    assert "In force at once" in words(editor.get(f"/drafts/{draft.id}"))


def test_the_preview_stores_nothing(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    editor = as_person(cast.editor)

    shown = editor.post(f"/sops/{sop_id}/edit", do="preview", content=CHANGED, **{**DESCRIBED, "change_summary": ""})
    live = editor.post("/drafts/preview", content="## Steps\n\n<script>alert(1)</script>\n", sop_id=sop_id)

    assert shown.status_code == 200
    assert "Open the order. Refund up to 800 USD." in words(shown)
    assert "<script>alert" not in live.get_json()["html"]
    assert not list_drafts(stores, actor=cast.editor, now=NOW, states=["draft", "in_review"]).items


@pytest.mark.parametrize("address", ["/sops/new", "/sops/{id}/edit", "/sops/{id}/retire", "/sops/{id}/undo"])
def test_only_writers_write(as_person: AsPerson, cast: Cast, publish: Publish, stranger: Browser, address: str) -> None:
    path = address.format(id=publish())
    given = {**DESCRIBED, "content": CHANGED, "revision": "1", "do": "save"}

    assert stranger.post(path, **given).location == "/login"
    for who in (cast.reader, cast.approver, cast.manager, cast.admin):
        assert as_person(who).post(path, **given).status_code == 403
    assert as_person(cast.reader).get(f"{path}?revision=1").status_code == 403
    if "{id}" in address:
        assert as_person(cast.payments_editor).get(f"{path}?revision=1").status_code == 404


def test_a_reader_sees_no_draft(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    draft = begun(stores, cast.editor, sop_id)

    assert as_person(cast.reader).get(f"/drafts/{draft.id}").status_code == 403
    assert as_person(cast.payments_editor).get(f"/drafts/{draft.id}").status_code == 404
    assert as_person(cast.payments_editor).get(f"/drafts/{draft.id}/edit").status_code == 404
    assert draft.id not in as_person(cast.reader).get(f"/sops/{sop_id}").text
    assert draft.id in as_person(cast.editor).get(f"/sops/{sop_id}").text


def test_retiring_is_a_draft_with_a_reason(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    editor = as_person(cast.editor)
    assert editor.post(f"/sops/{sop_id}/retire", change_summary=" ", significance="major").status_code == 422

    kept = editor.post(f"/sops/{sop_id}/retire", change_summary="The shop closed.", significance="major")

    draft = only_draft(stores, cast.editor)
    assert kept.location == f"/drafts/{draft.id}"
    assert (draft.kind, draft.change_summary) == ("retire", "The shop closed.")
    assert "<textarea name" not in editor.get(f"/drafts/{draft.id}/edit").text


def test_bringing_a_revision_back_takes_back_what_came_after(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    for limit in (600, 700):
        clock.now += timedelta(hours=1)
        publish(sop_text(body=f"## Steps\n\n1. Refund up to {limit} USD.\n"), sop_id=sop_id)
    editor = as_person(cast.editor)
    assert "Bring back r1" in words(editor.get(f"/sops/{sop_id}/undo?revision=1"))
    assert editor.get(f"/sops/{sop_id}/undo?revision=9").status_code == 404

    editor.post(f"/sops/{sop_id}/undo", revision=1, change_summary="Back to 500.", significance="major")

    draft = only_draft(stores, cast.editor)
    assert (draft.reverts, draft.base_revision) == (2, 3)
    assert "Refund up to 500 USD" in draft.content


def test_what_was_typed_stands_in_the_form_even_where_the_library_is_damaged(
    as_person: AsPerson, cast: Cast, stores: Stores
) -> None:
    editor = as_person(cast.editor)
    library = stores.home / "library.git"
    library.rename(library.with_suffix(".gone"))

    refused = editor.post("/sops/new", do="save", content=sop_text("Gift cards"), **DESCRIBED)

    assert refused.status_code == 500
    assert typed_text(refused.text) == sop_text("Gift cards")
    assert "The limit goes up." in refused.text


def test_a_ticket_that_one_may_not_see_is_refused_as_unknown_and_stands_in_the_form(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id, foreign = publish(), publish(sop_text("Chargebacks", department="payments"), payments=True)
    given = TicketInput(title="A secret change", sops=[foreign])
    upsert_ticket(stores, actor=OPERATOR, now=NOW, source="jira", key="SECRET-1", given=given)
    typed = {**DESCRIBED, "content": CHANGED, "base_revision": "1"}

    for reference in ("jira:SECRET-1", "TKT-0001", "TKT-0404"):
        refused = as_person(cast.editor).post(f"/sops/{sop_id}/edit", do="save", **{**typed, "tickets": reference})
        assert refused.status_code == 422
        assert f"No ticket is known as {reference}." in words(refused)
        assert f'value="{reference}"' in refused.text
        assert "A secret change" not in refused.text
