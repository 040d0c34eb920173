import pytest

from tests.api.operation import As, Clock, Make

TICKET = {"source": "jira", "key": "CHG-1", "title": "New limit"}


def test_ticket_without_sops_is_one_triage(caller: As) -> None:
    answer = caller("mia").post("/tickets", **TICKET)
    assert answer.status_code == 201
    ticket = answer.get_json()
    assert ticket["id"] == "TKT-0001"
    assert (ticket["status"], ticket["t0_source"]) == ("planned", "created")
    assert ticket["sops"] == []
    assert [one["sop_id"] for one in ticket["obligations"]] == [None]


@pytest.mark.parametrize(
    ("name", "status"), [("stranger", 401), ("nils", 403), ("rita", 403), ("ben", 403), ("ada", 403)]
)
def test_who_may_not_write_tickets_learns_nothing_of_the_body(caller: As, name: str, status: int) -> None:
    assert caller(name).post("/tickets", nonsense=1).status_code == status


@pytest.mark.parametrize("name", ["stranger", "nils", "rita"])
def test_who_may_not_see_tickets(caller: As, name: str) -> None:
    caller("mia").post("/tickets", **TICKET)
    assert caller(name).get("/tickets").status_code == (401 if name == "stranger" else 403)
    assert caller(name).get("/tickets/TKT-0001").status_code == (401 if name == "stranger" else 403)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "source"),
        ({**TICKET, "title": ""}, "title"),
        ({**TICKET, "title": None}, "title"),
        ({**TICKET, "source": "a b"}, "source"),
        ({**TICKET, "status": "maybe"}, "status"),
        ({**TICKET, "effective_at": "soon"}, "effective_at"),
        ({**TICKET, "effective_at": "9999-12-31T00:00:00Z"}, "effective_at"),
        ({**TICKET, "actual_end": "1999-12-31T00:00:00Z"}, "actual_end"),
        ({**TICKET, "sops": ["SOP-0404"]}, "sops"),
        ({**TICKET, "sops": "SOP-0001"}, "sops"),
        ({**TICKET, "processes": ["PROC-404"]}, "processes"),
        ({**TICKET, "t0": "2026-01-01T00:00:00Z"}, "t0"),
    ],
)
def test_bad_ticket_is_told_by_its_field(caller: As, body: dict[str, object], field: str) -> None:
    answer = caller("mia").post("/tickets", **body)
    assert answer.status_code == 422, answer.text
    assert field in answer.get_json()["errors"]
    assert caller("mia").get("/tickets").get_json()["items"] == []


def test_posting_again_changes_and_never_takes_sops_away(caller: As, publish: Make) -> None:
    publish()
    publish("Other.")
    mia = caller("mia")
    mia.post("/tickets", **TICKET, sops=["SOP-0001"], effective_at="2026-03-05T00:00:00Z")
    again = mia.post("/tickets", **{**TICKET, "title": "Newer limit"}, sops=["SOP-0002"])
    assert again.status_code == 200
    ticket = again.get_json()
    assert ticket["id"] == "TKT-0001"
    assert ticket["title"] == "Newer limit"
    assert ticket["sops"] == ["SOP-0001", "SOP-0002"]
    assert ticket["t0"] == "2026-03-05T00:00:00Z"
    assert [one["state"] for one in ticket["obligations"]] == ["upcoming", "upcoming"]


def test_null_clears_and_absence_keeps(caller: As) -> None:
    mia = caller("mia")
    mia.post("/tickets", **TICKET, effective_at="2026-03-05T00:00:00Z", announced_at="2026-03-01T00:00:00Z")
    assert mia.patch("/tickets/TKT-0001", title="Other").get_json()["t0_source"] == "stated"
    cleared = mia.patch("/tickets/TKT-0001", effective_at=None).get_json()
    assert (cleared["effective_at"], cleared["t0_source"]) == (None, "announced")


def test_ticket_is_read_by_id_or_reference(caller: As) -> None:
    caller("mia").post("/tickets", **TICKET)
    assert caller("ben").get("/tickets/TKT-0001").get_json()["key"] == "CHG-1"
    assert caller("ben").get("/tickets/jira:CHG-1").get_json()["id"] == "TKT-0001"
    assert caller("ben").get("/tickets/TKT-0404").status_code == 404


def test_change_is_not_everybodys(caller: As) -> None:
    caller("mia").post("/tickets", **TICKET)
    assert caller("stranger").patch("/tickets/TKT-0001", title="x").status_code == 401
    assert caller("ben").patch("/tickets/TKT-0001", nonsense=1).status_code == 403
    assert caller("mia").patch("/tickets/TKT-0404", nonsense=1).status_code == 404
    assert caller("mia").patch("/tickets/TKT-0001", nonsense=1).status_code == 422
    assert caller("mia").patch("/tickets/TKT-0001", key="OTHER").status_code == 422


def test_ticket_of_sops_one_may_not_read_does_not_exist(caller: As, publish: Make) -> None:
    publish()
    caller("mia").post("/tickets", **TICKET, sops=["SOP-0001"])
    assert caller("cora").get("/tickets/TKT-0001").status_code == 404
    assert caller("cora").patch("/tickets/TKT-0001", nonsense=1).status_code == 404
    assert caller("cora").get("/tickets").get_json()["items"] == []


def test_confirmed_go_live_goes_before_the_rest(caller: As) -> None:
    mia = caller("mia")
    mia.post("/tickets", **TICKET, effective_at="2026-03-05T00:00:00Z")
    assert mia.post("/tickets/TKT-0001/go-live", t0="2026-03-04T00:00:00Z").status_code == 422
    answer = mia.post("/tickets/TKT-0001/go-live", t0="2026-03-04T00:00:00Z", reason="Seen in production.")
    assert answer.status_code == 200
    assert (answer.get_json()["t0"], answer.get_json()["t0_source"]) == ("2026-03-04T00:00:00Z", "confirmed")
    assert caller("rita").post("/tickets/TKT-0001/go-live", nonsense=1).status_code == 403
    assert mia.post("/tickets/TKT-0404/go-live", nonsense=1).status_code == 404


def test_list_filters_and_pages(caller: As, clock: Clock) -> None:
    mia = caller("mia")
    for number in range(3):
        mia.post("/tickets", source="jira", key=f"CHG-{number}", title=f"Change {number}")
        clock.forward(minutes=1)
    mia.post("/tickets", source="github", key="7", title="Other", status="cancelled")
    assert [one["key"] for one in mia.get("/tickets", source="github").get_json()["items"]] == ["7"]
    assert [one["key"] for one in mia.get("/tickets", q="change 1").get_json()["items"]] == ["CHG-1"]
    assert [one["key"] for one in mia.get("/tickets", status="cancelled").get_json()["items"]] == ["7"]
    page = mia.get("/tickets", limit=3).get_json()
    rest = mia.get("/tickets", limit=3, cursor=page["next"]).get_json()
    assert [one["key"] for one in page["items"] + rest["items"]] == ["7", "CHG-2", "CHG-1", "CHG-0"]
    assert mia.get("/tickets", state="lost").status_code == 422


def test_naming_a_sop_takes_the_place_of_the_triage(caller: As, publish: Make) -> None:
    publish()
    mia = caller("mia")
    mia.post("/tickets", **TICKET)
    answer = mia.post("/tickets/TKT-0001/obligations", sop_id="SOP-0001")
    assert answer.status_code == 201
    obligation = answer.get_json()
    assert (obligation["sop_id"], obligation["ticket_id"], obligation["state"]) == ("SOP-0001", "TKT-0001", "pending")
    listed = mia.get("/tickets/TKT-0001/obligations").get_json()["items"]
    assert [one["id"] for one in listed] == [obligation["id"]]
    assert caller("rita").post("/tickets/TKT-0001/obligations", nonsense=1).status_code == 403
    assert mia.post("/tickets/TKT-0404/obligations", nonsense=1).status_code == 404
    assert mia.post("/tickets/TKT-0001/obligations", sop_id="SOP-0404").status_code == 422


def test_revision_that_references_the_ticket_meets_it(caller: As, publish: Make, clock: Clock) -> None:
    publish()
    caller("mia").post("/tickets", **TICKET, sops=["SOP-0001"], effective_at="2026-03-02T10:00:00Z")
    clock.forward(hours=11)
    publish("New limit.", sop_id="SOP-0001", tickets=["jira:CHG-1"])
    (obligation,) = caller("ben").get("/tickets/TKT-0001/obligations").get_json()["items"]
    assert obligation["state"] == "met"
    assert obligation["due_at"] == "2026-03-04T10:00:00Z"
    assert obligation["stopped_at"] == "2026-03-02T20:00:00Z"
    assert obligation["exposure_hours"] == 10.0


def test_not_needed_takes_two_people(caller: As, publish: Make) -> None:
    publish()
    caller("mia").post("/tickets", **TICKET, sops=["SOP-0001"])
    (obligation,) = caller("asha").get("/obligations").get_json()["items"]
    path = f"/obligations/{obligation['id']}"
    assert caller("asha").post(f"{path}/confirm").status_code == 403
    assert caller("ben").post(f"{path}/confirm").status_code == 409
    assert caller("mia").post(f"{path}/not-needed").status_code == 422
    assert caller("mia").post(f"{path}/not-needed", reason="The limit is not in it.").status_code == 200
    assert caller("max").post(f"{path}/not-needed", reason="Nor here.").status_code == 409
    assert caller("mia").post(f"{path}/confirm").status_code == 403
    confirmed = caller("ben").post(f"{path}/confirm").get_json()
    assert confirmed["state"] == "not_needed"
    assert confirmed["not_needed"]["confirmed_by"] == "ben@example.com"
    assert caller("ben").get("/obligations").get_json()["items"] == []


@pytest.mark.parametrize("verb", ["not-needed", "confirm", "decline"])
def test_not_needed_is_not_everybodys(caller: As, publish: Make, verb: str) -> None:
    publish()
    caller("mia").post("/tickets", **TICKET, sops=["SOP-0001"])
    path = f"/obligations/OBL-0001/{verb}"
    assert caller("stranger").post(path, nonsense=1).status_code == 401
    assert caller("rita").post(path, nonsense=1).status_code == 403
    assert caller("cora" if verb == "not-needed" else "carl").post(path, nonsense=1).status_code == 404
    assert caller("mia").post(path, nonsense=1).status_code == 422
    assert caller("mia").post(f"/obligations/OBL-0404/{verb}", nonsense=1).status_code == 404


def test_a_second_person_may_say_no_to_not_needed(caller: As, publish: Make) -> None:
    publish()
    caller("mia").post("/tickets", **TICKET, sops=["SOP-0001"])
    path = "/obligations/OBL-0001"
    assert caller("ben").post(f"{path}/decline", reason="Why not?").status_code == 409
    caller("asha").post(f"{path}/not-needed", reason="The limit is not in it.")
    assert caller("ben").post(f"{path}/decline").status_code == 422
    declined = caller("ben").post(f"{path}/decline", reason="Step 3 names it.").get_json()
    assert (declined["state"], declined["not_needed"]) == ("pending", None)
    assert [(one["reason"], one["declined_by"], one["declined_because"]) for one in declined["declined"]] == [
        ("The limit is not in it.", "ben@example.com", "Step 3 names it.")
    ]
    assert caller("asha").post(f"{path}/not-needed", reason="Step 3 is gone.").status_code == 200
    assert caller("ben").post(f"{path}/confirm").get_json()["state"] == "not_needed"
