from collections.abc import Callable

import pytest

from tests.api.operation import As, Clock, Make

Text = Callable[..., str]
NEW = {"change_summary": "Says how.", "significance": "major"}
CHANGES = ["submit", "approve", "request-changes", "withdraw"]


def test_editor_starts_a_draft_of_a_new_sop(caller: As, text: Text) -> None:
    answer = caller("asha").post("/drafts", content=text(), **NEW)
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["state"] == "draft"
    assert made["sop_id"] == "SOP-0001"
    assert made["author"] == "asha@example.com"
    assert "id: SOP-0001" in made["content"]
    assert made["base_revision"] is None
    assert made["tickets"] == made["approvals"] == []


@pytest.mark.parametrize(
    ("name", "status"), [("stranger", 401), ("nils", 403), ("rita", 403), ("ben", 403), ("mia", 403), ("ada", 403)]
)
def test_who_may_not_start_a_draft_learns_nothing_of_the_body(caller: As, name: str, status: int) -> None:
    assert caller(name).post("/drafts", nonsense=1).status_code == status


def test_editor_of_another_department_may_not(caller: As, text: Text) -> None:
    assert caller("cora").post("/drafts", content=text(), **NEW).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "change_summary"),
        ({"change_summary": "x"}, "significance"),
        ({**NEW, "significance": "huge"}, "significance"),
        ({**NEW, "significance": None}, "significance"),
        ({**NEW, "change_summary": ""}, "change_summary"),
        ({**NEW, "change_summary": 7}, "change_summary"),
        (NEW, "content"),
        ({**NEW, "content": ""}, "content"),
        ({**NEW, "content": "no title\n"}, "content"),
        ({**NEW, "content": "---\ntitle: [\n---\n"}, "content"),
        ({**NEW, "content": 1}, "content"),
        ({**NEW, "content": "x" * 2_300_000}, "content"),
        ({**NEW, "kind": "delete"}, "kind"),
        ({**NEW, "kind": "retire"}, "sop_id"),
        ({**NEW, "base_revision": 10**30}, "base_revision"),
        ({**NEW, "base_revision": True}, "base_revision"),
        ({**NEW, "reverts": 0}, "reverts"),
        ({**NEW, "tickets": "TKT-1"}, "tickets"),
        ({**NEW, "tickets": [1]}, "tickets.0"),
        ({**NEW, "effective_from": "tomorrow"}, "effective_from"),
        ({**NEW, "effective_from": "2026-01-01T00:00:00"}, "effective_from"),
        ({**NEW, "effective_from": 1767225600}, "effective_from"),
        ({**NEW, "contents": "a slip of the pen"}, "contents"),
    ],
)
def test_bad_body_is_told_by_its_field(caller: As, body: dict[str, object], field: str) -> None:
    answer = caller("asha").post("/drafts", **body)
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    assert field in answer.get_json()["errors"]


def test_draft_of_an_unknown_sop_is_not_found(caller: As, text: Text) -> None:
    assert caller("asha").post("/drafts", sop_id="SOP-9999", content=text(), **NEW).status_code == 404


def test_unknown_ticket_is_told(caller: As, text: Text) -> None:
    answer = caller("asha").post("/drafts", content=text(), tickets=["jira:NONE-1"], **NEW)
    assert answer.status_code == 422
    assert "tickets" in answer.get_json()["errors"]


def test_draft_is_seen_by_those_who_write_and_decide_there_alone(caller: As, draft: Make) -> None:
    made = draft()
    seen = {name: caller(name).get(f"/drafts/{made['id']}").status_code for name in ("asha", "ben", "cora", "rita")}
    assert seen == {"asha": 200, "ben": 200, "cora": 404, "rita": 403}
    assert caller("stranger").get(f"/drafts/{made['id']}").status_code == 401
    assert caller("cora").get("/drafts").get_json()["items"] == []


def test_list_has_the_texts_and_filters(caller: As, draft: Make) -> None:
    first, second = draft(), draft("Do it.", submitted=True)
    listed = caller("ben").get("/drafts").get_json()
    assert [one["id"] for one in listed["items"]] == [second["id"], first["id"]]
    assert listed["items"][1] == caller("ben").get(f"/drafts/{first['id']}").get_json()
    assert listed["next"] is None
    filtered = caller("ben").get("/drafts", state="in_review,approved").get_json()["items"]
    assert [one["id"] for one in filtered] == [second["id"]]
    of_sop = caller("ben").get("/drafts", sop_id=first["sop_id"]).get_json()["items"]
    assert [one["id"] for one in of_sop] == [first["id"]]


def test_list_is_paged(caller: As, draft: Make) -> None:
    made = [draft(f"Step {number}.")["id"] for number in range(3)]
    page = caller("asha").get("/drafts", limit=2).get_json()
    rest = caller("asha").get("/drafts", limit=2, cursor=page["next"]).get_json()
    assert [one["id"] for one in page["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"limit": "many"}, {"cursor": "x"}, {"state": "gone"}, {"colour": "red"}]
)
def test_bad_query_is_told(caller: As, query: dict[str, object]) -> None:
    answer = caller("asha").get("/drafts", **query)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(query)


def test_edit_saves_a_new_text(caller: As, draft: Make, text: Text) -> None:
    made = draft()
    answer = caller("asha").put(f"/drafts/{made['id']}", content=text("Ask first."), change_summary="Asks first.")
    assert answer.status_code == 200
    saved = answer.get_json()
    assert "Ask first." in saved["content"]
    assert saved["content_hash"] != made["content_hash"]
    assert saved["change_summary"] == "Asks first."
    assert saved["significance"] == "major"


def test_stale_edit_is_refused_and_keeps_both_texts_apart(caller: As, draft: Make, text: Text) -> None:
    made = draft()
    tag = caller("asha").get(f"/drafts/{made['id']}").headers["ETag"]
    first = caller("asha").put(f"/drafts/{made['id']}", headers={"If-Match": tag}, content=text("First."))
    assert first.status_code == 200
    assert first.headers["ETag"] != tag
    second = caller("asha").put(f"/drafts/{made['id']}", headers={"If-Match": tag}, content=text("Second."))
    assert second.status_code == 412
    assert "First." in caller("asha").get(f"/drafts/{made['id']}").get_json()["content"]


@pytest.mark.parametrize("tag", ['"nonsense"', 'W/"99"', "", "💥"])
def test_a_tag_that_is_not_the_drafts_is_stale(caller: As, draft: Make, text: Text, tag: str) -> None:
    made = draft()
    headers = {"If-Match": tag.encode("utf-8").decode("latin-1")}
    assert caller("asha").put(f"/drafts/{made['id']}", headers=headers, content=text("x")).status_code == 412


def test_the_content_hash_or_a_star_guards_an_edit_too(caller: As, draft: Make, text: Text) -> None:
    made = draft()
    for number, tag in enumerate((f'"{made["content_hash"]}"', "*")):
        answer = caller("asha").put(f"/drafts/{made['id']}", headers={"If-Match": tag}, content=text(f"{number}."))
        assert answer.status_code == 200


def test_the_tag_of_an_edit_hides_nothing_that_came_after_it(caller: As, draft: Make) -> None:
    asha = caller("asha")
    made = draft()
    tag = asha.get(f"/drafts/{made['id']}").headers["ETag"]
    again = asha.client.get(f"/api/v1/drafts/{made['id']}", headers={**asha.headers, "If-None-Match": tag})
    assert again.status_code == 200, "approvals and names change without an edit"
    assert again.json == made


@pytest.mark.parametrize("verb", CHANGES)
def test_nobody_moves_a_draft_without_the_right(caller: As, draft: Make, verb: str) -> None:
    made = draft(submitted=verb in {"approve", "request-changes"})
    path = f"/drafts/{made['id']}/{verb}"
    assert caller("stranger").post(path, nonsense=1).status_code == 401
    assert caller("rita").post(path, nonsense=1).status_code == 403
    assert caller("mia").post(path, nonsense=1).status_code == 403
    assert caller("asha-reading").post(path).status_code == 403
    stranger_to_it = "cora" if verb in {"submit", "withdraw"} else "carl"
    assert caller(stranger_to_it).post(path, nonsense=1).status_code == 404
    allowed = "asha" if verb in {"submit", "withdraw"} else "ben"
    assert caller(allowed).post("/drafts/DRF-9999/" + verb, nonsense=1).status_code == 404
    assert caller(allowed).post(path, nonsense=1).status_code == 422
    assert caller("asha").get(f"/drafts/{made['id']}").get_json()["state"] == made["state"]


def test_approval_publishes(caller: As, draft: Make) -> None:
    made = draft(submitted=True)
    answer = caller("ben").post(f"/drafts/{made['id']}/approve", content_hash=made["content_hash"])
    assert answer.status_code == 200
    outcome = answer.get_json()
    assert (outcome["state"], outcome["sop_id"], outcome["revision"]) == ("published", "SOP-0001", 1)
    assert outcome["in_force"] is True
    assert outcome["effective_from"] == "2026-03-02T09:00:00Z"
    assert caller("rita").get("/sops/SOP-0001").status_code == 200


def test_approval_of_a_later_instant_schedules(caller: As, draft: Make, clock: Clock) -> None:
    made = draft(submitted=True)
    outcome = caller("ben").post(
        f"/drafts/{made['id']}/approve", content_hash=made["content_hash"], effective_from="2026-03-03T10:00:00+01:00"
    )
    assert outcome.get_json()["in_force"] is False
    assert outcome.get_json()["effective_from"] == "2026-03-03T09:00:00Z"
    assert caller("rita").get("/sops/SOP-0001").status_code == 404
    clock.forward(hours=24)
    assert caller("rita").get("/sops/SOP-0001").status_code == 200


def test_approval_in_the_past_is_refused(caller: As, draft: Make) -> None:
    made = draft(submitted=True)
    answer = caller("ben").post(
        f"/drafts/{made['id']}/approve", content_hash=made["content_hash"], effective_from="2026-03-02T08:59:00Z"
    )
    assert answer.status_code == 422
    assert "effective_from" in answer.get_json()["errors"]


def test_approval_of_another_text_is_a_conflict_that_names_the_hash(caller: As, draft: Make) -> None:
    made = draft(submitted=True)
    answer = caller("ben").post(f"/drafts/{made['id']}/approve", content_hash="0" * 64)
    assert answer.status_code == 409
    assert answer.get_json()["content_hash"] == made["content_hash"]


def test_author_cannot_approve_own_draft(caller: As, draft: Make) -> None:
    made = draft(by="both", submitted=True)
    path = f"/drafts/{made['id']}/approve"
    assert caller("both").post(path, content_hash=made["content_hash"]).status_code == 403
    assert caller("both").post(path).status_code == 403
    assert caller("ben").post(path, content_hash=made["content_hash"]).status_code == 200


def test_requested_changes_say_what(caller: As, draft: Make) -> None:
    made = draft(submitted=True)
    path = f"/drafts/{made['id']}/request-changes"
    assert caller("ben").post(path).status_code == 422
    answer = caller("ben").post(path, comment="Say which screen.")
    assert answer.status_code == 200
    assert answer.get_json()["state"] == "changes_requested"
    assert answer.get_json()["approvals"][0]["comment"] == "Say which screen."


def test_withdrawn_draft_is_over(caller: As, draft: Make) -> None:
    made = draft()
    assert caller("asha").post(f"/drafts/{made['id']}/withdraw").get_json()["state"] == "withdrawn"
    assert caller("asha").post(f"/drafts/{made['id']}/submit").status_code == 409


def test_retiring_is_a_draft_too(caller: As, publish: Make) -> None:
    publish()
    made = caller("asha").post("/drafts", sop_id="SOP-0001", kind="retire", **NEW).get_json()
    sent = caller("asha").post(f"/drafts/{made['id']}/submit").get_json()
    done = caller("ben").post(f"/drafts/{made['id']}/approve", content_hash=sent["content_hash"])
    assert done.get_json()["revision"] == 2
    gone = caller("rita").get("/sops/SOP-0001")
    assert gone.status_code == 410
    assert ". Its history is still there" in gone.get_json()["detail"]
    assert ".." not in gone.get_json()["detail"]


def test_undo_has_the_old_text(caller: As, publish: Make) -> None:
    publish("Old way.")
    publish("New way.", sop_id="SOP-0001")
    answer = caller("asha").post("/drafts", sop_id="SOP-0001", reverts=2, **NEW)
    assert answer.status_code == 201
    assert "Old way." in answer.get_json()["content"]
    assert answer.get_json()["reverts"] == 2


def test_ticket_that_one_may_not_see_is_told_as_unknown(caller: As, publish: Make, draft: Make, text: Text) -> None:
    publish()
    caller("mia").post("/tickets", source="jira", key="CHG-1", title="A secret change", sops=["SOP-0001"])
    assert caller("cora").get("/tickets/TKT-0001").status_code == 404

    body = {"content": text(department="customer-care"), "change_summary": "Says how.", "significance": "major"}
    for reference in ("TKT-0001", "jira:CHG-1", "TKT-0404", "jira:NOPE"):
        refused = caller("cora").post("/drafts", **body, tickets=[reference])
        assert (refused.status_code, refused.get_json()["errors"]) == (422, {"tickets": f"unknown: {reference}"})
    made = draft(by="cora", content=body["content"])
    refused = caller("cora").put(f"/drafts/{made['id']}", tickets=["TKT-0001"])
    assert (refused.status_code, refused.get_json()["errors"]) == (422, {"tickets": "unknown: TKT-0001"})


def test_requested_changes_answer_with_the_tickets_of_the_draft(caller: As, draft: Make) -> None:
    caller("mia").post("/tickets", source="jira", key="CHG-1", title="New limit")
    made = draft(submitted=True, tickets=["TKT-0001"])
    sent = caller("ben").post(f"/drafts/{made['id']}/request-changes", comment="Say more.").get_json()
    assert sent["tickets"] == made["tickets"]
    assert sent["state"] == "changes_requested"
