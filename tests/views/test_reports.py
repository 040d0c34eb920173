import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.processes import ProcessInput
from sop_server.domain.tickets import TicketInput
from sop_server.services.accounts.tokens import create_token
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.participation.feedback import give_feedback
from sop_server.services.register.processes import register_process
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

REPORTS = ("drift", "window", "staleness", "coverage", "knowledge", "feedback")
LATER = NOW + timedelta(days=20)


@pytest.fixture
def year(stores: Stores, cast: Cast, publish: Publish, clock: Clock) -> str:
    """One SOP, a change that it met, a change that it did not meet, a report and two processes; then 20 days."""
    for name in ("Refunds", "Payouts"):
        given = ProcessInput(name=name, department="customer-care", criticality="critical")
        register_process(stores, actor=OPERATOR, now=NOW, given=given)
    sop = publish(sop_text(front="process: PROC-001\n"))
    for key in ("CHG-1", "CHG-2"):
        change = TicketInput(title=f"=cmd|{key}", effective_at=NOW, sops=[sop])
        upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key=key, given=change)
    give_feedback(stores, actor=cast.reader, now=NOW, sop_id=sop, kind="outdated", what_happened="It is old.")
    clock.now = NOW + timedelta(hours=5)
    publish(sop_text(front="process: PROC-001\n", body="## Steps\n\n1. New.\n"), sop_id=sop, tickets=("jira:CHG-1",))
    clock.now = LATER
    return sop


@pytest.fixture
def manager(year: str, as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.manager)


@pytest.mark.parametrize("name", REPORTS)
def test_the_figures_are_those_of_the_api(manager: Browser, app: Flask, stores: Stores, cast: Cast, name: str) -> None:
    token = create_token(stores, actor=OPERATOR, now=LATER, email=cast.manager.email)

    answered = app.test_client().get(f"/api/v1/reports/{name}", headers={"Authorization": f"Bearer {token}"})
    downloaded = manager.get(f"/reports/{name}.json")

    assert answered.status_code == 200
    assert json.loads(downloaded.text) == answered.get_json()


def test_the_window_says_its_answer_in_figures(manager: Browser) -> None:
    figures: dict[str, Any] = json.loads(manager.get("/reports/window.json").text)
    page = words(manager.get("/reports/window"))

    assert (figures["met"], figures["n"]) == (1, 2)
    assert "Did we keep the 48 hours?" in page
    assert "In 1 of 2 cases, 50.0 %" in page
    assert f"from {100 * figures['wilson_low']:.1f} % to {100 * figures['wilson_high']:.1f} %" in page
    assert "0 misses were allowed, 1 was made" in page


def test_every_figure_of_the_window_opens_its_rows(manager: Browser) -> None:
    page = manager.get("/reports/window")
    assert "state=breached#rows" in page.text

    rows = words(manager.get("/reports/window?state=breached")).split("Show all of them")[1].split("Still to be met")[0]

    assert "jira:CHG-2" in rows
    assert "jira:CHG-1" not in rows


def test_the_drift_score_explains_itself(manager: Browser) -> None:
    figures: dict[str, Any] = json.loads(manager.get("/reports/drift.json").text)
    page = words(manager.get("/reports/drift"))

    assert f"{figures['score']:.1f} of 10" in page
    assert figures["would_raise_most"] in page
    for cap in figures["caps"]:
        assert cap["reason"] in page
    for part in figures["components"]:
        assert f"{part['name'].capitalize()}" in page
        assert part["q"] is None or f"{part['q']:.2f} {part['lost']:.2f}" in page
    assert f"Formula version {figures['formula_version']}" in page


def test_the_other_reports_answer_their_questions(manager: Browser, year: str) -> None:
    assert "1 SOP is stale" in words(manager.get("/reports/staleness"))
    assert "1 of 2 active processes have a SOP in force" in words(manager.get("/reports/coverage"))
    assert "Payouts" in words(manager.get("/reports/coverage"))
    assert "Rita Lopez" in words(manager.get("/reports/knowledge"))
    feedback = words(manager.get("/reports/feedback"))
    assert "0 of 1 report due in these 90 days were triaged within seven days" in feedback
    assert "1 report waits for a decision" in feedback


def test_a_staleness_report_narrows_to_one_reason(manager: Browser, year: str) -> None:
    assert f"{year} Refunds" in words(manager.get("/reports/staleness?kind=obligation"))
    assert f"{year} Refunds" not in words(manager.get("/reports/staleness?kind=owner"))


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_as_of_an_instant_shows_what_was_known_then(manager: Browser, name: str) -> None:
    page = words(manager.get(f"/reports/{name}?at=2026-11-02T09:00"))

    assert "As it was known on 2 Nov 2026, 09:00 UTC" in page
    answers = {
        "drift": "There is nothing to score yet",
        "window": "No change was due",
        "staleness": "no SOP in force is stale",
        "coverage": "No active process is registered",
        "knowledge": "There is no SOP in force yet",
        "feedback": "No report was due",
    }
    assert answers[name] in page


def test_facts_that_came_late_are_named(manager: Browser, stores: Stores, cast: Cast, clock: Clock) -> None:
    register_process(
        stores, actor=OPERATOR, now=LATER, given=ProcessInput(name="Late"), registered_at=NOW + timedelta(days=1)
    )

    page = words(manager.get("/reports/coverage?at=2026-11-10T09:00"))

    assert "1 fact that happened before this instant was recorded after it" in page
    assert "Late" not in page.split("not in it")[1].split("How many")[0]


def test_the_link_to_this_instant_gives_the_same_figures_later(manager: Browser, clock: Clock) -> None:
    page = manager.get("/reports/drift")
    found = re.search(r'href="(/reports/drift[?]at=2026-11-23T09[^"]*)"', page.text)
    assert found is not None
    figures = words(page).split("of 10")[1]

    clock.now = LATER + timedelta(hours=6)
    again = words(manager.get(found.group(1)))

    assert "As it was known on 23 Nov 2026, 09:00 UTC" in again
    assert again.split("of 10")[1].startswith(figures[:40])


@pytest.mark.parametrize("query", ["at=tomorrow", "at=2030-01-01T00:00", "days=0", "days=many"])
def test_what_cannot_be_asked_is_refused_in_plain_words(manager: Browser, query: str) -> None:
    assert manager.get(f"/reports/window?{query}").status_code == 422


def test_a_report_that_does_not_exist_is_not_found(manager: Browser) -> None:
    assert manager.get("/reports/nothing.csv").status_code == 404
    assert manager.get("/reports/nothing").status_code == 404


@pytest.mark.parametrize("name", [*REPORTS, "window-rows"])
def test_no_cell_of_a_csv_file_begins_like_a_formula(manager: Browser, name: str) -> None:
    answer = manager.get(f"/reports/{name}.csv")

    assert answer.mimetype == "text/csv"
    assert f'filename="{name}.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "\t"))]


def test_the_rows_behind_the_window_are_a_file_too(manager: Browser) -> None:
    rows = list(csv.DictReader(io.StringIO(manager.get("/reports/window-rows.csv").data.decode("utf-8-sig"))))

    assert {row["ticket_label"]: row["state"] for row in rows} == {"jira:CHG-1": "met", "jira:CHG-2": "breached"}
    assert {row["ticket_title"] for row in rows} == {"'=cmd|CHG-1", "'=cmd|CHG-2"}


def test_an_editor_sees_the_reports_of_their_department_alone(year: str, as_person: AsPerson, cast: Cast) -> None:
    editor = as_person(cast.payments_editor)

    assert "No change was due" in words(editor.get("/reports/window"))
    assert editor.get("/reports/window?department=customer-care").status_code == 403
    assert "Customer care" not in words(editor.get("/reports/window"))


def test_each_count_of_a_group_opens_the_rows_behind_it(manager: Browser) -> None:
    page = manager.get("/reports/window").text

    opened = re.search(r'href="([^"]*source=jira[^"]*state=breached[^"]*)#rows">1</a>', page.replace("&amp;", "&"))
    assert opened is not None
    rows = words(manager.get(opened.group(1))).split("Breached, due in these", 1)[1].split("Still to be met", 1)[0]
    assert "jira:CHG-2" in rows
    assert "jira:CHG-1" not in rows
