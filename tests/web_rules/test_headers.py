"""What every answer carries, whoever asks for whatever."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from sop_server.resources import resource
from tests.matrix.asking import Asking, address, things_for
from tests.matrix.cast import STRANGER, Player
from tests.matrix.seeding import Operation
from tests.matrix.things import Kind
from tests.web_rules.visiting import PLAIN, TLS, Visit

_DIRECTIVES = {
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
}
_KEPT = {"no-store", "private, no-cache", "no-cache"}
_OPEN = {"assets", "probes"}


def faults(answer: TestResponse) -> list[str]:
    """Say what an answer lacks."""
    headers = answer.headers
    policy = {part.strip() for part in headers.get("Content-Security-Policy", "").split(";")}
    found = [f"its policy lacks {directive}" for directive in sorted(_DIRECTIVES - policy)]
    if any("unsafe" in directive or "*" in directive or "http" in directive for directive in policy):
        found.append("its policy opens something")
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    found += [f"{name} is {headers.get(name)}" for name, value in wanted.items() if headers.get(name) != value]
    if answer.data and not headers.get("Content-Type"):
        found.append("it does not say what it is")
    if headers.get("Content-Type", "").startswith("text/") and "charset=utf-8" not in headers["Content-Type"]:
        found.append(f"its text is {headers['Content-Type']}")
    found += [f"it carries {name}" for name in ("Access-Control-Allow-Origin", "X-Powered-By") if name in headers]
    return found


@pytest.mark.parametrize("name", [STRANGER, "author", "admin"])
def test_every_answer_of_every_route_carries_the_headers(
    matrix: Operation, asking: Asking, players: dict[str, Player], name: str
) -> None:
    wrong = []
    for rule in asking.app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            for thing in [*things_for(rule, matrix.things)][:2][-1:]:
                path = address(asking.app, rule, thing)
                answer = asking.ask(players[name], method, path)
                told = faults(answer)
                blueprint = rule.endpoint.partition(".")[0]
                if blueprint not in _OPEN:
                    vary = "Authorization" if path.startswith("/api/") else "Cookie"
                    told += [] if vary in answer.headers.get("Vary", "") else [f"does not vary by {vary}"]
                    kept = answer.headers.get("Cache-Control")
                    told += [] if kept in _KEPT else [f"is kept by {kept}"]
                    told += ["is kept and has no tag"] if kept != "no-store" and "ETag" not in answer.headers else []
                wrong += [f"{method} {path} ({answer.status_code}): {fault}" for fault in told]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", ["/no-such-page", "/api/v1/no-such-call", "/static/x/none.css", "/static/x/../app.py"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_what_is_not_there_and_what_is_not_possible_carry_them_too(app: Flask, method: str, path: str) -> None:
    answer = app.test_client().open(path, method=method)
    assert answer.status_code < 500
    assert faults(answer) == []


def test_a_tls_visitor_is_told_to_stay_with_it_and_nobody_else(app: Flask) -> None:
    told = app.test_client().get("/login", base_url=TLS).headers["Strict-Transport-Security"]
    assert int(told.removeprefix("max-age=").partition(";")[0]) >= 31_536_000
    assert "includeSubDomains" in told
    assert "Strict-Transport-Security" not in app.test_client().get("/login", base_url=PLAIN).headers


def test_pages_hold_nothing_that_the_policy_would_stop() -> None:
    inline = re.compile(
        r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:|<(?:iframe|object|embed|base)\b"
    )
    for path in resource("templates").rglob("*.html"):
        found = inline.search(path.read_text("utf-8"))
        assert found is None, f"{path.name}: {found and found.group()}"


@pytest.fixture
def page(matrix: Operation) -> str:
    """The page of a SOP in force."""
    found = next(thing for thing in matrix.things if thing.kind is Kind.SOP and thing.state == "in force")
    return f"/sops/{found.address['sop_id']}"


def test_what_two_people_see_has_two_tags(asking: Asking, players: dict[str, Player], page: str) -> None:
    tags = [asking.ask(players[name], "GET", page).headers.get("ETag") for name in ("reader", "editor", "author")]
    assert None not in tags
    assert len(set(tags)) == len(tags)


def test_a_tag_opens_nothing_to_a_stranger(asking: Asking, players: dict[str, Player], page: str) -> None:
    tag = asking.ask(players["reader"], "GET", page).headers["ETag"]
    answer = asking.app.test_client().get(page, headers={"If-None-Match": tag})
    assert answer.status_code == 303


def test_a_file_to_keep_is_sandboxed(app: Flask) -> None:
    visit = Visit(app)
    visit.come_in()
    answer = visit.get("/admin/audit.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
    assert faults(answer) == []
