import pytest

from tests.api.operation import As, Clock, Make

REPORT = {"kind": "outdated", "what_happened": "The screen is gone.", "case_reference": "C-17"}
REVIEW = {"outcome": "confirmed", "note": "Walked through it with the team."}


def test_reader_acknowledges_the_revision_in_force(caller: As, publish: Make) -> None:
    publish()
    rita = caller("rita")
    (waiting,) = rita.get("/me/to-read").get_json()["items"]
    assert (waiting["sop_id"], waiting["revision"], waiting["due_at"]) == ("SOP-0001", 1, "2026-03-09T09:00:00Z")
    answer = rita.post("/sops/SOP-0001/acknowledgements", revision=1)
    assert answer.status_code == 201
    assert answer.get_json()["acknowledged_at"] == "2026-03-02T09:00:00Z"
    assert rita.post("/sops/SOP-0001/acknowledgements", revision=1).status_code == 200
    assert rita.get("/me/to-read").get_json()["items"] == []


def test_another_revision_cannot_be_acknowledged(caller: As, publish: Make, clock: Clock) -> None:
    publish()
    clock.forward(hours=1)
    publish("New way.", sop_id="SOP-0001")
    assert caller("rita").post("/sops/SOP-0001/acknowledgements", revision=1).status_code == 409
    assert caller("rita").post("/sops/SOP-0001/acknowledgements", revision=3).status_code == 409


@pytest.mark.parametrize("verb", ["acknowledgements", "feedback", "reviews"])
def test_participation_is_for_those_who_may_read(caller: As, publish: Make, verb: str) -> None:
    publish()
    assert caller("stranger").post(f"/sops/SOP-0001/{verb}", nonsense=1).status_code == 401
    assert caller("nils").post(f"/sops/SOP-0001/{verb}", nonsense=1).status_code == 403
    assert caller("cora").post(f"/sops/SOP-0001/{verb}", nonsense=1).status_code == 404
    assert caller("asha").post(f"/sops/SOP-0404/{verb}", nonsense=1).status_code == 404
    assert caller("asha").post(f"/sops/SOP-0001/{verb}", nonsense=1).status_code == 422


@pytest.mark.parametrize("revision", ["1", 1.5, True, 0, -1, 10**40, None])
def test_revision_is_a_number(caller: As, publish: Make, revision: object) -> None:
    publish()
    answer = caller("rita").post("/sops/SOP-0001/acknowledgements", revision=revision)
    assert list(answer.get_json()["errors"]) == ["revision"]


def test_feedback_from_report_to_triage(caller: As, publish: Make) -> None:
    publish()
    answer = caller("rita").post("/sops/SOP-0001/feedback", **REPORT)
    assert answer.status_code == 201
    report = answer.get_json()
    assert (report["kind"], report["reporter"], report["revision"]) == ("outdated", "rita@example.com", 1)
    assert report["outcome"] is None
    path = f"/feedback/{report['id']}"
    assert caller("asha").get(path).get_json()["what_happened"] == "The screen is gone."
    assert caller("cora").get(path).status_code == 404
    assert [one["id"] for one in caller("asha").get("/sops/SOP-0001/feedback").get_json()["items"]] == [report["id"]]
    assert [one["id"] for one in caller("rita").get("/me/feedback").get_json()["items"]] == [report["id"]]
    assert caller("cora").get("/feedback").get_json()["items"] == []
    assert caller("rita").post(f"{path}/triage", nonsense=1).status_code == 403
    assert caller("cora").post(f"{path}/triage", nonsense=1).status_code == 404
    assert caller("asha").post(f"{path}/triage", nonsense=1).status_code == 422
    assert list(caller("asha").post(f"{path}/triage", outcome="rejected").get_json()["errors"]) == ["reason"]
    decided = caller("asha").post(f"{path}/triage", outcome="sop_change").get_json()
    assert decided["outcome"] == "sop_change"
    assert caller("asha").post(f"{path}/triage", outcome="ai_tuning").status_code == 409
    assert caller("asha").get("/feedback", triaged="false").get_json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**REPORT, "kind": "bad"}, "kind"),
        ({**REPORT, "what_happened": " "}, "what_happened"),
        ({**REPORT, "what_happened": "Card 4111 1111 1111 1111 was charged."}, "what_happened"),
        ({**REPORT, "what_was_done": 3}, "what_was_done"),
    ],
)
def test_bad_feedback_is_told_by_its_field(caller: As, publish: Make, body: dict[str, object], field: str) -> None:
    publish()
    answer = caller("rita").post("/sops/SOP-0001/feedback", **body)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]


def test_a_case_that_no_sop_covers_is_reported_too(caller: As) -> None:
    answer = caller("rita").post("/feedback", kind="edge_case", what_happened="A cheque from 1998.")
    assert answer.status_code == 201
    assert answer.get_json()["sop_id"] is None


def test_confirming_review_renews(caller: As, publish: Make, clock: Clock) -> None:
    publish()
    clock.forward(days=30)
    answer = caller("asha").post("/sops/SOP-0001/reviews", **REVIEW)
    assert answer.status_code == 201
    assert (answer.get_json()["renews"], answer.get_json()["draft_id"]) == (True, None)
    assert caller("rita").get("/sops/SOP-0001").get_json()["next_review_at"] == "2027-04-01T09:00:00Z"
    assert len(caller("rita").get("/sops/SOP-0001/reviews").get_json()["items"]) == 1


def test_review_that_says_retire_opens_the_draft(caller: As, publish: Make) -> None:
    publish()
    given = caller("asha").post("/sops/SOP-0001/reviews", outcome="retire", note="Nobody does this.").get_json()
    assert given["renews"] is False
    draft = caller("asha").get(f"/drafts/{given['draft_id']}").get_json()
    assert (draft["kind"], draft["sop_id"], draft["change_summary"]) == ("retire", "SOP-0001", "Nobody does this.")


def test_review_needs_the_right_and_a_note(caller: As, publish: Make) -> None:
    publish()
    assert caller("rita").post("/sops/SOP-0001/reviews", **REVIEW).status_code == 403
    assert caller("mia").post("/sops/SOP-0001/reviews", **REVIEW).status_code == 403
    for body, field in (({"outcome": "fine", "note": "x"}, "outcome"), ({"outcome": "confirmed", "note": ""}, "note")):
        assert list(caller("asha").post("/sops/SOP-0001/reviews", **body).get_json()["errors"]) == [field]


def test_me_tells_for_whom_the_token_acts(caller: As) -> None:
    me = caller("asha-reading").get("/me").get_json()
    assert me == {
        "email": "asha@example.com",
        "name": "Asha",
        "roles": ["editor@payments"],
        "teams": [],
        "scope": "read",
    }
    assert caller("nils").get("/me").status_code == 200
    assert caller("stranger").get("/me").status_code == 401
