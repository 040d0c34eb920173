"""A library of hostile documents, brought in by the real import: no page breaks, and no script runs in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Dialog, Route, sync_playwright

from sop_server import home
from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import add_person
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.library.indexing import index_due
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.settings import load_settings
from sop_server.storage.people import load_actor
from tests.hostile.walking import SEED, NoChromiumError, chosen, launched
from tests.views.browser import Browser

SAMPLE = 200
OPENED = 20

_REFUSED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_ADDRESS = "http://localhost"
_WORDS = ("alert", '"><script>alert(1)</script>', "onerror", "javascript:alert(1)", "SOP-0007")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    folder = tmp_path_factory.mktemp("hostile")
    source = folder / "source"
    source.mkdir()
    for number, document in chosen(range(SAMPLE), seed=SEED):
        # Every fourth stays as it is, so that the door has something to refuse.
        content = _REFUSED.sub("", document.content) if number % 4 else document.content
        (source / f"{number:03}.md").write_bytes(content.encode("utf-8", "replace"))
    stores = home.create_home(load_settings(home=folder / "home"))
    _bring_in(stores, source)
    yield stores
    home.close_stores(stores)


def _bring_in(stores: Stores, source: Path) -> None:
    report = import_tree(
        stores,
        actor=_person(stores),
        request=ImportRequest(root=source, department="payments", owner="asha@example.com"),
        now=stores.clock(),
    )
    assert len(report.imported) + len(report.skipped) == SAMPLE
    assert len(report.imported) > SAMPLE / 2
    while index_due(stores, now=stores.clock()):
        pass


def _person(stores: Stores) -> Actor:
    now = stores.clock()
    roles = ["admin", "reader", "editor", "manager"]
    added = add_person(stores, actor=OPERATOR, now=now, email="asha@example.com", name="Asha Rao", roles=roles)
    with stores.database.read() as session:
        actor = load_actor(session, added.person.id, stores.clock())
    assert actor is not None
    return actor


@pytest.fixture(scope="module")
def app(stores: Stores) -> Flask:
    return create_app(load_settings(home=stores.home), stores=stores)


@pytest.fixture(scope="module")
def browser(app: Flask, stores: Stores) -> Browser:
    return Browser(app).sign_in(_person(stores))


@pytest.fixture(scope="module")
def found(browser: Browser) -> list[str]:
    """The SOPs whose pages can be read: every page is asked for."""
    answers = {f"SOP-{number:04}": browser.get(f"/sops/SOP-{number:04}").status_code for number in range(1, SAMPLE + 1)}
    assert set(answers.values()) <= {200, 404}
    return [sop_id for sop_id, status in answers.items() if status == 200]


def test_a_hostile_library_is_imported_and_breaks_no_page(browser: Browser, stores: Stores, found: list[str]) -> None:
    assert len(found) > SAMPLE / 2
    for sop_id in found[::10]:
        for path in (f"/sops/{sop_id}/revisions", f"/sops/{sop_id}/revisions/1", f"/sops/{sop_id}/edit"):
            assert browser.get(path).status_code == 200, path
    for path in ("/", "/sops/", "/findings/", "/processes/", "/reports/staleness", "/reports/drift", "/drafts/"):
        assert browser.get(path).status_code == 200, path
    for words in _WORDS:
        assert browser.get(f"/search?q={words}").status_code in {200, 302, 303}, words
    assert check(stores, now=stores.clock()).problems == ()


def test_no_page_of_it_runs_a_script_of_a_text(browser: Browser, found: list[str]) -> None:
    """The pages with the product's own scripts, and without the policy that would stop those of others."""
    ran: list[str] = []
    asked: list[str] = []

    def met(dialog: Dialog) -> None:
        ran.append(dialog.type)
        dialog.dismiss()

    def answer(route: Route) -> None:
        if not route.request.url.startswith(_ADDRESS):
            asked.append(route.request.url)
            route.abort()
            return
        sent = browser.get(route.request.url.removeprefix(_ADDRESS))
        kept = {name: value for name, value in sent.headers if name.lower() in {"content-type", "location"}}
        route.fulfill(status=sent.status_code, headers=kept, body=sent.data)
        sent.close()

    paths = [f"/sops/{sop_id}" for sop_id in found[:: max(1, len(found) // OPENED)]]
    paths += ["/", "/sops/", "/search?q=alert", f"{paths[0]}/edit"]
    try:
        with sync_playwright() as playwright, launched(playwright) as chromium:
            page = chromium.new_context(bypass_csp=True).new_page()
            page.expose_function("tripped", lambda *_: ran.append("tripped"))
            page.on("dialog", met)
            page.on("console", lambda message: ran.append(message.text) if "tripped" in message.text else None)
            page.route("**/*", answer)
            for path in paths:
                page.goto(_ADDRESS + path, wait_until="load")
                assert page.title() != "tripped"
                assert page.evaluate("[...document.scripts].every((one) => one.src.includes('/static/'))"), path
    except NoChromiumError:
        pytest.skip("There is no Chromium here.")
    assert ran == []
    assert asked == []
