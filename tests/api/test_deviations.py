from datetime import timedelta
from typing import Any

import pytest

from tests.api.operation import START, As, Clock, Make

ENDS = "2026-03-12T09:00:00Z"


@pytest.fixture
def sop_id(publish: Make) -> str:
    return str(publish()["sop_id"])


@pytest.fixture
def proposed(caller: As, sop_id: str) -> dict[str, Any]:
    answer = caller("asha").post(
        f"/sops/{sop_id}/deviations", step="Step 1", instead="Open the list.", why="SAP is down.", ends_at=ENDS
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


@pytest.fixture
def approved(caller: As, proposed: dict[str, Any]) -> dict[str, Any]:
    answer = caller("ben").post(f"/deviations/{proposed['id']}/approve", content_hash=proposed["content_hash"])
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def test_a_proposal_is_answered_with_what_an_approval_is_bound_to(proposed: dict[str, Any], sop_id: str) -> None:
    assert (proposed["id"], proposed["sop_id"], proposed["state"]) == ("DEV-0001", sop_id, "proposed")
    assert (proposed["ends_at"], proposed["revision"], proposed["teams"]) == (ENDS, 1, [])
    assert len(proposed["content_hash"]) == 64


def test_a_sop_lists_what_is_in_force_and_to_come(
    caller: As, approved: dict[str, Any], sop_id: str, clock: Clock
) -> None:
    for found in (
        caller("rita").get(f"/sops/{sop_id}").get_json(),
        caller("rita").get("/sops").get_json()["items"][0],
    ):
        (mark,) = found["deviations"]
        assert (mark["id"], mark["state"], mark["approved_by"]) == (approved["id"], "in_force", "Ben")
        assert (mark["instead"], mark["ends_at"]) == ("Open the list.", ENDS)

    clock.forward(days=10)
    assert caller("rita").get(f"/sops/{sop_id}").get_json()["deviations"] == []
    past = (START + timedelta(hours=1)).isoformat()
    assert len(caller("rita").get(f"/sops/{sop_id}", at=past).get_json()["deviations"]) == 1


def test_an_approval_of_other_words_answers_409_with_their_hash(caller: As, proposed: dict[str, Any]) -> None:
    edited = caller("asha").put(
        f"/deviations/{proposed['id']}",
        content_hash=proposed["content_hash"],
        instead="Open nothing.",
        why="SAP is down.",
        ends_at=ENDS,
    )
    assert edited.status_code == 200, edited.text

    answer = caller("ben").post(f"/deviations/{proposed['id']}/approve", content_hash=proposed["content_hash"])

    assert answer.status_code == 409
    assert answer.get_json()["content_hash"] == edited.get_json()["content_hash"]
    again = caller("asha").put(
        f"/deviations/{proposed['id']}",
        content_hash=proposed["content_hash"],
        instead="Mine.",
        why="SAP is down.",
        ends_at=ENDS,
    )
    assert again.status_code == 412


def test_nobody_approves_their_own(caller: As, sop_id: str) -> None:
    own = caller("both").post(f"/sops/{sop_id}/deviations", instead="Mine.", why="So.", ends_at=ENDS).get_json()
    for decision, body in (("approve", {"content_hash": own["content_hash"]}), ("refuse", {"reason": "No."})):
        assert caller("both").post(f"/deviations/{own['id']}/{decision}", **body).status_code == 403


def test_a_stranger_gets_401_a_wrong_role_403_and_another_department_404(
    caller: As, proposed: dict[str, Any], sop_id: str
) -> None:
    path = f"/deviations/{proposed['id']}"
    assert caller("stranger").get(path).status_code == 401
    assert caller("rita").get(path).status_code == 404
    assert caller("cora").get(path).status_code == 404
    assert caller("carl").post(f"{path}/approve").status_code == 404
    assert caller("asha").post(f"{path}/approve").status_code == 403
    assert caller("asha-reading").post(f"{path}/withdraw").status_code == 403
    assert caller("rita").post(f"/sops/{sop_id}/deviations").status_code == 403
    assert caller("cora").post(f"/sops/{sop_id}/deviations").status_code == 404
    assert caller("asha").post(f"/sops/{sop_id}/deviations").status_code == 422


def test_lists_are_narrowed_and_hide_proposals_from_readers(caller: As, approved: dict[str, Any], sop_id: str) -> None:
    waits = caller("asha").post(f"/sops/{sop_id}/deviations", instead="x", why="y", ends_at=ENDS).get_json()

    def ids(who: str, path: str, **query: object) -> list[str]:
        return [one["id"] for one in caller(who).get(path, **query).get_json()["items"]]

    assert ids("asha", "/deviations") == [waits["id"], approved["id"]]
    assert ids("asha", "/deviations", state="proposed", department="payments", sop=sop_id) == [waits["id"]]
    assert ids("rita", f"/sops/{sop_id}/deviations") == [approved["id"]]
    assert ids("cora", "/deviations") == []
    assert caller("asha").get("/deviations", state="odd").status_code == 422
    assert caller("cora").get("/deviations", sop=sop_id).status_code == 404
    first = caller("asha").get("/deviations", limit=1).get_json()
    assert ids("asha", "/deviations", limit=1, cursor=first["next"]) == [approved["id"]]


def test_how_it_was_written_is_for_those_who_see_drafts(caller: As, approved: dict[str, Any]) -> None:
    path = f"/deviations/{approved['id']}"
    assert [one["person"] for one in caller("asha").get(path).get_json()["wordings"]] == ["asha@example.com"]
    assert caller("rita").get(path).get_json()["wordings"] == []
    assert caller("rita").get("/deviations").get_json()["items"][0]["wordings"] == []
    assert caller("max").post(f"{path}/end", reason="Over.").get_json()["wordings"] == []


def test_it_is_refused_withdrawn_and_ended(caller: As, approved: dict[str, Any], sop_id: str) -> None:
    def propose() -> str:
        made = caller("asha").post(f"/sops/{sop_id}/deviations", instead="x", why="y", ends_at=ENDS)
        return str(made.get_json()["id"])

    refused = caller("ben").post(f"/deviations/{propose()}/refuse", reason="Not safe.")
    assert (refused.status_code, refused.get_json()["state"]) == (200, "refused")
    withdrawn = caller("asha").post(f"/deviations/{propose()}/withdraw")
    assert (withdrawn.status_code, withdrawn.get_json()["state"]) == (200, "withdrawn")
    assert caller("max").post(f"/deviations/{approved['id']}/end", reason="").status_code == 422
    ended = caller("max").post(f"/deviations/{approved['id']}/end", reason="SAP is back.")
    assert (ended.status_code, ended.get_json()["state"]) == (200, "ended_early")
    assert caller("max").post(f"/deviations/{approved['id']}/end", reason="Again.").status_code == 409
