"""The main job over HTTP alone: a change goes live, an approved revision in force stops its clock, the score tells."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.journeys.conftest import Door, Server

TEXT = """---
title: {title}
department: customer-care
owner: editor@example.com
deputy: second_editor@example.com
systems: [Zendesk]
---
## Steps

1. Open the ticket in Zendesk.
2. Refund up to {amount} USD.
"""


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def in_force(
    editor: Door, approver: Door, *, title: str, amount: int, sop_id: str | None = None, tickets: tuple[str, ...] = ()
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "content": TEXT.format(title=title, amount=amount),
        "change_summary": f"Refund up to {amount} USD.",
        "significance": "major",
        "tickets": list(tickets),
    }
    if sop_id is not None:
        body["sop_id"] = sop_id
    draft = editor("POST", "/drafts", 201, json=body)
    editor("POST", f"/drafts/{draft['id']}/submit")
    published: dict[str, Any] = approver(
        "POST", f"/drafts/{draft['id']}/approve", json={"content_hash": draft["content_hash"]}
    )
    assert published["state"] == "published"
    assert published["in_force"] is True
    return published


@pytest.fixture(scope="module")
def sops(server: Server) -> list[str]:
    doors = server.doors
    titles = ["Refunds", "Goodwill credits", "Chargebacks"]
    return [in_force(doors["editor"], doors["approver"], title=title, amount=100)["sop_id"] for title in titles]


def test_a_change_that_went_live_ten_hours_ago_is_met_by_the_approved_revision_alone(
    server: Server, sops: list[str]
) -> None:
    doors = server.doors
    ticket = doors["editor"](
        "POST",
        "/tickets",
        json={"source": "manual", "key": "CHG-1", "title": "New limit", "effective_at": ago(10), "sops": sops[:2]},
    )
    draft = doors["editor"](
        "POST",
        "/drafts",
        201,
        json={
            "sop_id": sops[0],
            "content": TEXT.format(title="Refunds", amount=200),
            "change_summary": "The limit is 200 USD.",
            "significance": "major",
            "tickets": ["manual:CHG-1"],
        },
    )
    doors["editor"]("POST", f"/drafts/{draft['id']}/submit")
    before = doors["manager"]("GET", f"/tickets/{ticket['id']}")
    assert {one["state"] for one in before["obligations"]} == {"pending"}
    doors["editor"]("POST", f"/drafts/{draft['id']}/approve", 403, json={"content_hash": draft["content_hash"]})
    wrong = doors["approver"]("POST", f"/drafts/{draft['id']}/approve", 409, json={"content_hash": "0" * 64})
    assert wrong["status"] == 409

    published = doors["approver"](
        "POST", f"/drafts/{draft['id']}/approve", json={"content_hash": draft["content_hash"]}
    )

    assert (published["sop_id"], published["revision"], published["in_force"]) == (sops[0], 2, True)
    obligations = doors["manager"]("GET", f"/tickets/{ticket['id']}")["obligations"]
    states = {one["sop_id"]: one for one in obligations}
    assert states[sops[0]]["state"] == "met"
    assert states[sops[0]]["exposure_hours"] == pytest.approx(10, abs=0.1)
    assert states[sops[1]]["state"] == "pending"
    sop = doors["reader"]("GET", f"/sops/{sops[0]}")
    assert sop["revision"] == 2
    assert "200 USD" in sop["markdown"]


def test_a_change_past_its_window_is_a_breach_and_a_report_of_before_answers_as_it_did(
    server: Server, sops: list[str]
) -> None:
    manager = server.doors["manager"]
    reports = ("drift", "window", "staleness", "coverage", "knowledge", "feedback")
    time.sleep(0.01)
    instant = datetime.now(UTC).isoformat()
    then = {name: manager("GET", f"/reports/{name}", params={"at": instant}) for name in reports}
    score = then["drift"]["score"]

    ticket = server.doors["editor"](
        "POST",
        "/tickets",
        json={"source": "manual", "key": "CHG-2", "title": "New form", "effective_at": ago(50), "sops": [sops[2]]},
    )

    assert [one["state"] for one in ticket["obligations"]] == ["breached"]
    assert manager("GET", "/reports/drift")["score"] < score
    stale = manager("GET", "/reports/staleness")["items"]
    assert stale[0]["sop_id"] == sops[2]
    assert stale[0]["reasons"][0]["kind"] == "obligation"
    assert "obligation" in [reason["kind"] for reason in manager("GET", f"/sops/{sops[2]}")["stale"]]
    again = {name: manager("GET", f"/reports/{name}", params={"at": instant}) for name in reports}
    for name in reports:
        assert figures(again[name]) == figures(then[name]), name


def figures(report: dict[str, Any]) -> str:
    """Return a report without the count of facts that came late, which is about today."""
    return json.dumps({key: value for key, value in report.items() if not key.startswith("late")}, sort_keys=True)


def test_what_is_in_force_is_found_a_moment_after_it_was_approved(server: Server, sops: list[str]) -> None:
    reader = server.doors["reader"]
    deadline = time.monotonic() + 20
    found: list[str] = []
    while sops[2] not in found:
        assert time.monotonic() < deadline, "the index did not catch up"
        found = [item["sop_id"] for item in reader("GET", "/search", params={"q": "chargebacks"})["items"]]
        time.sleep(0.1)
    assert server.doors["outsider"]("GET", "/search", params={"q": "chargebacks"})["items"] == []
    server.doors["outsider"]("GET", f"/sops/{sops[2]}", 404)


def test_nothing_is_left_to_mend_after_the_day(server: Server, sops: list[str]) -> None:
    told = server.run("check")
    assert told.returncode == 0, told.stdout + told.stderr
