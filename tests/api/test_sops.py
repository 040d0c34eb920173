from sop_server.services.background import run_due
from sop_server.services.stores import Stores
from tests.api.operation import As, Clock, Make


def test_single_sop_has_everything_scripts_rely_on(caller: As, publish: Make) -> None:
    publish()
    answer = caller("rita").get("/sops/SOP-0001")
    assert answer.status_code == 200
    sop = answer.get_json()
    assert sop["sop_id"] == "SOP-0001"
    assert sop["title"] == "Refunds over 500 USD"
    assert (sop["department"], sop["owner"]) == ("payments", "asha@example.com")
    assert (sop["process"], sop["systems"]) == ([], ["SAP"])
    assert (sop["revision"], sop["significance"]) == (1, "major")
    assert sop["effective_from"] == "2026-03-02T09:00:00Z"
    assert len(sop["content_hash"]) == 64
    assert sop["markdown"].startswith("---\n")
    assert "<ol" in sop["html"]
    assert [heading["text"] for heading in sop["outline"]] == ["Steps"]
    assert sop["front_matter"]["deputy"] == "ben@example.com"
    assert all({"kind", "since", "detail"} <= reason.keys() for reason in sop["stale"])


def test_stranger_and_outsider_learn_nothing(caller: As, publish: Make) -> None:
    publish()
    for path in ("/sops/SOP-0001", "/sops/SOP-0001/revisions", "/sops/SOP-0001/revisions/1"):
        assert caller("stranger").get(path).status_code == 401
        assert caller("nils").get(path).status_code == 403
        assert caller("cora").get(path).status_code == 404
        assert caller("cora").get(path, at="nonsense").status_code == 404
    assert caller("cora").get("/sops").get_json()["items"] == []


def test_list_shows_what_is_in_force_page_by_page(caller: As, publish: Make, draft: Make) -> None:
    for number in range(3):
        publish(f"Step {number}.")
    draft("Not yet.")
    page = caller("rita").get("/sops", limit=2).get_json()
    rest = caller("rita").get("/sops", limit=2, cursor=page["next"]).get_json()
    assert [sop["sop_id"] for sop in page["items"] + rest["items"]] == ["SOP-0001", "SOP-0002", "SOP-0003"]
    assert rest["next"] is None
    assert "markdown" not in page["items"][0]


def test_empty_value_is_an_absent_one(caller: As, publish: Make) -> None:
    publish()
    assert len(caller("rita").get("/sops", at="", department="", cursor="").get_json()["items"]) == 1


def test_cursor_of_somebody_else_is_told(caller: As) -> None:
    assert caller("rita").get("/sops", cursor="x").status_code == 422


def test_sop_as_of_an_instant(caller: As, publish: Make, clock: Clock) -> None:
    publish("Old way.")
    clock.forward(hours=2)
    publish("New way.", sop_id="SOP-0001")
    rita = caller("rita")
    assert "New way." in rita.get("/sops/SOP-0001").get_json()["markdown"]
    assert "Old way." in rita.get("/sops/SOP-0001", at="2026-03-02T10:00:00Z").get_json()["markdown"]
    # A plus sign that nobody encoded arrives as a blank.
    assert "Old way." in rita.get("/sops/SOP-0001", at="2026-03-02T11:00:00 01:00").get_json()["markdown"]
    assert rita.get("/sops/SOP-0001", at="2026-03-01T00:00:00Z").status_code == 404
    assert rita.get("/sops/SOP-0001", at="2026-03-01").status_code == 422


def test_history_names_who_approved_what(caller: As, publish: Make, clock: Clock) -> None:
    ticket = caller("asha").post("/tickets", source="jira", key="CHG-1", title="New screen").get_json()
    publish("Old way.", tickets=[ticket["id"]])
    clock.forward(hours=1)
    publish("New way.", sop_id="SOP-0001", significance="minor", change_summary="New screen.")
    items = caller("rita").get("/sops/SOP-0001/revisions").get_json()["items"]
    assert [one["revision"] for one in items] == [2, 1]
    assert [one["state"] for one in items] == ["in_force", "superseded"]
    assert items[0]["significance"] == "minor"
    assert items[0]["change_summary"] == "New screen."
    assert items[1]["tickets"] == [ticket["id"]]
    assert items[1]["ticket_labels"] == ["jira:CHG-1"]
    assert items[1]["author"] == "asha@example.com"
    assert [approval["person"] for approval in items[1]["approvals"]] == ["ben@example.com"]
    assert items[1]["approvals"][0]["at"] == items[1]["approved_at"]
    part = caller("rita").get("/sops/SOP-0001/revisions", limit=1).get_json()
    assert [one["revision"] for one in part["items"]] == [2]
    rest = caller("rita").get("/sops/SOP-0001/revisions", limit=1, cursor=part["next"]).get_json()
    assert [one["revision"] for one in rest["items"]] == [1]
    assert rest["next"] is None


def test_single_revision_has_its_text(caller: As, publish: Make) -> None:
    publish("Old way.")
    publish("New way.", sop_id="SOP-0001")
    old = caller("rita").get("/sops/SOP-0001/revisions/1").get_json()
    assert "Old way." in old["markdown"]
    assert "Old way." in old["html"]
    assert caller("rita").get("/sops/SOP-0001/revisions/3").status_code == 404
    assert caller("rita").get("/sops/SOP-0001/revisions/x").status_code == 404


def test_search_finds_what_is_in_force(caller: As, publish: Make, stores: Stores) -> None:
    publish("Open the <b>ledger</b> of refunds.")
    run_due(stores, now=stores.clock())
    found = caller("rita").get("/search", q="ledger").get_json()
    assert found["total"] == 1
    hit = found["items"][0]
    assert (hit["sop_id"], hit["revision"], hit["department"]) == ("SOP-0001", 1, "payments")
    assert "<mark>ledger</mark>" in hit["snippet"]
    assert "<b>" not in hit["snippet"]
    assert found["facets"]["system"] == [{"value": "SAP", "count": 1}]
    assert {"did_you_mean", "next"} <= found.keys()
    assert caller("cora").get("/search", q="ledger").get_json()["total"] == 0
    assert caller("rita").get("/search", q="ledger", system="Zendesk").get_json()["total"] == 0
    assert caller("stranger").get("/search", q="ledger").status_code == 401
    assert caller("nils").get("/search", q="ledger", limit=0).status_code == 403


def test_search_answers_without_an_index(caller: As, publish: Make) -> None:
    publish()
    found = caller("rita").get("/search", q="Refunds").get_json()
    assert found["degraded"] is True
    assert [hit["sop_id"] for hit in found["items"]] == ["SOP-0001"]
