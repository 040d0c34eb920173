import pytest

from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from tests.api.operation import As, Clock, Make


def test_findings_say_what_to_do(caller: As, publish: Make, clock: Clock, stores: Stores) -> None:
    publish()
    caller("mia").post("/tickets", source="jira", key="1", title="One", sops=["SOP-0001"])
    clock.forward(hours=49)
    scan(stores, now=clock.now)
    (finding,) = caller("mia").get("/findings").get_json()["items"]
    assert finding["kind"] == "breach"
    assert finding["why"]
    assert finding["next_step"]
    assert caller("cora").get("/findings").get_json()["items"] == []


def test_findings_are_for_those_who_see_reports(caller: As) -> None:
    assert caller("stranger").get("/findings", limit=0).status_code == 401
    assert caller("rita").get("/findings", limit=0).status_code == 403
    assert caller("mia").get("/findings", limit=0).status_code == 422


def test_audit_trail_tells_who_did_what(caller: As, publish: Make, clock: Clock) -> None:
    clock.forward(hours=1)
    publish()
    ada = caller("ada")
    events = ada.get("/audit-events", subject="SOP-0001").get_json()["items"]
    assert [event["action"] for event in events[::-1]] == [
        "draft.created",
        "draft.submitted",
        "draft.approved",
        "revision.published",
    ]
    assert [event["actor"] for event in events[::-1]][:3] == ["asha@example.com", "asha@example.com", "ben@example.com"]
    assert all(event["at"] == "2026-03-02T10:00:00Z" and len(event["hash"]) == 64 for event in events)
    by_ben = ada.get("/audit-events", actor="ben@example.com").get_json()["items"]
    assert [event["action"] for event in by_ben] == ["draft.approved"]
    page = ada.get("/audit-events", subject="SOP-0001", limit=3).get_json()
    rest = ada.get("/audit-events", subject="SOP-0001", limit=3, cursor=page["next"]).get_json()
    assert [event["id"] for event in page["items"] + rest["items"]] == [event["id"] for event in events]


def test_audit_trail_holds_no_secret(caller: As, publish: Make, peopled_home: tuple[object, dict[str, str]]) -> None:
    publish()
    told = caller("ada").get("/audit-events", limit=200).get_data(as_text=True)
    assert not any(token in told for token in peopled_home[1].values())


@pytest.mark.parametrize("name", ["nils", "rita", "asha", "ben", "mia"])
def test_audit_trail_is_the_administrators(caller: As, name: str) -> None:
    assert caller(name).get("/audit-events", limit=0).status_code == 403
    assert caller("stranger").get("/audit-events", limit=0).status_code == 401


@pytest.mark.parametrize("query", [{"limit": 0}, {"cursor": "x"}, {"since": "yesterday"}, {"colour": "red"}])
def test_bad_query_of_the_audit_trail_is_told(caller: As, query: dict[str, object]) -> None:
    answer = caller("ada").get("/audit-events", **query)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(query)


def test_the_whole_audit_trail_is_one_call(caller: As, publish: Make) -> None:
    publish()
    ada = caller("ada")
    answer = ada.get("/audit-events/export", subject="SOP-0001")
    assert answer.is_streamed
    events = answer.get_json()
    assert events == ada.get("/audit-events", subject="SOP-0001").get_json()["items"]
    rows = ada.get("/audit-events/export", subject="SOP-0001", format="csv").get_data().decode("utf-8-sig").splitlines()
    assert rows[0] == "id,at,actor,action,subject,details,hashed,previous_hash,hash"
    assert [row.rpartition(",")[2] for row in rows[1:]] == [event["hash"] for event in events]
    told = ada.get("/audit-events", action="export.made").get_json()["items"]
    assert [(one["subject"], one["details"]) for one in told] == [
        ("audit.csv", {"subject": "SOP-0001"}),
        ("audit.json", {"subject": "SOP-0001"}),
    ]


def test_the_whole_audit_trail_is_the_administrators(caller: As) -> None:
    assert caller("stranger").get("/audit-events/export").status_code == 401
    for name in ("nils", "rita", "asha", "ben", "mia"):
        assert caller(name).get("/audit-events/export", format="xml").status_code == 403
    assert caller("ada").get("/audit-events/export", format="xml").status_code == 422
    assert caller("ada").get("/audit-events", action="export.made").get_json()["items"] == []
