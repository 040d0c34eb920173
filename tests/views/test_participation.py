from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.services.participation.feedback import list_feedback
from sop_server.services.participation.reader_page import open_sop
from sop_server.services.participation.reviews import list_reviews
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

LATER_TEXT = sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 800 USD.\n")


def last_read(stores: Stores, actor: Actor, sop_id: str) -> int | None:
    reading = open_sop(stores, actor=actor, now=stores.clock(), sop_id=sop_id).reading
    return None if reading is None else reading.last_read


def test_what_changed_since_the_last_reading_stands_above_the_text(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id = publish()
    reader = as_person(cast.reader)
    assert "You have not read this SOP yet" in words(reader.get(f"/sops/{sop_id}"))

    kept = reader.post(f"/sops/{sop_id}/acknowledgements", revision=1)

    assert (kept.status_code, kept.location) == (303, f"/sops/{sop_id}")
    assert last_read(stores, cast.reader, sop_id) == 1
    assert "I have read and understood" not in words(reader.get(f"/sops/{sop_id}"))
    publish(LATER_TEXT, sop_id=sop_id, summary="The limit went from 500 to 800 USD.")
    changed = reader.get(f"/sops/{sop_id}")
    assert "Changed since you read r1 The limit went from 500 to 800 USD." in words(changed)
    assert f"/sops/{sop_id}/diff?from=1&amp;to=2" in changed.text


def test_a_revision_that_is_not_in_force_any_more_is_not_acknowledged(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id = publish()
    publish(LATER_TEXT, sop_id=sop_id, summary="The limit went up.")
    reader = as_person(cast.reader)

    refused = reader.post(f"/sops/{sop_id}/acknowledgements", revision=1)

    assert refused.status_code == 303
    assert "r1 is not the revision in force; that is r2" in words(reader.get(f"/sops/{sop_id}"))
    assert last_read(stores, cast.reader, sop_id) is None


@pytest.mark.parametrize("form", ["acknowledgements", "feedback", "reviews", "pin"])
def test_forms_of_what_one_may_not_read_lead_nowhere(
    as_person: AsPerson, cast: Cast, publish: Publish, stranger: Browser, form: str
) -> None:
    sop_id = publish()
    given = {"revision": 1, "kind": "unclear", "what_happened": "x", "outcome": "confirmed", "note": "x", "pinned": "y"}

    assert stranger.post(f"/sops/{sop_id}/{form}", **given).location == "/login"
    assert as_person(cast.payments_editor).post(f"/sops/{sop_id}/{form}", **given).status_code == 404


def test_a_report_reaches_the_register(as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores) -> None:
    sop_id = publish()
    reader = as_person(cast.reader)

    kept = reader.post(
        f"/sops/{sop_id}/feedback", kind="outdated", what_happened="The button is gone.", case_reference="ZD-1"
    )

    assert kept.location == f"/sops/{sop_id}"
    (found,) = list_feedback(stores, actor=cast.editor, now=NOW, sop_id=sop_id).items
    assert (found.kind, found.what_happened, found.case_reference) == ("outdated", "The button is gone.", "ZD-1")
    assert "May be out of date A reader reports that it is out of date" in words(reader.get(f"/sops/{sop_id}"))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "outdated", "what_happened": ""}, "what_happened-error"),
        ({"kind": "", "what_happened": "The button is gone."}, "kind-error"),
        ({"kind": "outdated", "what_happened": "Card 4111 1111 1111 1111 was refused."}, "what_happened-error"),
    ],
)
def test_a_report_that_cannot_be_used_stays_in_the_form(
    as_person: AsPerson, cast: Cast, publish: Publish, fields: dict[str, str], wrong: str
) -> None:
    sop_id = publish()

    refused = as_person(cast.reader).post(f"/sops/{sop_id}/feedback", what_was_done="I asked Ben.", **fields)

    assert refused.status_code == 422
    assert f'id="{wrong}"' in refused.text
    assert "I asked Ben." in refused.text
    assert fields["what_happened"] in refused.text
    assert "A reader reports" not in words(as_person(cast.reader).get(f"/sops/{sop_id}"))


def test_a_confirmed_review_renews_the_sop(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    clock.now = NOW + timedelta(days=100)
    editor = as_person(cast.editor)
    assert "next review in 8 months" in words(editor.get(f"/sops/{sop_id}"))

    kept = editor.post(f"/sops/{sop_id}/reviews", outcome="confirmed", note="I watched two agents.")

    assert kept.location == f"/sops/{sop_id}"
    told = words(editor.get(f"/sops/{sop_id}"))
    assert "Confirmed. The next review is due 365 days from today." in told
    assert "I watched two agents." in words(editor.get(f"/sops/{sop_id}/review"))


def test_a_review_that_says_retire_opens_the_draft(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()
    editor = as_person(cast.editor)

    kept = editor.post(f"/sops/{sop_id}/reviews", outcome="retire", note="Nobody does this any more.")

    assert kept.location.startswith("/drafts/DRF-")
    told = words(editor.get(kept.location))
    assert f"Retires {sop_id}" in told
    assert "Nobody does this any more." in told


def test_a_review_without_a_note_stays_in_the_form(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores
) -> None:
    sop_id = publish()

    refused = as_person(cast.editor).post(f"/sops/{sop_id}/reviews", outcome="needs_revision", note=" ")

    assert refused.status_code == 422
    assert 'value="needs_revision" checked' in refused.text
    assert 'id="note-error"' in refused.text
    assert not list_reviews(stores, actor=cast.editor, now=NOW, sop_id=sop_id)


@pytest.mark.parametrize("who", ["reader", "approver", "manager"])
def test_only_owners_review(as_person: AsPerson, cast: Cast, publish: Publish, who: str) -> None:
    sop_id = publish()
    browser = as_person(getattr(cast, who))

    assert browser.get(f"/sops/{sop_id}/review").status_code == 403
    assert browser.post(f"/sops/{sop_id}/reviews", outcome="confirmed", note="x").status_code == 403


def test_what_is_kept_at_hand_stands_on_the_first_page(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()
    reader = as_person(cast.reader)

    reader.post(f"/sops/{sop_id}/pin", pinned="yes")

    assert "At hand Refunds over 500 USD" in words(reader.get("/"))
    assert "Keep at hand no longer" in words(reader.get(f"/sops/{sop_id}"))
    reader.post(f"/sops/{sop_id}/pin", pinned="")
    assert "At hand Refunds" not in words(reader.get("/"))
