"""Hostile documents shown to a real Chromium, without any policy that could hide a mistake, and walked there."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, Playwright, Request, Route, sync_playwright

from tests.hostile.documents import Document, document
from tests.hostile.shown import Showing, rules

SEED = 20261103
ON_ONE_PAGE = 25

_HERE = Path(__file__).parent
_ADDRESS = "http://shown.test"


class NoChromiumError(Exception):
    """There is no Chromium here."""


@dataclass(slots=True)
class Walked:
    """What was met: how much of it, everything that should not be there, and every script that ran."""

    documents: int = 0
    elements: int = 0
    attributes: int = 0
    addresses: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    trips: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def harmless(self) -> bool:
        """Whether nothing was met that should not be there."""
        return not (self.problems or self.trips or self.requests)

    def kinds(self) -> set[str]:
        """Return the kinds of problems that were met."""
        return {kind for _, kind, _ in self.problems}

    def __str__(self) -> str:
        told = [f"document {number}: {kind}: {what}" for number, kind, what in self.problems[:20]]
        told += [f"a script ran: {what}" for what in self.trips[:20]]
        told += [f"asked for {what}" for what in self.requests[:20]]
        return "\n".join([f"{self.documents:,} documents, {self.elements:,} elements", *told])


def chosen(numbers: Iterable[int], *, seed: int = SEED) -> Iterator[tuple[int, Document]]:
    """Return documents by their numbers."""
    return ((number, document(seed, number)) for number in numbers)


def walk(documents: Iterable[tuple[int, Document]], showing: Showing | None = None) -> Iterator[Walked]:
    """Walk documents; yields what was met so far after each page. Raises NoChromiumError."""
    showing, left, so_far = showing or Showing(), iter(documents), Walked()
    with sync_playwright() as playwright, launched(playwright) as browser:
        page: Page | None = None
        while batch := dict(islice(left, ON_ONE_PAGE)):
            page = _walk_page(page or _new_page(browser), showing, batch, so_far)
            yield so_far


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """Start the browser and end it. Raises NoChromiumError."""
    program = shutil.which("chromium")
    if program is None:
        raise NoChromiumError
    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
    try:
        yield browser
    finally:
        browser.close()


def _new_page(browser: Browser) -> Page:
    context = browser.new_context(bypass_csp=True)
    context.set_default_timeout(60_000)
    context.add_init_script(path=_HERE / "tripwires.js")
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    return page


def _walk_page(page: Page, showing: Showing, documents: dict[int, Document], so_far: Walked) -> Page | None:
    """Walk one page of documents; returns the browser's page unless it was spoilt."""
    shown = showing.batch(documents)
    _answer(page, shown.html, so_far)
    try:
        page.goto(f"{_ADDRESS}/shown", wait_until="load")
        found: dict[str, Any] = page.evaluate((_HERE / "walk.js").read_text("utf-8"), rules(shown.count))
    except Error as error:
        # Whoever leads the browser away, or breaks what it looks with, is found by that.
        so_far.problems.append((next(iter(documents)), "unwalkable", error.message.partition("\n")[0]))
        page.context.close()
        return None
    so_far.documents += shown.count
    so_far.elements += found["seen"]["elements"]
    so_far.attributes += found["seen"]["attributes"]
    so_far.addresses += found["seen"]["addresses"]
    so_far.problems += [(one["number"], one["kind"], one["what"]) for one in found["problems"]]
    so_far.trips += found["trips"]
    return page


def _answer(page: Page, html: str, so_far: Walked) -> None:
    """Answer the page itself and the pictures of the library; whatever else a page asks for is written down."""

    def answer(route: Route) -> None:
        request: Request = route.request
        if request.url == f"{_ADDRESS}/shown" and request.is_navigation_request():
            route.fulfill(status=200, content_type="text/html; charset=utf-8", body=html)
            return
        if not request.url.startswith((f"{_ADDRESS}/attachments/", f"{_ADDRESS}/favicon.ico")):
            so_far.requests.append(request.url)
        route.fulfill(status=404, body="")

    page.unroute_all()
    page.route("**/*", answer)
