"""Hostile Markdown as the product shows it, walked in a real browser. All 20,000 of it: `make hostile`."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

from sop_server.rendering import safety
from sop_server.rendering.markdown import Rendered
from tests.hostile.documents import document
from tests.hostile.handlers import HANDLERS
from tests.hostile.shown import Showing, product
from tests.hostile.walking import SEED, NoChromiumError, Walked, chosen, launched, walk

SAMPLE = 400


def walked(numbers: range, rendered: Callable[[str], Rendered] = product) -> Walked:
    """Walk documents to the end; skips where there is no Chromium."""
    so_far = Walked()
    try:
        for so_far in walk(chosen(numbers), Showing(rendered)):  # noqa: B007 - the last one is what is wanted
            pass
    except NoChromiumError:
        pytest.skip("There is no Chromium here.")
    return so_far


def _raw(body: str) -> str:
    html: str = MarkdownIt("commonmark", {"html": True}).render(body)
    return html


def test_nothing_of_a_hostile_text_runs_or_stands_where_it_should_not() -> None:
    found = walked(range(SAMPLE))
    assert found.harmless, str(found)
    assert found.documents == SAMPLE
    assert found.addresses > SAMPLE


def test_the_walk_finds_what_a_renderer_lets_through() -> None:
    found = walked(range(25), lambda body: replace(product(body), html=_raw(body)))
    assert {"element", "attribute", "handler", "scheme"} <= found.kinds()
    assert found.trips


def test_the_last_gate_alone_lets_no_script_through() -> None:
    found = walked(range(25, 75), lambda body: replace(product(body), html=safety.clean(_raw(body))))
    # Which ids a text may have, and whose pictures, is the renderer's to say and not the gate's.
    assert found.kinds() <= {"id", "clobbers", "foreign"}
    assert not found.trips


FAULTS = [
    ("</div></article><script>tripped()</script>", "escaped"),
    ("<p id=page>x</p>", "clobbers"),
    ("<a id=location>x</a>", "clobbers"),
    ("<p id=mine>x</p>", "id"),
    ("<p onclick=x>x</p>", "handler"),
    ("<a href='java\tscript:x'>x</a>", "scheme"),
    ("<a href=data:,x>x</a>", "scheme"),
    ("<img src=//evil.test/x.png>", "foreign"),
    ("<svg></svg>", "namespace"),
    ("<form></form>", "element"),
    ("<p style=color:red>x</p>", "attribute"),
    ("<template><p>x</p></template>", "template"),
    ("<!-- x -->", "node"),
    ("<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;b&gt;'>", "mutates"),
]


def test_each_fault_is_told_by_its_name() -> None:
    shown = iter(FAULTS)
    found = walked(range(len(FAULTS)), lambda body: replace(product(body), html=next(shown)[0]))
    told = {(number, kind) for number, kind, _ in found.problems}
    assert {(number, kind) for number, (_, kind) in enumerate(FAULTS)} <= told
    assert found.trips == ["tripped"]
    assert set(found.requests) == {"http://evil.test/x.png"}


def test_the_same_number_is_the_same_document() -> None:
    assert document(SEED, 7) == document(SEED, 7)
    assert document(SEED, 7) != document(SEED, 8)
    assert document(SEED + 1, 7) != document(SEED, 7)


def test_every_handler_stands_in_some_document_of_the_sample() -> None:
    assert len(HANDLERS) < SAMPLE
    texts = [document(SEED, number).body.lower() for number in range(SAMPLE)]
    # A blow may have hit the one that was put there for it.
    missing = [name for name in HANDLERS if not any(name in text for text in texts)]
    assert len(missing) < len(HANDLERS) / 20, missing


@pytest.fixture
def known() -> set[str]:
    """Every handler that this browser knows."""
    try:
        with sync_playwright() as playwright, launched(playwright) as browser:
            names: list[str] = browser.new_page().evaluate(
                """() => {
                    const made = (space, tag) => document.createElementNS(`http://www.w3.org/${space}`, tag);
                    const starts = ["body", "video", "form", "marquee"].map((tag) => document.createElement(tag));
                    starts.push(window, document, made("2000/svg", "animate"), made("1998/Math/MathML", "mi"));
                    const names = [];
                    for (const start of starts) for (const name in start) names.push(name);
                    return names.filter((name) => /^on[a-z]/.test(name));
                }"""
            )
    except NoChromiumError:
        pytest.skip("There is no Chromium here.")
    return set(names)


def test_every_handler_that_the_browser_knows_is_among_them(known: set[str]) -> None:
    assert len(known) > 80
    assert sorted(known - set(HANDLERS)) == []
