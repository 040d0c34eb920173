"""The pages of decisions, held against WCAG 2.2 AA by axe-core in a real Chromium as those of the sign-in are."""

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.stores import Stores
from tests.views import test_accessible_sign_in, test_break_glass
from tests.views.browser import Clock
from tests.views.conftest import Cast
from tests.views.test_accessible_sign_in import Held
from tests.views.test_break_glass import PASSWORD, WHY, AsPerson, signed

chromium, held = test_accessible_sign_in.chromium, test_accessible_sign_in.held
draft, second = test_break_glass.draft, test_break_glass.second


def test_deciding_signing_and_a_refused_emergency_are_accessible(
    held: Held, as_person: AsPerson, cast: Cast, draft: DraftView, stores: Stores
) -> None:
    signed(stores, Clock(stores.clock()))
    set_password(stores, actor=OPERATOR, now=stores.clock(), email=cast.approver.email, password=PASSWORD)
    approver, page = as_person(cast.approver), f"/drafts/{draft.id}"
    sent = {"content_hash": draft.content_hash, "password": "wrong"}

    held(approver.get(page), "the review")
    held(approver.post(f"{page}/approve", **sent), "a wrong password")
    held(approver.post(f"{page}/break-glass", reason="Hurry", alone="yes", **sent), "a reason that is none")


def test_what_one_person_published_alone_is_told_accessibly(
    held: Held, as_person: AsPerson, cast: Cast, draft: DraftView, second: Actor
) -> None:
    approver, revision = as_person(cast.approver), f"/sops/{draft.sop_id}/revisions/2"
    sent = {"content_hash": draft.content_hash, "reason": WHY}
    assert approver.post(f"/drafts/{draft.id}/break-glass", **sent).status_code == 303

    held(as_person(cast.reader).get(f"/sops/{draft.sop_id}"), "the SOP")
    held(as_person(second).get(revision), "the revision, for the second person")
    held(as_person(cast.manager).get("/reports/drift"), "the report")


def test_the_rules_of_departments_are_accessible(held: Held, as_person: AsPerson, cast: Cast) -> None:
    held(as_person(cast.admin).get("/admin/departments"), "departments")
