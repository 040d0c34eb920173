"""Every call of the API as the schema lists them: strangers, wrong roles, reading tokens, and things of no shape."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.journeys.conftest import LOOKING_ON, Door, Server, hours_ahead, problem, text

# What the smallest role may do besides reading what is everybody's; all else is not a reader's.
OF_A_READER = {
    ("GET", "/sops"),
    ("GET", "/sops/{sop_id}"),
    ("GET", "/sops/{sop_id}/revisions"),
    ("GET", "/sops/{sop_id}/revisions/{number}"),
    ("GET", "/sops/{sop_id}/feedback"),
    ("POST", "/sops/{sop_id}/feedback"),
    ("GET", "/sops/{sop_id}/reviews"),
    ("POST", "/sops/{sop_id}/acknowledgements"),
    ("GET", "/search"),
    ("GET", "/processes"),
    ("GET", "/processes/{process_id}"),
    ("GET", "/feedback"),
    ("POST", "/feedback"),
    ("GET", "/feedback/{feedback_id}"),
    ("GET", "/deviations"),
    ("GET", "/sops/{sop_id}/deviations"),
}
_OF_APPROVERS = ("/approve", "/request-changes", "/confirm", "/decline", "/refuse", "/object", "/break-glass")
# Roles that have no part in any of these, whatever it is about.
OF_OTHERS = {
    "reader": ("/drafts", "/tickets", "/obligations", "/reports", "/findings", "/scorecards", "/audit-events"),
    "manager": ("/drafts",),
    "admin": ("/drafts", "/tickets", "/obligations", "/reports"),
}
NOT_A_BODY = [
    b"[]",
    b'"text"',
    b"5",
    b"null",
    b"true",
    b"{",
    b"\xff\xfe{}",
    b'{"a": NaN}',
    b"[" * 20_000 + b"]" * 20_000,
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    b'{"title": "a", "title": "b"}',
    b'{"revision": ' + b"9" * 5_000 + b"}",
    b'{"no_such_key": 1}',
    b'{"reason": "\\ud800", "title": "\\u0000"}',
]
NOBODYS = ["SOP-9999", "DRF-9999", "TKT-9999", "manual:none", "0", "-1", "9" * 30, "%00", "..%2f..", "%FF", "x'--", "é"]


@pytest.fixture(scope="module")
def calls(server: Server) -> list[tuple[str, str]]:
    found = requests.get(f"{server.address}/api/v1/openapi.json", timeout=30).json()["paths"]
    listed = [(method.upper(), path.removeprefix("/api/v1")) for path, calls in found.items() for method in calls]
    assert len(listed) > 40
    return listed


@pytest.fixture(scope="module")
def things(server: Server) -> dict[str, str]:
    """One of each thing that a call can be about."""
    doors = server.doors
    published = server.published(text("Refunds"))
    ticket = doors["editor"](
        "POST",
        "/tickets",
        json={
            "source": "manual",
            "key": "CHG-1",
            "title": "New form",
            "effective_at": hours_ahead(24),
            "sops": [published["sop_id"]],
        },
    )
    process = doors["manager"]("POST", "/processes", json={"name": "Refunds", "department": "customer-care"})
    said = doors["reader"](
        "POST", f"/sops/{published['sop_id']}/feedback", json={"kind": "unclear", "what_happened": "I am lost."}
    )
    draft = doors["editor"].draft(text("Refunds", amount=300), sop_id=published["sop_id"])
    deviation = doors["editor"](
        "POST",
        f"/sops/{published['sop_id']}/deviations",
        json={"instead": "Ask the team lead.", "why": "The form is being moved.", "ends_at": hours_ahead(48)},
    )
    campaign = doors["admin"](
        "POST", "/recertifications", json={"department": "customer-care", "due_at": hours_ahead(240)}
    )
    return {
        "sop_id": published["sop_id"],
        "number": "1",
        "draft_id": draft["id"],
        "ticket_id": ticket["id"],
        "obligation_id": ticket["obligations"][0]["id"],
        "process_id": process["id"],
        "feedback_id": said["id"],
        "deviation_id": deviation["id"],
        "recertification_id": campaign["id"],
    }


def about(path: str, things: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: things[name[1]], path)


def sent(door: Door, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> requests.Response:
    return door.answer(method, path, data=body, headers={"Content-Type": kind})


def whose(server: Server, method: str, path: str) -> Door:
    """Return the door of somebody who may do this."""
    if (method, path) == ("POST", "/recertifications"):
        return server.doors["admin"]
    if path.endswith(_OF_APPROVERS):
        return server.doors["approver"]
    of_managers = path.startswith("/recertifications") or (path.startswith("/processes") and method != "GET")
    return server.doors["manager" if of_managers else "editor"]


def state_of(server: Server, things: dict[str, str]) -> list[object]:
    """Return all that the things say of themselves."""
    paths = ("/sops/{sop_id}", "/drafts/{draft_id}", "/tickets/{ticket_id}", "/processes/{process_id}")
    shown = [server.doors["editor"]("GET", about(path, things)) for path in (*paths, "/feedback/{feedback_id}")]
    shown.append([server.doors["editor"]("GET", path)["items"] for path in ("/drafts", "/tickets", "/processes")])
    return [
        {key: value for key, value in one.items() if key != "at"} if isinstance(one, dict) else one for one in shown
    ]


def test_a_stranger_gets_401_whatever_they_ask_for(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str]
) -> None:
    stranger = Door(server.address, "nobody's")
    for method, path in [*calls, ("GET", "/no-such-call"), ("DELETE", "/sops"), ("POST", "/openapi.json")]:
        for where in {about(path, things), about(path, dict.fromkeys(things, "9"))}:
            answer = sent(stranger, method, where, b"[")
            assert answer.status_code == 401, f"{method} {where}: {answer.text}"
            assert problem(answer)["title"] == "Not signed in"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            bare = requests.request(method, f"{server.address}/api/v1{where}", timeout=30)
            assert bare.status_code == 401


def test_a_token_for_reading_changes_nothing(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str]
) -> None:
    looking = server.doors[LOOKING_ON]
    assert looking("GET", "/me")["scope"] == "read"
    for method, path in calls:
        if method != "GET":
            told = looking.refusal(method, about(path, things), 403, json={})
            assert "may only read" in told["detail"]


def test_who_may_not_do_a_thing_is_told_so_before_anything_about_what_they_sent(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str]
) -> None:
    before = state_of(server, things)
    for role, families in OF_OTHERS.items():
        door = server.doors[role]
        for method, path in calls:
            family = path.startswith(families) or (role == "reader" and (method, path) not in OF_A_READER)
            if not family or path.startswith("/me"):
                continue
            answer = sent(door, method, about(path, things), b'{"no_such_key": [' if method != "GET" else b"")
            assert answer.status_code in {403, 404}, f"{role} {method} {path}: {answer.status_code} {answer.text}"
            problem(answer)
    assert state_of(server, things) == before


def test_what_is_another_departments_does_not_exist(server: Server, things: dict[str, str]) -> None:
    outsider = server.doors["outsider"]
    for path in ("", "/revisions", "/revisions/1", "/feedback", "/reviews", "?at=nonsense"):
        outsider.refusal("GET", f"/sops/{things['sop_id']}{path}", 404)
    outsider.refusal("POST", f"/sops/{things['sop_id']}/acknowledgements", 404, json={"revision": "x"})
    outsider.refusal("POST", f"/sops/{things['sop_id']}/feedback", 404, json={"kind": 5})
    outsider.refusal("GET", f"/feedback/{things['feedback_id']}", 404)
    assert outsider("GET", "/sops")["items"] == []


def bad_bodies(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str]
) -> Iterator[tuple[str, requests.Response]]:
    for method, path in calls:
        for body in NOT_A_BODY if method != "GET" else []:
            yield f"{method} {path} {body[:40]!r}", sent(whose(server, method, path), method, about(path, things), body)


def test_json_of_a_wrong_shape_is_refused_in_words_and_changes_nothing(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str]
) -> None:
    before = state_of(server, things)
    for told, answer in bad_bodies(server, calls, things):
        assert answer.status_code == 422, f"{told}: {answer.status_code} {answer.text}"
        assert problem(answer)["errors"], told
    assert state_of(server, things) == before


def test_a_body_that_is_no_json_is_refused_by_its_kind(server: Server, things: dict[str, str]) -> None:
    editor = server.doors["editor"]
    ticket = b'{"source": "manual", "key": "NEVER", "title": "x"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "a/b; =;"):
        answer = sent(editor, "POST", "/tickets", ticket, kind)
        assert answer.status_code == 422, kind
        assert "application/json" in problem(answer)["detail"]
    editor.refusal("GET", "/tickets/manual:NEVER", 404)


def test_a_body_of_many_megabytes_is_refused_and_the_connection_goes_on(server: Server, things: dict[str, str]) -> None:
    huge = b'{"title": "' + b"x" * (7 * 1024 * 1024) + b'"}'
    with requests.Session() as connection:
        for who, status in (("editor", 413), ("reader", 403), (None, 401)):
            headers = {"Content-Type": "application/json"}
            if who is not None:
                headers["Authorization"] = f"Bearer {server.doors[who].token}"
            answer = connection.post(f"{server.address}/api/v1/drafts", data=huge, headers=headers, timeout=60)
            assert answer.status_code == status
            problem(answer)
            assert connection.get(f"{server.address}/healthz", timeout=60).ok


def test_ids_of_nothing_are_not_found_at_every_call(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str]
) -> None:
    for method, path in calls:
        if "{" not in path:
            continue
        for name in NOBODYS:
            where = re.sub(r"\{\w+\}", name, path)
            answer = sent(whose(server, method, path), method, where, b"{}" if method != "GET" else b"")
            assert answer.status_code == 404, f"{method} {where}: {answer.status_code} {answer.text}"
            problem(answer)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=many",
        "limit=99999999999999999999",
        "cursor=nonsense",
        "cursor=-1",
        "cursor=" + "9" * 40,
        "cursor=%00",
        "cursor=" + "x" * 301,
        "no_such_filter=1",
    ],
)
def test_a_part_of_a_list_that_cannot_be_is_refused(
    server: Server, calls: list[tuple[str, str]], things: dict[str, str], query: str
) -> None:
    name = query.partition("=")[0]
    for method, path in calls:
        shown = server.doors["editor"].answer("GET", about(path, things)) if method == "GET" else None
        if shown is None or not shown.ok or "items" not in shown.json() or path.startswith("/reports"):
            continue
        told = server.doors["editor"].refusal("GET", f"{about(path, things)}?{query}", 422)
        assert name in told["errors"], f"{path}: {told}"


@pytest.mark.parametrize("at", ["nonsense", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "0", "9999-12-31T23:59:59Z"])
def test_an_instant_that_cannot_be_meant_is_refused_by_every_report_and_the_search(server: Server, at: str) -> None:
    for name in ("drift", "window", "staleness", "coverage", "knowledge", "feedback"):
        told = server.doors["manager"].refusal("GET", f"/reports/{name}", 422, params={"at": at})
        assert "at" in told["errors"]
    assert "at" in server.doors["reader"].refusal("GET", "/search", 422, params={"at": at, "q": "refunds"})["errors"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_at_the_end_of_the_calendar_breaks_nothing(server: Server, things: dict[str, str], at: str) -> None:
    for name in ("drift", "window", "staleness", "coverage", "knowledge", "feedback"):
        server.doors["manager"].refusal("GET", f"/reports/{name}", 422, params={"at": at, "days": 3660})
    for path in ("/sops", f"/sops/{things['sop_id']}", "/search"):
        assert server.doors["reader"].answer("GET", path, params={"at": at}).status_code in {200, 404, 422}


@pytest.mark.parametrize("days", ["0", "-1", "3661", "1000000000", "9" * 40, "1.5", "all"])
def test_a_period_that_cannot_be_meant_is_refused(server: Server, days: str) -> None:
    for name in ("drift", "window", "feedback"):
        assert (
            "days" in server.doors["manager"].refusal("GET", f"/reports/{name}", 422, params={"days": days})["errors"]
        )


@pytest.mark.parametrize(
    "words", ["", '"', "((((", "NOT", "* * *", "AND OR", "title:", "a" * 3000, "é\u202e🙂", "[1 TO"]
)
def test_any_words_can_be_searched_for(server: Server, words: str) -> None:
    found = server.doors["reader"]("GET", "/search", params={"q": words})
    assert found["total"] >= len(found["items"])


def test_a_call_that_is_not_there_is_answered_in_the_same_form(server: Server) -> None:
    editor = server.doors["editor"]
    editor.refusal("GET", "/no-such-call", 404)
    editor.refusal("DELETE", "/sops", 405)
    editor.refusal("PUT", "/tickets", 405, json={})
