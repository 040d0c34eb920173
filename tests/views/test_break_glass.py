"""Break-glass and signatures on pages: behind a disclosure, told to everybody, and nothing typed is lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.departments import list_departments, set_rules
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import grant_role
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.services.stores import Stores
from sop_server.storage import people
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

WHY = "The payment provider changed its form an hour ago."
PASSWORD = "four quiet green parrots"
CHANGED = sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 800 USD.\n")


@pytest.fixture
def draft(publish: Publish, stores: Stores, cast: Cast, clock: Clock) -> DraftView:
    sop_id = publish()
    given = DraftInput(content=CHANGED, change_summary="The limit goes up.", significance="major")
    begun = create_draft(stores, actor=cast.editor, given=given, now=clock.now, sop_id=sop_id)
    return submit_draft(stores, actor=cast.editor, draft_id=begun.id, now=clock.now)


@pytest.fixture
def second(stores: Stores, cast: Cast, clock: Clock) -> Actor:
    """Another approver of customer care, who reads payments else."""
    email = cast.payments_reader.email
    grant_role(stores, actor=OPERATOR, now=clock.now, email=email, role="approver@customer-care")
    with stores.database.read() as session:
        actor = people.load_actor(session, cast.payments_reader.person_id, clock.now)
    assert actor is not None
    return actor


def signed(stores: Stores, clock: Clock) -> None:
    set_rules(stores, actor=OPERATOR, now=clock.now, slug="customer-care", signature=True)


def test_it_stands_closed_at_the_end_of_the_review_for_whoever_may_decide(
    as_person: AsPerson, cast: Cast, draft: DraftView
) -> None:
    page = as_person(cast.approver).get(f"/drafts/{draft.id}").text

    assert '<details class="alone"><summary>' in page
    assert page.index("Request changes") < page.index('class="alone"')
    assert 'class="alone"' not in as_person(cast.editor).get(f"/drafts/{draft.id}").text


def test_everybody_is_told_until_a_second_person_confirms(
    as_person: AsPerson, cast: Cast, second: Actor, draft: DraftView, clock: Clock
) -> None:
    as_person(cast.approver).post(
        f"/drafts/{draft.id}/break-glass", content_hash=draft.content_hash, reason=WHY, alone="yes"
    )
    sop, revision = f"/sops/{draft.sop_id}", f"/sops/{draft.sop_id}/revisions/2"

    told = words(as_person(cast.reader).get(sop))
    assert "Published by one person alone, in an emergency" in told
    assert WHY in told
    history = words(as_person(cast.reader).get(f"{sop}/revisions"))
    assert "published alone by Ben Castro, not confirmed" in history
    clock.now += timedelta(hours=25)
    assert "nobody has confirmed it" in words(as_person(cast.reader).get(sop))
    for actor in (cast.manager, second):
        home = words(as_person(actor).get("/"))
        assert home.index("published r2 alone") < home.index("Needs you") + 200
    assert "not settled" in words(as_person(cast.manager).get("/reports/window"))
    assert "not settled" in words(as_person(cast.manager).get("/reports/drift"))

    assert "You are the second person" not in words(as_person(cast.approver).get(revision))
    assert "You are the second person" in words(as_person(second).get(revision))
    assert as_person(second).post(f"{revision}/confirm").status_code == 303

    after = words(as_person(cast.reader).get(revision))
    assert "confirmed late by Paul Reyes" in after
    assert "alone" not in words(as_person(cast.reader).get(sop)).split("History")[0]


def test_a_reason_that_is_none_is_refused_beside_its_field_and_kept(
    as_person: AsPerson, cast: Cast, draft: DraftView
) -> None:
    page = as_person(cast.approver).post(
        f"/drafts/{draft.id}/break-glass", content_hash=draft.content_hash, reason="Hurry up", alone="yes"
    )

    assert page.status_code == 422
    assert '<details class="alone" open>' in page.text
    assert "Hurry up</textarea>" in page.text


def test_an_objection_leads_to_the_draft_that_takes_it_back(
    as_person: AsPerson, cast: Cast, second: Actor, draft: DraftView
) -> None:
    as_person(cast.approver).post(
        f"/drafts/{draft.id}/break-glass", content_hash=draft.content_hash, reason=WHY, alone="yes"
    )
    revision = f"/sops/{draft.sop_id}/revisions/2"
    browser = as_person(second)

    refused = browser.post(f"{revision}/object", reason="No, no", objecting="yes")
    assert (refused.status_code, "No, no</textarea>" in refused.text) == (422, True)
    sent = browser.post(f"{revision}/object", reason="The provider changed nothing at all.", objecting="yes")

    assert sent.status_code == 303
    undo = words(browser.get(sent.headers["Location"]))
    assert "Takes back r2" in undo
    assert "Paul Reyes objects to r2" in words(as_person(cast.reader).get(f"/sops/{draft.sop_id}"))


def test_a_wrong_password_loses_nothing_that_was_typed(
    as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores, clock: Clock
) -> None:
    signed(stores, clock)
    set_password(stores, actor=OPERATOR, now=clock.now, email=cast.approver.email, password=PASSWORD)
    browser = as_person(cast.approver)
    typed = {"content_hash": draft.content_hash, "comment": "Well said.", "effective_from": "2026-12-24T10:00"}

    refused = browser.post(f"/drafts/{draft.id}/approve", password="wrong", **typed)

    assert refused.status_code == 403
    assert "This is not your password" in words(refused)
    assert "Well said.</textarea>" in refused.text
    assert 'value="2026-12-24T10:00"' in refused.text
    assert "wrong" not in refused.text.replace("wrong-", "")
    assert browser.post(f"/drafts/{draft.id}/approve", password=PASSWORD, **typed).status_code == 303


def test_the_review_says_what_is_declared_and_the_revision_shows_who_signed(
    as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores, clock: Clock
) -> None:
    signed(stores, clock)
    browser = as_person(cast.approver)
    assert "neither a password nor a phone" in words(browser.get(f"/drafts/{draft.id}"))
    set_password(stores, actor=OPERATOR, now=clock.now, email=cast.approver.email, password=PASSWORD)
    browser = as_person(cast.approver)
    assert "I have read this revision and approve it to come into force." in words(browser.get(f"/drafts/{draft.id}"))

    browser.post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash, password=PASSWORD)

    page = as_person(cast.reader).get(f"/sops/{draft.sop_id}/revisions/2")
    assert "Ben Castro approved it on 3 Nov 2026, 09:00 UTC, signed with their password" in words(page)
    printed = as_person(cast.reader).get(f"/sops/{draft.sop_id}").text
    assert '<div class="print-only">' in printed
    assert "signed with their password" in printed


def test_an_administrator_says_whether_a_department_signs_and_breaks_the_glass(
    as_person: AsPerson, cast: Cast, stores: Stores, clock: Clock, draft: DraftView
) -> None:
    admin = as_person(cast.admin)
    assert admin.post("/admin/departments", slug="customer-care", signature="yes", break_glass="no").status_code == 303
    (found,) = (one for one in list_departments(stores, now=clock.now) if one.slug == "customer-care")
    assert (found.signature, found.break_glass, found.approvals_needed) == (True, False, 1)
    assert admin.post("/admin/departments", slug="customer-care", signature="maybe").status_code == 422
    assert 'class="alone"' not in as_person(cast.approver).get(f"/drafts/{draft.id}").text
