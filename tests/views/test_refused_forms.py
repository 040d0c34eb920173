"""A form that was refused opens where it is wrong, with what was typed, and paper says instants that do not age."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Route, expect
from werkzeug.test import TestResponse

from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.passwords import set_password
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.stores import Stores
from tests.views import test_break_glass, test_in_chromium
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.test_break_glass import PASSWORD, WHY, AsPerson, signed
from tests.views.test_deviations import FORM, hash_on
from tests.views.test_in_chromium import ADDRESS

chromium, draft = test_in_chromium.chromium, test_break_glass.draft


def shown(chromium: Chromium, person: Browser, answer: TestResponse, see: Callable[..., None]) -> None:
    """Let a browser without scripts show an answer, and look at it with `see`."""
    context = chromium.new_context(base_url=ADDRESS, viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    page = context.new_page()

    def fulfil(route: Route) -> None:
        sent = answer if route.request.url.endswith("/refused") else person.get(route.request.url.removeprefix(ADDRESS))
        route.fulfill(status=200, headers={"Content-Type": sent.headers["Content-Type"]}, body=sent.data)
        sent.close()

    page.route("**/*", fulfil)
    page.goto("/refused")
    try:
        see(page)
    finally:
        context.close()


def test_a_wrong_password_at_the_end_of_a_long_review_is_asked_for_where_it_was_typed(
    chromium: Chromium, as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores
) -> None:
    signed(stores, Clock(stores.clock()))
    set_password(stores, actor=OPERATOR, now=stores.clock(), email=cast.approver.email, password=PASSWORD)
    approver = as_person(cast.approver)
    refused = approver.post(f"/drafts/{draft.id}/approve", content_hash=draft.content_hash, password="no")

    shown(chromium, approver, refused, lambda page: expect(page.locator("#sign-password")).to_be_focused())
    shown(chromium, approver, refused, lambda page: expect(page.locator("#sign-password")).to_be_in_viewport())


def test_a_password_that_cannot_be_set_is_told_in_sight(
    chromium: Chromium, as_person: AsPerson, cast: Cast, stores: Stores
) -> None:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password=PASSWORD)
    rita = as_person(cast.reader)
    refused = rita.post("/me/password", current=PASSWORD, password="short", again="short")

    assert refused.status_code == 422
    shown(chromium, rita, refused, lambda page: expect(page.locator("#password")).to_be_in_viewport())


def test_the_end_of_a_role_that_cannot_be_set_stays_open_and_typed(as_person: AsPerson, cast: Cast) -> None:
    page = as_person(cast.admin).post(
        f"/admin/people/{cast.editor.email}/roles/until", held="editor@customer-care", until="2026-12-12", reason=" "
    )

    assert page.status_code == 422
    opened = page.text.partition("<details open>")[2].partition("</details>")[0]
    assert 'value="2026-12-12"' in opened
    assert "1 to 500 characters" in opened


def test_a_proposal_that_begins_with_its_approval_waits_and_is_not_late(
    as_person: AsPerson, cast: Cast, publish: Publish, clock: Clock
) -> None:
    sop_id = publish()
    as_person(cast.editor).post(f"/sops/{sop_id}/deviations", **FORM)
    approver = as_person(cast.approver)
    clock.now += timedelta(hours=2)
    assert "waits 2 h" in words(approver.get("/")).replace("\xa0", " ")

    approver.post("/deviations/DEV-0001/refuse", reason="The limit is on time again.")
    told = words(approver.get("/deviations/DEV-0001"))
    assert "It was to last until 20 Nov 2026, 12:00 UTC." in told, "nothing that was refused ends by itself"
    assert "“The limit is on time again.”" in told
    assert hash_on(approver) == ""


def test_paper_says_the_instant_where_the_screen_says_how_long_ago(
    app: Flask, as_person: AsPerson, cast: Cast, draft: DraftView, clock: Clock
) -> None:
    sent = as_person(cast.approver).post(
        f"/drafts/{draft.id}/break-glass", content_hash=draft.content_hash, reason=WHY, alone="yes"
    )
    assert sent.status_code == 303
    clock.now += timedelta(hours=2)
    page = as_person(cast.reader).get(f"/sops/{draft.sop_id}").text

    assert 'data-on-paper="3 Nov 2026, 09:00 UTC"' in page
    assert '<span class="no-print">: 22' in page


def test_a_mistyped_department_gives_no_role_over_nothing(as_person: AsPerson, cast: Cast) -> None:
    admin, page = as_person(cast.admin), f"/admin/people/{cast.reader.email}"
    refused = admin.post(f"{page}/roles", role="approver", department="custmer-care", reason="Covers a leave")

    assert refused.status_code == 422
    assert "There is no department “custmer-care”" in words(refused)
    assert 'value="Covers a leave"' in refused.text
    assert "approver@custmer-care" not in words(admin.get(page))
    assert "Custmer care" not in words(admin.get("/admin/departments"))


def test_whoever_was_signed_out_meanwhile_is_told_and_led_back_to_the_form(stranger: Browser, app: Flask) -> None:
    form = "http://localhost/sops/SOP-0001/deviations/new"
    sent = app.test_client().post("/sops/SOP-0001/deviations", data=FORM, headers={"Referer": form})
    assert sent.location == "/login?next=%2Fsops%2FSOP-0001%2Fdeviations%2Fnew"
    elsewhere = app.test_client().post("/me/away", headers={"Referer": "http://elsewhere.example/x"})
    assert elsewhere.location == "/login"

    assert stranger.post("/me/away", until="2026-12-24").status_code == 303
    assert "nothing of what you sent was stored" in words(stranger.get("/login"))
