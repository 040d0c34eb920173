import csv
import io
import json
import re
from collections.abc import Callable

import pytest

from sop_server.domain.permissions import Actor
from sop_server.services.accounts.departments import list_departments
from sop_server.services.stores import Stores
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast, Publish

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def admin(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.admin)


def test_a_department_gets_its_name_and_its_approvals(admin: Browser, stores: Stores) -> None:
    sent = admin.post("/admin/departments", slug="payments", name="Payments desk", approvals_needed="2")

    assert sent.status_code == 303
    known = {one.slug: one for one in list_departments(stores, now=NOW)}["payments"]
    assert (known.name, known.approvals_needed) == ("Payments desk", 2)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"slug": "payments", "approvals_needed": "9"}, "approvals_needed"),
        ({"slug": "payments", "approvals_needed": "two"}, "approvals_needed"),
        ({"slug": "No Slug", "name": "A name"}, "slug"),
        ({"slug": "payments"}, "name"),
    ],
)
def test_a_setting_that_cannot_be_used_changes_nothing_and_stays_typed(
    admin: Browser, stores: Stores, typed: dict[str, str], field: str
) -> None:
    before = list_departments(stores, now=NOW)

    refused = admin.post("/admin/departments", **typed)

    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert f'value="{typed["slug"]}"' in refused.text
    assert list_departments(stores, now=NOW) == before


def test_a_team_gets_a_name_and_a_department(admin: Browser) -> None:
    sent = admin.post("/admin/teams", team="payments-tier1", team_name="First line", team_department="payments")

    assert sent.status_code == 303
    assert "First line payments-tier1 Payments" in words(admin.get("/admin/departments"))


def test_the_check_says_that_the_stores_agree(admin: Browser, publish: Publish, stores: Stores) -> None:
    publish()

    page = words(admin.get("/admin/check"))

    assert "Do the stores agree?" in page
    assert "differ" in page or "They agree" in page
    sent = admin.post("/admin/check")
    assert sent.status_code == 303
    assert "They agree" in words(admin.get("/admin/check"))


def test_the_audit_trail_narrows_by_who_what_and_when(admin: Browser, publish: Publish, cast: Cast) -> None:
    sop = publish()

    def shown(query: str) -> str:
        return words(admin.get(f"/admin/audit?{query}")).split("Details", 1)[-1]

    assert "draft.submitted" in shown("")
    assert "draft.submitted" in shown(f"actor={cast.editor.email}")
    assert "draft.submitted" not in shown(f"actor={cast.approver.email}")
    assert "person.added" in shown("action=person")
    assert "draft." not in shown("action=person")
    assert "draft." not in shown("until=2026-11-01T00:00")
    assert sop in shown(f"subject={sop}")


def test_the_audit_trail_shortens_the_hashes_that_nobody_reads(admin: Browser, publish: Publish) -> None:
    publish()

    page = admin.get("/admin/audit?action=draft.created").text

    assert re.search(r'<code title="([0-9a-f]{12})[0-9a-f]{52}">\1</code>', page)


def test_the_audit_trail_is_a_file_with_the_hashes_that_prove_it(admin: Browser) -> None:
    events = json.loads(admin.get("/admin/audit.json").text)
    rows = list(csv.DictReader(io.StringIO(admin.get("/admin/audit.csv").data.decode("utf-8-sig"))))

    assert events[-1]["action"] == "person.added"
    assert len(events[-1]["hash"]) == 64
    assert [row["hash"] for row in rows] == [event["hash"] for event in events]
    assert json.loads(rows[-1]["details"]) == events[-1]["details"]
