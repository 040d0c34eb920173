import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.measuring import counted
from sop_server.domain.permissions import Actor
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

FORM = {
    "step": "Step 2",
    "instead": "Refund up to 800 USD.",
    "why": "The new limit is late.",
    "control": "The team lead looks at the list each evening.",
    "ends_at": "2026-11-20T12:00",
}


def filled(**said: Any) -> dict[str, Any]:
    return {**FORM, **said}


@pytest.fixture
def in_force(as_person: AsPerson, cast: Cast, publish: Publish) -> str:
    """A SOP with a deviation in force, DEV-0001."""
    sop_id = publish()
    as_person(cast.editor).post(f"/sops/{sop_id}/deviations", **FORM)
    approver = as_person(cast.approver)
    approver.post("/deviations/DEV-0001/approve", content_hash=hash_on(approver))
    return sop_id


def hash_on(browser: Browser, deviation_id: str = "DEV-0001") -> str:
    return browser.get(f"/deviations/{deviation_id}").text.partition('name="content_hash" value="')[2].partition('"')[0]


def test_a_deviation_is_proposed_approved_and_stands_on_the_sop_with_who_until_when_and_what(
    as_person: AsPerson, cast: Cast, publish: Publish
) -> None:
    sop_id = publish()
    editor, approver, reader = as_person(cast.editor), as_person(cast.approver), as_person(cast.reader)
    assert "Propose a deviation" in words(editor.get(f"/sops/{sop_id}"))
    assert "Propose a deviation" in words(editor.get(f"/sops/{sop_id}/deviations/new"))

    proposed = editor.post(f"/sops/{sop_id}/deviations", **FORM)
    assert (proposed.status_code, proposed.headers["Location"]) == (303, "/deviations/DEV-0001")
    assert "Done otherwise" not in words(reader.get(f"/sops/{sop_id}"))
    assert "Approve it" not in words(editor.get("/deviations/DEV-0001"))
    assert "Refund up to 800 USD." in words(approver.get("/")), "it waits for the approver"

    approved = approver.post("/deviations/DEV-0001/approve", content_hash=hash_on(approver))
    assert approved.status_code == 303
    assert "It holds now, and ends by itself in 17\xa0days" in approver.get("/deviations/DEV-0001").text

    page = reader.get(f"/sops/{sop_id}")
    told = words(page)
    assert "Done otherwise until 20 Nov 2026: Step 2 Refund up to 800 USD." in told
    assert "Ben Castro approved it; it ends by itself in 17" in told
    assert "The team lead looks at the list each evening." in told
    assert 'title="Fri 20 Nov 2026, 12:00 UTC"' in page.text


def test_the_banner_stands_on_the_revision_too_and_the_chip_in_lists_and_hits(
    as_person: AsPerson, cast: Cast, in_force: str, publish: Publish
) -> None:
    reader = as_person(cast.reader)
    assert "Refund up to 800 USD." in words(reader.get(f"/sops/{in_force}/revisions/1"))
    assert "done otherwise" in words(reader.get("/sops/"))
    assert "done otherwise" in words(reader.get("/search?q=refunds"))
    assert "Done otherwise for a time" in words(reader.get("/"))
    publish(sop_text(body="## Steps\n\n1. Close the order.\n"), sop_id=in_force, significance="minor")
    assert "Refund up to 800 USD." not in words(reader.get(f"/sops/{in_force}/revisions/1")), "superseded"
    assert "Refund up to 800 USD." in words(reader.get(f"/sops/{in_force}/revisions/2"))


def test_it_is_gone_from_every_page_once_it_has_ended(
    as_person: AsPerson, cast: Cast, in_force: str, clock: Clock
) -> None:
    clock.now = NOW + timedelta(days=30)
    reader = as_person(cast.reader)
    for path in (f"/sops/{in_force}", f"/sops/{in_force}/revisions/1", "/sops/", "/search?q=refunds", "/"):
        assert "otherwise" not in words(reader.get(path)).lower(), path
    assert "Done otherwise" in words(reader.get(f"/sops/{in_force}?at=2026-11-10T00:00:00Z"))
    assert "ended" in words(reader.get("/deviations/DEV-0001"))


def test_the_browser_is_not_told_that_the_page_is_the_same_when_it_ended(
    as_person: AsPerson, cast: Cast, in_force: str, clock: Clock
) -> None:
    clock.now = NOW.replace(day=20, hour=11, minute=30)
    reader = as_person(cast.reader)
    tag = reader.get(f"/sops/{in_force}").headers["ETag"]
    assert reader.get(f"/sops/{in_force}", etag=tag).status_code == 304
    clock.now = NOW.replace(day=20, hour=12, minute=0)
    assert reader.get(f"/sops/{in_force}", etag=tag).status_code == 200


def test_a_text_that_changed_since_is_told_with_it(
    as_person: AsPerson, cast: Cast, in_force: str, publish: Publish
) -> None:
    publish(sop_text(body="## Steps\n\n1. Refund up to 700 USD.\n"), sop_id=in_force)
    assert "The text changed with r2 since this was approved" in words(as_person(cast.reader).get(f"/sops/{in_force}"))
    assert "The text changed since it was approved" in words(as_person(cast.reader).get("/deviations/DEV-0001"))


def test_what_was_typed_stays_where_it_cannot_be_used(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    editor = as_person(cast.editor)
    sop_id = publish()
    refused = editor.post(
        f"/sops/{sop_id}/deviations", **filled(ends_at="2027-11-20T12:00", teams=["customer-care-tier2"])
    )
    assert refused.status_code == 422
    assert "A deviation lasts 90 days at most" in words(refused)
    assert "The new limit is late." in refused.text
    assert 'value="customer-care-tier2" checked' in refused.text
    assert editor.post(f"/sops/{sop_id}/deviations", **filled(ends_at="soon")).status_code == 422


def test_an_approval_of_what_was_edited_meanwhile_is_refused_and_shows_the_new_words(
    as_person: AsPerson, cast: Cast, publish: Publish
) -> None:
    sop_id = publish()
    editor, approver = as_person(cast.editor), as_person(cast.approver)
    editor.post(f"/sops/{sop_id}/deviations", **FORM)
    read = hash_on(approver)
    form = editor.get("/deviations/DEV-0001/edit")
    assert "Refund up to 800 USD." in form.text
    assert 'value="2026-11-20T12:00"' in form.text

    saved = editor.post("/deviations/DEV-0001/edit", **filled(instead="Refund 900 USD.", content_hash=read))
    stale = editor.post("/deviations/DEV-0001/edit", **filled(instead="Refund 950 USD.", content_hash=read))
    answer = approver.post("/deviations/DEV-0001/approve", content_hash=read)

    assert (saved.status_code, stale.status_code, answer.status_code) == (303, 412, 409)
    assert "Refund 950 USD." in stale.text
    assert "somebody edited it after you read it" in words(answer)
    assert "Refund 900 USD." in words(answer)


def test_refusing_and_ending_need_a_reason_and_withdrawing_none(as_person: AsPerson, cast: Cast, in_force: str) -> None:
    editor, approver = as_person(cast.editor), as_person(cast.approver)
    assert approver.post("/deviations/DEV-0001/end", reason="").status_code == 422
    assert approver.post("/deviations/DEV-0001/end", reason="The limit is there.").status_code == 303
    assert "“The limit is there.”" in words(as_person(cast.reader).get("/deviations/DEV-0001"))
    assert editor.get("/deviations/DEV-0001/edit").status_code == 409
    editor.post(f"/sops/{in_force}/deviations", **filled(follows="DEV-0001"))
    assert approver.post("/deviations/DEV-0002/refuse", reason=" ").status_code == 422
    assert approver.post("/deviations/DEV-0002/refuse", reason="Not again.").status_code == 303
    assert "Your deviation was refused: Not again." in words(editor.get("/"))
    assert "Your deviation was refused" not in words(approver.get("/"))
    editor.post(f"/sops/{in_force}/deviations", **FORM)
    assert editor.post("/deviations/DEV-0003/withdraw").status_code == 303
    assert editor.post("/deviations/DEV-0003/withdraw").status_code == 409


def test_the_next_one_begins_with_the_words_and_at_the_end_of_the_one_before(
    as_person: AsPerson, cast: Cast, in_force: str, publish: Publish
) -> None:
    editor, other = as_person(cast.editor), publish(sop_text(title="Returns"))

    taken_up = editor.get(f"/sops/{in_force}/deviations/new?follows=DEV-0001").text
    elsewhere = editor.get(f"/sops/{other}/deviations/new?follows=DEV-0001").text

    assert FORM["instead"] in taken_up
    assert 'value="DEV-0001"' in taken_up
    assert f'name="begins_at" type="datetime-local" value="{FORM["ends_at"][:16]}' in taken_up.replace("'", '"')
    assert FORM["instead"] not in elsewhere
    assert editor.get(f"/sops/{in_force}/deviations/new?follows=DEV-9999").status_code == 200


def test_proposals_do_not_exist_for_readers(as_person: AsPerson, cast: Cast, in_force: str) -> None:
    as_person(cast.editor).post(f"/sops/{in_force}/deviations", **filled(instead="Refund nothing."))
    for reader in (as_person(cast.reader), as_person(cast.payments_approver)):
        assert reader.get("/deviations/DEV-0002").status_code == 404
        assert "Refund nothing." not in reader.get("/deviations/").text
        assert "Refund nothing." not in reader.get("/deviations/deviations.csv").text
    assert "Refund nothing." in as_person(cast.approver).get("/deviations/?state=proposed").text


def test_the_register_is_a_file_whose_cells_no_spreadsheet_runs(as_person: AsPerson, cast: Cast, in_force: str) -> None:
    editor = as_person(cast.editor)
    editor.post(f"/sops/{in_force}/deviations", **filled(instead="=1+1", step="@SUM(A1)"))

    file = editor.get("/deviations/deviations.csv?state=proposed")

    assert file.headers["Content-Disposition"] == 'attachment; filename="deviations.csv"'
    (row,) = csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))
    assert (row["id"], row["state"], row["instead"], row["step"]) == ("DEV-0002", "proposed", "'=1+1", "'@SUM(A1)")


def test_a_deviation_costs_the_page_of_its_sop_no_statement(
    as_person: AsPerson, cast: Cast, stores: Stores, publish: Publish, in_force: str
) -> None:
    without, reader = publish(sop_text("Chargebacks")), as_person(cast.manager)

    def statements(sop_id: str) -> int:
        assert reader.get(f"/sops/{sop_id}").status_code == 200
        with counted(stores.database) as count:
            reader.get(f"/sops/{sop_id}")
        return len(count.statements)

    assert statements(in_force) == statements(without) <= 7


def test_the_first_page_of_a_manager_has_the_figures(as_person: AsPerson, cast: Cast, in_force: str) -> None:
    assert in_force
    assert "1 deviation in force, the oldest since" in words(as_person(cast.manager).get("/")).replace("\xa0", " ")
