import pytest

from tests.api.operation import As

PLACE = "/recertifications"
DUE = "2026-03-20T00:00:00Z"


@pytest.fixture
def begun(caller: As) -> str:
    answer = caller("ada").post(PLACE, department="payments", due_at=DUE)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert (made["id"], made["due_at"], made["figures"]["left"]) == ("REC-0001", DUE, 6)
    return f"{PLACE}/{made['id']}"


def test_roles_are_decided_and_the_report_is_read(caller: As, begun: str) -> None:
    mia = caller("mia")
    items = {(one["email"], one["role"]): one for one in mia.get(f"{begun}/items").get_json()["items"]}
    ben = items["ben@example.com", "approver@payments"]["id"]
    assert mia.post(f"{begun}/decisions", items=[ben], decision="remove").status_code == 422
    done = mia.post(f"{begun}/decisions", items=[ben], decision="remove", note="Moved")
    assert done.get_json() == {"done": 1, "passed_over": []}
    assert caller("ben").get("/me").get_json()["roles"] == []
    again = caller("max").post(f"{begun}/decisions", items=[ben], decision="keep")
    assert again.status_code == 409
    rest = [one["id"] for one in items.values()]
    bulk = mia.post(f"{begun}/decisions", items=rest, decision="keep", note="All known").get_json()
    assert bulk["done"] == 5
    assert len(bulk["passed_over"]) == 1
    report = mia.get(begun).get_json()
    assert report["closed_at"] is not None
    assert (report["figures"]["kept"], report["figures"]["bulk"], report["figures"]["removed"]) == (5, 5, 1)
    assert report["departments"][0]["department"] == "payments"
    assert report["asked"] == [{"department": "payments", "role": "manager", "names": ["Max", "Mia"]}]
    (listed,) = caller("ada").get(PLACE).get_json()["items"]
    assert listed["figures"] == report["figures"]


def test_permission_comes_before_what_was_sent(caller: As, begun: str) -> None:
    assert caller("stranger").post(PLACE).status_code == 401
    for name in ("rita", "asha", "ben", "nils"):
        assert caller(name).get(begun, limit=0).status_code == 403
        assert caller(name).post(f"{begun}/decisions").status_code == 403
    assert caller("max").post(PLACE).status_code == 403
    assert caller("max").post(f"{PLACE}/REC-0009/decisions").status_code == 404
    assert caller("max").get(f"{PLACE}/nonsense").status_code == 404
    assert list(caller("max").post(f"{begun}/decisions").get_json()["errors"]) == ["items", "decision"]
    assert caller("ada").post(PLACE, due_at="soon").status_code == 422


def test_a_number_that_no_database_holds_is_that_of_no_role(caller: As, begun: str) -> None:
    for number in (2**31, 2**63, 10**30, -1, 0):
        answer = caller("mia").post(f"{begun}/decisions", items=[number], decision="keep")
        assert answer.status_code == 404, answer.text
