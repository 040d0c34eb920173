"""Every CSV file that the server gives, found in its own addresses: no spreadsheet runs what people typed into it."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from flask import Flask

from sop_server.domain.deviations import DeviationInput
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.processes import ProcessInput
from sop_server.domain.tickets import TicketInput
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.recertifications import open_recertification
from sop_server.services.accounts.tokens import create_token
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.deviations.proposing import propose_deviation
from sop_server.services.participation.feedback import give_feedback
from sop_server.services.register.processes import register_process
from sop_server.services.reports.report_shapes import REPORTS
from sop_server.services.stores import Stores
from sop_server.storage import people
from tests.views.browser import Browser, Clock
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

SIGNS = "=+-@"
FORMULAS = tuple(f"{sign}HYPERLINK(1)" for sign in SIGNS)
BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
LATER = NOW + timedelta(days=60)
API = ("/api/v1/audit-events/export",)


@pytest.fixture
def everything(stores: Stores, cast: Cast, publish: Publish, clock: Clock) -> Actor:
    """Formulas wherever people type, and somebody who may take every file."""
    for number, formula in enumerate(FORMULAS):
        given = ProcessInput(name=formula, department="customer-care", owner="asha@example.com")
        register_process(stores, actor=OPERATOR, now=NOW, given=given)
        sop_id = publish(sop_text(f"'{formula}'", front=f"systems: ['{formula}']\nreview_every: 10 days\n"))
        ticket = TicketInput(title=formula, effective_at=NOW, sops=[sop_id])
        upsert_ticket(stores, actor=OPERATOR, now=NOW, source="jira", key=f"{formula}{number}", given=ticket)
        give_feedback(stores, actor=cast.reader, now=NOW, sop_id=sop_id, kind="outdated", what_happened=formula)
        wish = DeviationInput(
            step=formula, instead=formula, why=formula, reference=formula, control=formula, ends_at=LATER + timedelta(1)
        )
        propose_deviation(stores, actor=cast.editor, now=NOW, sop_id=sop_id, given=wish)
        name = f"person{number}@example.com"
        add_person(stores, actor=OPERATOR, now=NOW, email=name, name=formula, roles=["reader@customer-care"])
    roles = ["reader", "editor", "approver", "manager", "admin"]
    added = add_person(stores, actor=OPERATOR, now=NOW, email="all@example.com", name="All", roles=roles)
    clock.now = LATER
    open_recertification(stores, actor=OPERATOR, now=LATER, department=None, due_at=LATER + timedelta(days=9))
    with stores.database.read() as session:
        actor = people.load_actor(session, added.person.id, LATER)
    assert actor is not None
    return actor


def addresses(app: Flask) -> Iterator[str]:
    """Yield the address of every CSV file; a part of one that nobody named here fails."""
    parts: Mapping[str, tuple[str, ...]] = {"name": tuple(REPORTS), "recertification_id": ("REC-0001",)}
    for rule in app.url_map.iter_rules():
        if rule.rule.endswith(".csv"):
            (part,) = rule.arguments or {""}
            for value in parts[part] if part else ("",):
                yield rule.rule.replace(f"<{part}>", value)


def test_no_cell_of_any_file_begins_as_a_formula_does(app: Flask, stores: Stores, everything: Actor) -> None:
    browser = Browser(app).sign_in(everything)
    token = create_token(stores, actor=OPERATOR, now=LATER, email=everything.email)
    files = {path: browser.get(path).text for path in addresses(app)}
    for path in API:
        answer = app.test_client().get(f"{path}?format=csv", headers={"Authorization": f"Bearer {token}"})
        files[path] = answer.text
    defused = set()
    for path, text in files.items():
        rows = [*csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))]
        assert len(rows) > 1, f"{path} is empty and proves nothing: {text[:200]}"
        for cell in (cell for row in rows for cell in row):
            assert not cell.lstrip(" \n").startswith(BEGINNINGS) or _is_number(cell), (path, cell)
            if cell.startswith("'"):
                defused.add((path, cell[1]))
    # What people typed is really in there, with each sign.
    for path in ("/deviations/deviations.csv", "/reports/staleness.csv", "/reports/coverage.csv"):
        assert {sign for where, sign in defused if where == path} == set(SIGNS), path
    assert {where for where, _ in defused} >= {"/reports/window-rows.csv", "/admin/recertifications/REC-0001.csv"}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
