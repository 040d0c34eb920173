import time

import pytest

from sop_server.rendering.complexity import too_complex
from sop_server.rendering.markdown import render
from tests.rendering.html_reading import assert_safe, text_without

HOSTILE = {
    "rows of one cell": "|a\n|-\n" + "|a\n" * 13_000,
    "short rows filled up": "|" + "a|" * 2000 + "\n|" + "-|" * 2000 + "\n" + "|\n" * 500,
    "one wide row": "|" + "a|" * 100_000 + "\n|" + "-|" * 100_000,
    "nested quotes": ">" * 10_000 + "a",
    "brackets": "[" * 100_000,
    "images": "![" * 60_000,
    "links": "[a](" * 50_000,
    "addresses without spaces": "http://a" * 10_000,
    "colons and slashes": "://" * 20_000,
    "mail addresses": "a@b.co " * 50_000,
    "emphasis": "**a *b **c" * 30_000,
    "footnotes": "[^1]" * 20_000 + "\n\n[^1]: x",
    "inline footnotes": "^[" * 30_000,
    "like headings": "# a\n" * 50_000,
    "items": "- a\n" * 50_000,
    "as many tasks as are laid out": "- [ ] a task\n" * 8_000,
    "deep items": "\n".join(" " * (2 * depth) + "- a" for depth in range(600)),
    "entities": "&a" * 200_000,
    "ids": "SOP-0001 " * 50_000,
    "code": "```js\n" + "a/" * 100_000 + "\n```\n",
    "white space before a delimiter": (" " * 2_000 + "-\n") * 200,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_no_dearer_than_honest_text(body: str) -> None:
    start = time.process_time()
    rendered = render(body, resolve=lambda _: None)
    # Unbounded, each of these takes from several seconds to minutes, or fills megabytes.
    assert time.process_time() - start < 3
    assert len(rendered.html) < 12 * len(body) + 10_000


def test_what_is_too_complex_is_shown_as_it_was_written() -> None:
    body = "[" * 100_000 + "<script>alert(1)</script> SOP-0007"
    rendered = render(body, resolve=lambda _: None)
    assert "shown as it was written" in rendered.html
    assert_safe(rendered.html)
    assert body.replace(" ", "") in text_without(rendered.html, "del")
    assert rendered.links == ("SOP-0007",)
    assert rendered.text == body


@pytest.mark.parametrize(
    "body",
    [
        "A sentence of nine words that somebody wrote down.\n\n" * 4_000,
        "| a | b | c |\n|---|---|---|\n" + "| 1 | 500 USD | text |\n" * 800,
        "1. Open the screen and press **Save**.\n" * 2_000,
        "- [x](https://example.com/page)\n" * 1_000,
    ],
)
def test_long_honest_text_is_laid_out(body: str) -> None:
    assert not too_complex(body)
