import pytest

from tests.api.operation import As, Make

PROCESS = {"name": "Refunds", "department": "payments", "criticality": "critical", "systems": ["SAP"]}


def test_manager_registers_a_process(caller: As) -> None:
    answer = caller("mia").post("/processes", **PROCESS)
    assert answer.status_code == 201
    process = answer.get_json()
    assert process["id"] == "PROC-001"
    assert (process["status"], process["criticality"]) == ("active", "critical")
    assert process["registered_at"] == "2026-03-02T09:00:00Z"
    assert (process["sops"], process["documented"]) == ([], False)


@pytest.mark.parametrize(
    ("name", "status"), [("stranger", 401), ("nils", 403), ("rita", 403), ("asha", 403), ("ben", 403), ("ada", 403)]
)
def test_who_may_not_learns_nothing_of_the_body(caller: As, name: str, status: int) -> None:
    assert caller(name).post("/processes", nonsense=1).status_code == status
    assert caller(name).patch("/processes/PROC-001", nonsense=1).status_code == status


def test_manager_of_one_department_stays_in_it(caller: As) -> None:
    assert caller("max").post("/processes", name="Claims", department="claims").status_code == 403
    caller("mia").post("/processes", name="Claims", department="claims")
    assert caller("max").patch("/processes/PROC-001", nonsense=1).status_code == 404
    assert caller("max").patch("/processes/PROC-001", name="Mine").status_code == 404
    assert caller("asha").patch("/processes/PROC-001", nonsense=1).status_code == 403
    for name in ("rita", "asha", "ben", "max"):
        assert caller(name).get("/processes/PROC-001").status_code == 404
        assert caller(name).get("/processes").get_json()["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({**PROCESS, "criticality": "very"}, "criticality"),
        ({**PROCESS, "owner": "nobody"}, "owner"),
        ({**PROCESS, "id": "PROC-009"}, "id"),
        ({**PROCESS, "registered_at": "2030-01-01T00:00:00Z"}, "registered_at"),
    ],
)
def test_bad_process_is_told_by_its_field(caller: As, body: dict[str, object], field: str) -> None:
    answer = caller("mia").post("/processes", **body)
    assert answer.status_code == 422, answer.text
    assert field in answer.get_json()["errors"]


def test_change_keeps_what_is_not_named(caller: As) -> None:
    mia = caller("mia")
    mia.post("/processes", **PROCESS)
    changed = mia.patch("/processes/PROC-001", owner="asha@example.com").get_json()
    assert (changed["name"], changed["owner"]) == ("Refunds", "asha@example.com")
    assert mia.patch("/processes/PROC-001", owner=None).get_json()["owner"] is None


def test_bad_change_is_told_and_changes_nothing(caller: As) -> None:
    mia = caller("mia")
    mia.post("/processes", **PROCESS)
    assert mia.patch("/processes/PROC-404", nonsense=1).status_code == 404
    assert mia.patch("/processes/PROC-001", nonsense=1).status_code == 422
    answer = mia.patch("/processes/PROC-001", name="Other", status="asleep")
    assert list(answer.get_json()["errors"]) == ["status"]
    assert mia.get("/processes/PROC-001").get_json()["name"] == "Refunds"


def test_retired_process_stays_in_the_register(caller: As) -> None:
    mia = caller("mia")
    mia.post("/processes", **PROCESS)
    assert mia.patch("/processes/PROC-001", status="retired").get_json()["status"] == "retired"
    assert mia.patch("/processes/PROC-001", status="retired").status_code == 200
    assert mia.get("/processes", status="active").get_json()["items"] == []
    assert mia.patch("/processes/PROC-001", status="active").get_json()["status"] == "active"


def test_process_names_the_sops_in_force(caller: As, publish: Make) -> None:
    caller("mia").post("/processes", **PROCESS)
    text = "---\ntitle: Refunds\ndepartment: payments\nprocess: PROC-001\n---\nDo it.\n"
    publish(content=text)
    process = caller("rita").get("/processes/PROC-001").get_json()
    assert (process["sops"], process["documented"]) == (["SOP-0001"], True)
    assert caller("rita").get("/sops/SOP-0001").get_json()["process"] == ["PROC-001"]


def test_list_filters_and_pages(caller: As) -> None:
    mia = caller("mia")
    for name in ("Refunds", "Payouts", "Claims"):
        mia.post("/processes", name=name, department="claims" if name == "Claims" else "payments")
    assert [one["name"] for one in mia.get("/processes", department="claims").get_json()["items"]] == ["Claims"]
    assert [one["name"] for one in mia.get("/processes", q="pay").get_json()["items"]] == ["Payouts"]
    assert len(mia.get("/processes", documented="false").get_json()["items"]) == 3
    page = mia.get("/processes", limit=2).get_json()
    rest = mia.get("/processes", limit=2, cursor=page["next"]).get_json()
    assert [one["id"] for one in page["items"] + rest["items"]] == ["PROC-001", "PROC-002", "PROC-003"]
    assert mia.get("/processes", status="asleep").status_code == 422
    assert len(caller("rita").get("/processes").get_json()["items"]) == 2
