import csv
import io
import json
import re
import sqlite3
from collections.abc import Callable

import pytest

from sop_server.domain.permissions import Actor
from sop_server.services.accounts.departments import list_departments
from sop_server.services.stores import Stores
from sop_server.services.trail.anchoring import anchor_head
from sop_server.storage import audit
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
    # Each file has the event of itself first.
    assert (events[0]["action"], events[0]["subject"]) == ("export.made", "audit.json")
    assert (rows[0]["action"], rows[0]["subject"]) == ("export.made", "audit.csv")
    assert [row["hash"] for row in rows[1:]] == [event["hash"] for event in events]
    assert [row["previous_hash"] for row in rows[:-1]] == [row["hash"] for row in rows[1:]]
    assert json.loads(rows[-1]["details"]) == events[-1]["details"]


def test_the_files_of_the_audit_trail_narrow_as_the_page_does(admin: Browser, publish: Publish) -> None:
    sop = publish()

    for query in (f"subject={sop}", "action=draft.", f"action=draft.&subject={sop}&since=2026-11-01T00:00"):
        events = json.loads(admin.get(f"/admin/audit.json?{query}").text)
        assert events
        assert {one["subject"] for one in events} <= {sop, "DRAFT-0001"}
        rows = admin.get(f"/admin/audit.csv?{query}").data.decode("utf-8-sig").splitlines()
        assert len(rows) == len(events) + 1
    assert json.loads(admin.get("/admin/audit.json?until=2026-11-01T00:00").text) == []
    (told,) = json.loads(admin.get("/admin/audit.json?action=export.made&until=2030-01-01T00:00").text)[:1]
    assert told["details"] == {"action": "export.made", "until": "2030-01-01T00:00:00Z"}


def test_the_page_of_the_audit_trail_says_up_to_where_the_chain_is_verified(admin: Browser, stores: Stores) -> None:
    assert "not anchored in the library yet" in words(admin.get("/admin/audit"))
    anchor = anchor_head(stores, now=NOW)
    assert anchor is not None

    shown = words(admin.get("/admin/audit"))

    newest = anchor.head.id
    assert f"The chain is verified up to event {newest}, anchored in the library" in shown
    assert f"at event {newest}." in shown
    assert "verified" not in words(admin.get(f"/admin/audit?cursor={newest}"))


def test_the_page_of_the_audit_trail_names_the_first_broken_link(admin: Browser, stores: Stores) -> None:
    with sqlite3.connect(stores.home / "sop.db") as connection:
        connection.execute("DROP TRIGGER audit_event_no_update")
        connection.execute("UPDATE audit_event SET actor = 'mallory@example.com' WHERE id = 2")
    connection.close()

    shown = words(admin.get("/admin/audit"))

    assert "The chain does not hold From audit event 2 (" in shown
    assert "verified up to" not in shown


def test_a_cell_that_a_spreadsheet_would_run_is_none_in_the_audit_trail(admin: Browser, stores: Stores) -> None:
    for number, subject in enumerate(("=1+1", "+1", "-1", "@sum", "\tx", " =1")):
        with stores.database.write() as session:
            audit.record(session, at=NOW, actor=f"a{number}@example.com", action="test.done", subject=subject)

    rows = list(
        csv.DictReader(io.StringIO(admin.get("/admin/audit.csv?action=test.").data.decode("utf-8-sig"), newline=""))
    )

    assert [row["subject"] for row in rows[::-1]] == ["'=1+1", "'+1", "'-1", "'@sum", "'\tx", "' =1"]


@pytest.mark.parametrize(
    "page", ["/reports/window.csv?days=90&token=abc", "/reports/drift.json", "/reports/window-rows.csv"]
)
def test_every_file_that_somebody_takes_is_told_in_the_audit_trail(
    as_person: AsPerson, cast: Cast, stores: Stores, page: str
) -> None:
    assert as_person(cast.manager).get(page).status_code == 200

    with stores.database.read() as session:
        (told,) = audit.events(session, action="export.made")
    assert told.actor == cast.manager.email
    assert told.subject == page.removeprefix("/reports/").partition("?")[0]
    assert told.details == ({"days": "90"} if "days" in page else {})
