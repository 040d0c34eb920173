import pytest

from tests.api.operation import As, Clock, Make

REPORTS = ["drift", "window", "staleness", "coverage", "knowledge", "feedback"]


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_for_those_who_may_see_them(caller: As, name: str) -> None:
    path = f"/reports/{name}"
    assert caller("stranger").get(path, days="x").status_code == 401
    assert caller("rita").get(path, days="x").status_code == 403
    assert caller("ada").get(path, days="x").status_code == 403
    assert caller("asha").get(path, department="claims").status_code == 403
    for who in ("asha", "ben", "mia"):
        assert caller(who).get(path).status_code == 200


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(
    "query", [{"days": 0}, {"days": "x"}, {"at": "x"}, {"at": "2031-01-01T00:00:00Z"}, {"colour": "red"}]
)
def test_bad_query_is_told(caller: As, name: str, query: dict[str, object]) -> None:
    answer = caller("mia").get(f"/reports/{name}", **query)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(query)


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_names_its_instant(caller: As, name: str, publish: Make, clock: Clock) -> None:
    publish()
    clock.forward(hours=1)
    query = {"at": "2026-03-02T11:30:00+02:00", "days": 30, "department": "payments"}
    assert caller("mia").get(f"/reports/{name}", **query).get_json()["at"] == "2026-03-02T09:30:00Z"


def test_drift_comes_with_what_it_is_made_of(caller: As, publish: Make) -> None:
    publish()
    drift = caller("mia").get("/reports/drift").get_json()
    assert {"at", "score", "band", "components", "caps", "formula_version"} <= drift.keys()
    names = [component["name"] for component in drift["components"]]
    assert names == ["window", "freshness", "coverage", "reviews", "knowledge", "feedback"]
    assert all({"weight", "q", "lost"} <= component.keys() for component in drift["components"])
    assert [cap["limit"] for cap in drift["caps"]] == [8.0]


def test_window_counts_what_was_due(caller: As, publish: Make, clock: Clock) -> None:
    publish()
    caller("mia").post("/tickets", source="jira", key="1", title="One", sops=["SOP-0001"])
    caller("mia").post("/tickets", source="jira", key="2", title="Two", sops=["SOP-0001"])
    clock.forward(hours=10)
    publish("New.", sop_id="SOP-0001", tickets=["jira:1"])
    clock.forward(hours=50)
    window = caller("mia").get("/reports/window").get_json()
    assert (window["days"], window["n"], window["met"], window["late"], window["breached"]) == (90, 2, 1, 0, 1)
    assert window["compliance"] == 0.5
    assert window["wilson_low"] < 0.5 < window["wilson_high"]
    assert {"not_needed", "void", "pending", "median_exposure_hours", "p90_exposure_hours"} <= window.keys()
    assert [group["name"] for group in window["by_source"]] == ["jira"]
    assert caller("mia").get("/reports/window", at="2026-03-02T09:30:00Z").get_json()["n"] == 0


def test_staleness_names_every_reason(caller: As, publish: Make) -> None:
    publish()
    caller("rita").post("/sops/SOP-0001/feedback", kind="outdated", what_happened="The screen is gone.")
    (item,) = caller("mia").get("/reports/staleness").get_json()["items"]
    assert item["sop_id"] == "SOP-0001"
    assert [reason["kind"] for reason in item["reasons"]] == ["outdated"]
    assert caller("rita").get("/sops/SOP-0001").get_json()["stale"][0]["kind"] == "outdated"
    assert [hit["sop_id"] for hit in caller("rita").get("/search", stale="true").get_json()["items"]] == ["SOP-0001"]


def test_coverage_lists_what_is_not_written_down(caller: As) -> None:
    caller("mia").post("/processes", name="Refunds", criticality="critical")
    coverage = caller("mia").get("/reports/coverage").get_json()
    (process,) = coverage["undocumented"]
    assert (process["process_id"], process["criticality"]) == ("PROC-001", "critical")
    assert process["since"] == "2026-03-02T09:00:00Z"
    assert process["grace_until"] == "2026-03-16T09:00:00Z"


def test_knowledge_counts_who_has_to_know(caller: As, publish: Make, clock: Clock) -> None:
    publish()
    clock.forward(days=8)
    knowledge = caller("mia").get("/reports/knowledge").get_json()
    assert [(item["sop_id"], item["required"], item["done"]) for item in knowledge["items"]] == [("SOP-0001", 1, 0)]
    assert knowledge["knowledge"] < 1


def test_feedback_waits_for_its_triage(caller: As, publish: Make) -> None:
    publish()
    given = caller("rita").post("/sops/SOP-0001/feedback", kind="unclear", what_happened="Which screen?").get_json()
    report = caller("mia").get("/reports/feedback").get_json()
    assert report["kinds"]["unclear"] == 1
    assert [one["id"] for one in report["waiting"]] == [given["id"]]
