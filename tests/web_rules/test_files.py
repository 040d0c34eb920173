"""Files that go out and files that come in."""

import ast
import csv
import io
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

import sop_server
from sop_server.domain.csv_rows import harmless_cell
from sop_server.domain.doers import OPERATOR
from sop_server.domain.processes import ProcessInput
from sop_server.services.register.processes import register_process
from tests.matrix.asking import Asking, address, things_for
from tests.matrix.cast import Player
from tests.matrix.seeding import Operation
from tests.web_rules.visiting import TLS, Visit

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


@given(st.sampled_from(_FORMULA), st.text(max_size=20), st.sampled_from(["", " ", "\n", "  \n"]))
def test_no_cell_begins_a_formula(sign: str, rest: str, before: str) -> None:
    cell = harmless_cell(f"{before}{sign}{rest}")
    assert isinstance(cell, str)
    assert cell.startswith("'")


def test_numbers_stay_numbers() -> None:
    assert harmless_cell(-3) == -3
    assert harmless_cell("a-b") == "a-b"


def test_every_writer_of_csv_makes_its_cells_harmless() -> None:
    """Whoever writes CSV, wherever that is, goes through the one function."""
    for path in Path(sop_server.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if "writerows" in names or "writerow" in names:
            called = {
                node.func.id
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            }
            assert "harmless_cell" in called, path


def test_every_file_that_a_page_gives_is_a_download(
    matrix: Operation, asking: Asking, players: dict[str, Player]
) -> None:
    found = 0
    for rule in asking.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(("assets", "probes", "api")):
            continue
        for thing in [*things_for(rule, matrix.things)][:2]:
            for name in ("author", "admin"):
                answer = asking.ask(players[name], "GET", address(asking.app, rule, thing))
                if answer.status_code == 200 and answer.mimetype not in {"text/html", "application/json"}:
                    found += 1
                    assert answer.headers["Content-Disposition"].startswith("attachment; filename="), rule.rule
                    assert answer.headers["Content-Security-Policy"].endswith("; sandbox"), rule.rule
    assert found >= 3


def test_a_name_that_is_a_formula_is_text_in_the_export(app: Flask) -> None:
    stores = app.extensions["stores"]
    register_process(
        stores,
        actor=OPERATOR,
        given=ProcessInput(name='=HYPERLINK("//evil.test")', department="payments"),
        now=stores.clock(),
    )
    visit = Visit(app)
    visit.come_in()
    visit.client.get("/me", base_url=TLS)
    text = visit.get("/admin/audit.csv").text
    cells = [cell for row in csv.reader(io.StringIO(text.lstrip("\ufeff"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(_FORMULA)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("../../etc/passwd", b"key,title\n1,x\n"),
        ("x.csv\0.html", b"\0\0\0"),
        ("x.xlsx", b"PK\x03\x04" + b"\0" * 200),
        ("x.csv", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
        ("x.json", b"[" * 50_000),
        ("<img src=x onerror=alert(1)>.csv", b"a,b\n"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_and_kept_nowhere(app: Flask, name: str, content: bytes) -> None:
    visit = Visit(app)
    visit.come_in()
    before = sorted(
        path for path in app.extensions["stores"].home.rglob("*") if path.is_file() and "index" not in path.parts
    )
    page = visit.get("/me").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = visit.client.post(
        "/tickets/import",
        base_url=TLS,
        data={"csrf_token": token, "file": (io.BytesIO(content), name)},
        headers={"Referer": f"{TLS}/"},
    )
    assert answer.status_code in {400, 403, 422}
    assert "root:" not in answer.text
    assert "<img src=x" not in answer.text
    after = sorted(
        path for path in app.extensions["stores"].home.rglob("*") if path.is_file() and "index" not in path.parts
    )
    assert after == before


@pytest.mark.parametrize(
    "name",
    [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        ".hidden",
        "x/../../settings.py",
        "/etc/passwd",
        "app.css/..",
        "\\..\\app.py",
    ],
)
def test_nothing_outside_the_folder_of_assets_is_sent(app: Flask, name: str) -> None:
    answer = app.test_client().get(f"/static/x/{name}", base_url=TLS)
    assert answer.status_code in {303, 308, 404}
    assert "import" not in answer.text
