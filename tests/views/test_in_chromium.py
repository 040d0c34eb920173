"""What only a browser shows: scripts at work, and pages that keep within a phone. Skipped where there is no Chromium.

Nothing listens: the browser's requests are handed to Flask's test client.
"""

import shutil
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route, expect, sync_playwright

from sop_server.domain.permissions import Actor
from tests.views.browser import Browser
from tests.views.conftest import Cast, Publish
from tests.views.texts import sop_text

Opened = Callable[[Actor], Page]

ADDRESS = "http://sops.test"
LONG_WORD = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("There is no Chromium here.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def opened(app: Flask, chromium: Chromium) -> Iterator[Opened]:
    """Open a page of a phone's width as somebody."""
    context = chromium.new_context(base_url=ADDRESS, viewport={"width": 390, "height": 844})

    def page_of(actor: Actor) -> Page:
        person = Browser(app).sign_in(actor)

        def answer(route: Route) -> None:
            sent = person.get(route.request.url.removeprefix(ADDRESS))
            route.fulfill(status=sent.status_code, headers=dict(sent.headers), body=sent.data)
            sent.close()

        page = context.new_page()
        page.route("**/*", answer)
        return page

    yield page_of
    context.close()


def test_the_bell_rings_on_every_page(opened: Opened, cast: Cast, publish: Publish) -> None:
    publish()
    page = opened(cast.reader)

    page.goto("/sops/")

    expect(page.locator("[data-bell]")).to_have_accessible_name("1 thing needs you")
    expect(page.locator("[data-bell] .count")).to_have_text("1")


def test_tickets_become_chips_and_are_sent_as_one_line(opened: Opened, cast: Cast, publish: Publish) -> None:
    page = opened(cast.editor)
    page.goto(f"/sops/{publish()}/edit")
    field, sent = page.get_by_label("Tickets that it answers"), page.locator("input[name=tickets]")

    field.press_sequentially("jira:CHG-12,jira:CHG-13")
    field.press("Enter")

    assert sent.input_value() == "jira:CHG-12, jira:CHG-13"
    page.get_by_role("button", name="Take jira:CHG-12 away").click()
    assert sent.input_value() == "jira:CHG-13"


def test_no_page_is_wider_than_a_phone(opened: Opened, cast: Cast, publish: Publish) -> None:
    sop_id = publish(sop_text(f"Refunds {LONG_WORD}", body=f"## {LONG_WORD}\n\n{LONG_WORD}\n"))
    page = opened(cast.editor)

    of_the_sop = (f"/sops/{sop_id}", f"/sops/{sop_id}/revisions", f"/sops/{sop_id}/edit")
    own = ("/me", "/me/second-factor", "/login/forgotten")
    deviating = ("/deviations/", f"/sops/{sop_id}/deviations/new")
    for path in ("/", "/sops/", *of_the_sop, "/tickets/", *deviating, *own):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
