"""What becomes of revisions over time: scheduled, overtaken, retired, taken back, resolved, moved."""

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.home import close_stores, open_stores
from sop_server.services.accounts.departments import set_rules
from sop_server.settings import load_settings
from tests.journeys.conftest import Door, Server, hours_ahead, text, within_patience


def drafted(door: Door, **fields: Any) -> dict[str, Any]:
    """Create and submit a draft of any kind."""
    made = door("POST", "/drafts", 201, json={"change_summary": "What changes.", "significance": "major", **fields})
    submitted: dict[str, Any] = door("POST", f"/drafts/{made['id']}/submit")
    return submitted


def ticket_on(server: Server, key: str, *sops: str, hours: float = -10) -> dict[str, Any]:
    given = {"source": "manual", "key": key, "title": f"Change {key}", "effective_at": hours_ahead(hours)}
    ticket: dict[str, Any] = server.doors["editor"]("POST", "/tickets", json={**given, "sops": list(sops)})
    return ticket


def states(server: Server, ticket: dict[str, Any]) -> dict[str | None, str]:
    shown = server.doors["manager"]("GET", f"/tickets/{ticket['id']}/obligations")["items"]
    return {one["sop_id"]: one["state"] for one in shown}


def found(server: Server, words: str, **query: str) -> list[str]:
    items = server.doors["reader"]("GET", "/search", params={"q": words, **query})["items"]
    return [item["sop_id"] for item in items]


def test_a_scheduled_revision_comes_into_force_by_itself_at_its_time(server: Server) -> None:
    reader = server.doors["reader"]
    sop_id = server.published(text("Scheduled", amount=100))["sop_id"]
    draft = server.doors["editor"].draft(text("Scheduled", amount=200), sop_id=sop_id)
    coming = server.doors["approver"].approve(draft, effective_from=hours_ahead(3 / 3600))
    assert (coming["state"], coming["revision"], coming["in_force"]) == ("published", 2, False)
    before = reader("GET", f"/sops/{sop_id}")
    assert before["revision"] == 1
    assert "100 USD" in before["markdown"]
    assert [one["revision"] for one in before["coming"]] == [2]
    reader("POST", f"/sops/{sop_id}/acknowledgements", 409, json={"revision": 2})
    assert reader("GET", f"/sops/{sop_id}/revisions/2")["state"] == "scheduled"
    assert datetime.now(UTC) < datetime.fromisoformat(coming["effective_from"]), "the machine is too slow to tell"

    within_patience(lambda: reader("GET", f"/sops/{sop_id}")["revision"] == 2, "it did not come into force")

    assert datetime.now(UTC) >= datetime.fromisoformat(coming["effective_from"])
    after = reader("GET", f"/sops/{sop_id}")
    assert after["effective_from"] == coming["effective_from"]
    assert "200 USD" in after["markdown"]
    assert after["coming"] == []
    assert [one["state"] for one in reader("GET", f"/sops/{sop_id}/revisions")["items"]] == ["in_force", "superseded"]
    just_before = datetime.fromisoformat(coming["effective_from"]).timestamp() - 0.001
    as_of = reader("GET", f"/sops/{sop_id}", params={"at": datetime.fromtimestamp(just_before, UTC).isoformat()})
    assert as_of["revision"] == 1
    within_patience(lambda: found(server, "scheduled 200") == [sop_id], "the index did not catch up")


def test_an_overtaken_scheduled_revision_is_served_to_nobody_and_is_a_draft_again(server: Server) -> None:
    editor = server.doors["editor"]
    sop_id = server.published(text("Overtaken"))["sop_id"]
    coming = editor.draft(text("Overtaken").replace("Open the ticket", "Open the case"), sop_id=sop_id)
    server.doors["approver"].approve(coming, effective_from=hours_ahead(48))
    server.published(text("Overtaken").replace("Close the ticket", "Archive the ticket"), sop_id=sop_id)

    def returned() -> list[dict[str, Any]]:
        items = editor("GET", "/drafts", params={"sop_id": sop_id, "state": "changes_requested"})["items"]
        return [item for item in items if item["sop_id"] == sop_id]

    within_patience(lambda: len(returned()) == 1, "its text did not become a draft again")
    again = editor("GET", f"/drafts/{returned()[0]['id']}")
    assert again["author"] == "editor@example.com"
    assert again["base_revision"] == 3
    assert "Open the case" in again["content"]
    assert "Archive the ticket" in again["content"]
    assert "r2" in again["approvals"][-1]["comment"]
    revisions = server.doors["reader"]("GET", f"/sops/{sop_id}/revisions")["items"]
    assert [one["revision"] for one in revisions] == [3, 2, 1]
    assert server.doors["reader"]("GET", f"/sops/{sop_id}")["revision"] == 3
    editor("POST", f"/drafts/{again['id']}/submit")
    server.doors["editor"].refusal("POST", f"/drafts/{again['id']}/approve", 403, json={"content_hash": "0" * 64})
    assert server.doors["approver"].approve(again)["revision"] == 4


def test_a_retired_sop_answers_so_for_ever_and_its_history_can_be_read(server: Server, tmp_path: Path) -> None:
    doors = server.doors
    first = server.published(text("Fax orders"))
    sop_id = first["sop_id"]
    ticket = ticket_on(server, "RETIRE", sop_id)
    instant = datetime.now(UTC).isoformat()
    left_open = doors["second_editor"].draft(text("Fax orders", amount=5), sop_id=sop_id)
    draft = drafted(doors["editor"], sop_id=sop_id, kind="retire", tickets=["manual:RETIRE"])
    doors["approver"].approve(draft)

    assert "retired" in doors["reader"].refusal("GET", f"/sops/{sop_id}", 410)["detail"]
    doors["outsider"].refusal("GET", f"/sops/{sop_id}", 404)
    assert sop_id not in [one["sop_id"] for one in doors["reader"]("GET", "/sops")["items"]]
    assert [one["kind"] for one in doors["reader"]("GET", f"/sops/{sop_id}/revisions")["items"]] == ["retire", "edit"]
    assert "100 USD" in doors["reader"]("GET", f"/sops/{sop_id}/revisions/1")["markdown"]
    assert doors["reader"]("GET", f"/sops/{sop_id}", params={"at": instant})["revision"] == 1
    assert states(server, ticket) == {sop_id: "met"}
    doors["approver"].refusal(
        "POST", f"/drafts/{left_open['id']}/approve", 410, json={"content_hash": left_open["content_hash"]}
    )
    assert doors["editor"]("GET", f"/drafts/{left_open['id']}")["content"] == left_open["content"]
    doors["reader"].refusal("POST", f"/sops/{sop_id}/acknowledgements", 409, json={"revision": 1})
    within_patience(lambda: found(server, "fax orders") == [], "the index did not catch up")
    cloned = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(server.home / "library.git"), str(cloned)], check=True)
    assert not list(cloned.rglob("fax-orders*"))
    shutil.rmtree(cloned)


def test_taking_back_reopens_the_obligation_until_a_later_revision_names_the_ticket(server: Server) -> None:
    editor, approver = server.doors["editor"], server.doors["approver"]
    sop_id = server.published(text("Taken back", amount=100))["sop_id"]
    ticket = ticket_on(server, "BACK", sop_id)
    server.published(text("Taken back", amount=200), sop_id=sop_id, tickets=["manual:BACK"])
    assert states(server, ticket) == {sop_id: "met"}
    server.published(text("Taken back", amount=250), sop_id=sop_id)
    assert states(server, ticket) == {sop_id: "met"}

    undo = drafted(editor, sop_id=sop_id, reverts=2)
    assert "100 USD" in undo["content"]
    assert approver.approve(undo)["revision"] == 4
    assert states(server, ticket) == {sop_id: "pending"}
    server.published(text("Taken back", amount=260), sop_id=sop_id)
    assert states(server, ticket) == {sop_id: "pending"}
    server.published(text("Taken back", amount=200), sop_id=sop_id, tickets=[ticket["id"]])
    assert states(server, ticket) == {sop_id: "met"}
    server.published(text("Taken back", amount=100), sop_id=sop_id)
    assert states(server, ticket) == {sop_id: "pending"}


def test_one_revision_meets_two_tickets_and_no_draft_meets_any(server: Server) -> None:
    editor = server.doors["editor"]
    sop_id = server.published(text("Two tickets"))["sop_id"]
    one, two = ticket_on(server, "TWO-1", sop_id), ticket_on(server, "TWO-2", sop_id, hours=-60)
    assert (states(server, one), states(server, two)) == ({sop_id: "pending"}, {sop_id: "breached"})
    draft = editor.draft(text("Two tickets", amount=7), sop_id=sop_id, tickets=["manual:TWO-1", two["id"]])
    assert (states(server, one), states(server, two)) == ({sop_id: "pending"}, {sop_id: "breached"})
    server.doors["approver"].approve(draft)
    assert (states(server, one), states(server, two)) == ({sop_id: "met"}, {sop_id: "late"})
    revision = server.doors["reader"]("GET", f"/sops/{sop_id}/revisions/2")
    assert sorted(revision["tickets"]) == sorted([one["id"], two["id"]])


def test_not_needed_takes_two_people(server: Server) -> None:
    doors = server.doors
    sop_id = server.published(text("Not needed"))["sop_id"]
    ticket = ticket_on(server, "NN", sop_id)
    obligation = f"/obligations/{ticket['obligations'][0]['id']}"
    doors["approver"].refusal("POST", f"{obligation}/confirm", 409)
    doors["manager"].refusal("POST", f"{obligation}/not-needed", 422, json={"reason": "  "})
    doors["manager"]("POST", f"{obligation}/not-needed", json={"reason": "Another country."})
    assert states(server, ticket) == {sop_id: "pending"}
    doors["manager"].refusal("POST", f"{obligation}/confirm", 403)
    doors["editor"].refusal("POST", f"{obligation}/confirm", 403)
    assert states(server, ticket) == {sop_id: "pending"}
    confirmed = doors["second_manager"]("POST", f"{obligation}/confirm")
    assert (confirmed["state"], confirmed["not_needed"]["confirmed_by"]) == ("not_needed", "second_manager@example.com")
    doors["approver"].refusal("POST", f"{obligation}/confirm", 409)


def test_the_library_as_of_an_instant_is_as_it_was_then(server: Server) -> None:
    reader = server.doors["reader"]
    nothing = datetime.now(UTC).isoformat()
    sop_id = server.published(text("Gooseberries"))["sop_id"]
    time.sleep(0.01)
    first = datetime.now(UTC).isoformat()
    server.published(text("Blackcurrants"), sop_id=sop_id)
    reader.refusal("GET", f"/sops/{sop_id}", 404, params={"at": nothing})
    then = reader("GET", f"/sops/{sop_id}", params={"at": first})
    assert (then["revision"], then["title"]) == (1, "Gooseberries")
    assert reader("GET", f"/sops/{sop_id}")["title"] == "Blackcurrants"
    within_patience(lambda: found(server, "blackcurrants") == [sop_id], "the index did not catch up")
    assert found(server, "gooseberries") == []
    assert found(server, "gooseberries", at=first) == [sop_id]
    assert found(server, "blackcurrants", at=first) == []
    assert found(server, "gooseberries", at=nothing) == []
    listed = {one["sop_id"]: one["title"] for one in reader("GET", "/sops", params={"at": first})["items"]}
    assert listed[sop_id] == "Gooseberries"


def test_a_conflict_is_its_authors_to_resolve_and_nothing_typed_is_lost(server: Server) -> None:
    editor, second, approver = (server.doors[name] for name in ("editor", "second_editor", "approver"))
    sop_id = server.published(text("Conflict", amount=100))["sop_id"]
    mine = second.draft(text("Conflict", amount=300), sop_id=sop_id)
    server.published(text("Conflict", amount=200), sop_id=sop_id)
    approver.refusal("POST", f"/drafts/{mine['id']}/approve", 409, json={"content_hash": mine["content_hash"]})
    kept = second("GET", f"/drafts/{mine['id']}")
    assert (kept["conflicted"], kept["state"], kept["content"]) == (True, "changes_requested", mine["content"])
    second.refusal("POST", f"/drafts/{mine['id']}/submit", 409)
    second.refusal("PUT", f"/drafts/{mine['id']}", 422, json={"content": kept["content"], "base_revision": 77})
    together = kept["content"].replace("300 USD", "250 USD")
    saved = second("PUT", f"/drafts/{mine['id']}", json={"content": together, "base_revision": 2})
    assert (saved["conflicted"], saved["base_revision"]) == (False, 2)
    second("POST", f"/drafts/{mine['id']}/submit")
    editor.refusal("POST", f"/drafts/{mine['id']}/approve", 403, json={"content_hash": saved["content_hash"]})
    assert approver.approve(saved)["revision"] == 3
    assert "250 USD" in server.doors["reader"]("GET", f"/sops/{sop_id}")["markdown"]


def test_an_edit_voids_what_was_decided_and_its_writer_is_an_author(server: Server) -> None:
    doors = server.doors
    draft = doors["editor"].draft(text("Void"))
    changed = doors["second_editor"]("PUT", f"/drafts/{draft['id']}", json={"content": text("Void", amount=5)})
    told = doors["approver"].refusal(
        "POST", f"/drafts/{draft['id']}/approve", 409, json={"content_hash": draft["content_hash"]}
    )
    assert told["content_hash"] == changed["content_hash"]
    assert sorted(changed["authors"]) == ["editor@example.com", "second_editor@example.com"]
    sent_back = doors["approver"]("POST", f"/drafts/{draft['id']}/request-changes", json={"comment": "Which one?"})
    assert sent_back["state"] == "changes_requested"
    doors["approver"].refusal(
        "POST", f"/drafts/{draft['id']}/approve", 409, json={"content_hash": changed["content_hash"]}
    )


@pytest.fixture(scope="module")
def careful(server: Server) -> str:
    """A department that asks for two approvals. No call and no command sets this yet."""
    stores = open_stores(load_settings(home=server.home))
    try:
        set_rules(stores, actor=OPERATOR, now=datetime.now(UTC), slug="careful", approvals_needed=2)
    finally:
        close_stores(stores)
    return "careful"


def test_two_different_people_approve_where_two_are_asked_for(server: Server, careful: str) -> None:
    doors = server.doors
    draft = doors["editor"].draft(text("Careful", department=careful))
    half = doors["approver"].approve(draft)
    assert (half["state"], half["revision"], half["approvals_missing"]) == ("in_review", None, True)
    doors["manager"].refusal("GET", f"/sops/{draft['sop_id']}", 404)
    doors["approver"].refusal(
        "POST", f"/drafts/{draft['id']}/approve", 409, json={"content_hash": draft["content_hash"]}
    )
    edited = doors["editor"](
        "PUT", f"/drafts/{draft['id']}", json={"content": text("Careful", amount=3, department=careful)}
    )
    assert [one["standing"] for one in edited["approvals"]] == [False]
    assert doors["second_approver"].approve(edited)["state"] == "in_review"
    done = doors["approver"].approve(edited)
    assert (done["state"], done["revision"]) == ("published", 1)
    revision = doors["manager"]("GET", f"/sops/{draft['sop_id']}/revisions/1")
    assert {one["person"] for one in revision["approvals"]} == {"approver@example.com", "second_approver@example.com"}


def test_a_move_between_departments_takes_an_approver_of_each(server: Server) -> None:
    doors = server.doors
    sop_id = server.published(text("Moved"))["sop_id"]
    doors["care_editor"].refusal(
        "POST",
        "/drafts",
        403,
        json={
            "sop_id": sop_id,
            "content": text("Moved", department="payments"),
            "change_summary": "To payments.",
            "significance": "minor",
        },
    )
    draft = doors["editor"].draft(text("Moved", department="payments"), sop_id=sop_id)
    assert doors["care_approver"].approve(draft)["state"] == "in_review"
    doors["outsider"].refusal("GET", f"/sops/{sop_id}", 404)
    assert doors["payments_approver"].approve(draft)["state"] == "published"
    assert doors["outsider"]("GET", f"/sops/{sop_id}")["department"] == "payments"
    doors["reader"].refusal("GET", f"/sops/{sop_id}", 404)
    back = doors["editor"].draft(text("Moved"), sop_id=sop_id)
    assert doors["approver"].approve(back)["state"] == "published"


def test_nothing_is_left_to_mend_after_the_day(server: Server) -> None:
    told = server.run("check")
    assert told.returncode == 0, told.stdout + told.stderr
