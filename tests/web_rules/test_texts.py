"""Texts that were made to be costly, to be read in two ways, or to be more than text."""

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import permutations
from types import ModuleType

import pytest
from flask import Flask

import sop_server
from sop_server.domain import front_matter
from sop_server.domain.content import UnreadableContentError, normalise
from sop_server.domain.identifiers import parse_sop_id
from sop_server.domain.people import clean_email
from sop_server.errors import InvalidInputError
from sop_server.rendering.complexity import too_complex
from sop_server.rendering.markdown import render
from tests.web_rules.conftest import Served

Shape = Callable[[int], str]

# -- YAML: the front matter of a SOP is a few lines of plain values --

BOMBS = {
    "an alias": "a: &a [x]\nb: *a",
    "aliases of aliases": "a: &a [x,x]\n" + "".join(f"{n}: &{n} [*{p},*{p}]\n" for p, n in ("ab", "bc", "cd", "de")),
    "a tag": "a: !!python/object/apply:os.system [echo]",
    "a tag of its own": "a: !x y",
    "more than 16 KB": "a: " + "x" * 17_000,
    "deep lists": "a: " + "[" * 5_000 + "]" * 5_000,
    "deep mappings": "a: " + "{b: " * 3_000 + "1" + "}" * 3_000,
    "a key twice": "title: a\ntitle: b",
    "a merge": "a: &a {b: c}\nd:\n  <<: *a",
    "a directive": "%TAG ! tag:x,2000:\n---\na: !x b",
    "a complex key": "? [a, b]\n: c",
}


@pytest.mark.parametrize("matter", BOMBS.values(), ids=BOMBS.keys())
def test_front_matter_is_refused_quickly_where_it_is_more_than_plain_values(matter: str) -> None:
    started = time.process_time()
    parsed = front_matter.parse(f"---\n{matter}\n---\n\nText.\n")
    assert time.process_time() - started < 0.5
    assert parsed.errors


# -- Markdown: what costs more than honest text is shown as it was written --

SHAPES: Mapping[str, Shape] = {
    "brackets": lambda n: "[" * n,
    "closed brackets": lambda n: "[" * n + "]" * n,
    "images in images": lambda n: "![" * n + "](x)" * n,
    "links never closed": lambda n: "[a](<b" * n,
    "titles never closed": lambda n: '[a](b "' * n,
    "reference definitions": lambda n: "".join(f"[{number}]: x\n" for number in range(n)) + "[0]" * n,
    "references of nothing": lambda n: "[a][b]" * n,
    "wiki links": lambda n: "[[a|" * n,
    "strong and emphasis": lambda n: "**a *b " * n,
    "one run of stars": lambda n: "*" * n + "a" + "*" * n,
    "underscores": lambda n: "a_" * n,
    "tildes": lambda n: "~~a" * n,
    "code spans of all lengths": lambda n: " ".join("`" * (number % 60 + 1) for number in range(n)),
    "quotes in quotes": lambda n: ">" * n + "a",
    "lists in lists": lambda n: "\n".join(" " * min(2 * depth, 400) + "- a" for depth in range(n)),
    "addresses": lambda n: "http://a.b/c " * n,
    "addresses run together": lambda n: "http://a" * n,
    "mail addresses": lambda n: "a@b.co " * n,
    "at signs": lambda n: "a@" * n,
    "entities": lambda n: "&amp" * n,
    "angles": lambda n: "<" * n,
    "angles and letters": lambda n: "<a " * n,
    "comments": lambda n: "<!--" * n,
    "backslashes": lambda n: "\\" * n,
    "tables": lambda n: "|a\n|-\n" + "|a\n" * n,
    "wide tables": lambda n: "|" + "a|" * n + "\n|" + "-|" * n,
    "footnotes": lambda n: "".join(f"[^{number}]" for number in range(n)) + "\n\n[^1]: x",
    "footnotes in footnotes": lambda n: "^[" * n,
    "definitions": lambda n: "a\n: b\n\n" * n,
    "headings": lambda n: "# a\n" * n,
    "fences": lambda n: "```\n" * n,
    "tasks": lambda n: "- [ ] a\n" * n,
    "amounts": lambda n: "1,1" * n + " USD",
    "digits": lambda n: "5" * n,
    "ids": lambda n: "SOP-0001 " * n,
    "blanks": lambda n: " " * n + "a",
    "blank lines": lambda n: "\n" * n + "a",
    "one word": lambda n: "a" * n,
    "coloured code": lambda n: "```js\n" + "a/" * n + "\n```",
    "null characters": lambda n: "\0" * n,
}


def seconds(work: Callable[[], object]) -> float:
    """Return the least that a piece of work takes of two times."""
    taken = []
    for _ in range(2):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_twice_as_much_hostile_markdown_takes_about_twice_as_long(shape: Shape) -> None:
    # What is larger than is laid out is only escaped.
    size = 2_048
    while size > 64 and too_complex(shape(2 * size)):
        size //= 2
    told = []
    for _ in range(4):  # a busy machine doubles a time by itself, and not four times in turn
        one, two = (seconds(partial(render, shape(n), resolve=_nowhere)) for n in (size, 2 * size))
        if two < 3.2 * one + 0.06:
            return
        told.append(f"{one:.3f} s for {size:,}, {two:.3f} s for {2 * size:,}")
    pytest.fail("; ".join(told))


def _nowhere(_target: str) -> None:
    return None


# -- Regular expressions: ours, all of them --


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(sop_server.__path__, "sop_server."):
        if "migrations" not in found.name and not found.name.endswith(("__main__", "wsgi")):
            yield importlib.import_module(found.name)


def _patterns() -> dict[str, tuple[re.Pattern[str], bool]]:
    """Return each pattern by its name, and whether it looks for itself anywhere in a text."""
    found = {}
    for module in _modules():
        source = inspect.getsource(module)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                anywhere = re.search(rf"\b{name}\.(?:search|finditer|findall|subn?|split)\b", source) is not None
                found[f"{module.__name__}.{name}"] = (value, anywhere)
    return found


PATTERNS = _patterns()


def _attacks(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    own = sorted(set(re.sub(r"\\[A-Za-z]", "", pattern.pattern)) - set("()?+{}"))[:14]
    units = [*dict.fromkeys([*own, *" a0.-\n\t_A"])]
    units += ["".join(pair) for pair in permutations(units[:9], 2)]
    for unit in [*units, "SOP-0001 ", "a@b.", "://", "500 ", "1,", "[[a", "a.b-"]:
        for end in ("!", "\n\0"):
            yield (unit * length)[:length] + end


def _longest(pattern: re.Pattern[str], text: str, *, anywhere: bool) -> float:
    return seconds(lambda: [*pattern.finditer(text)] if anywhere else (pattern.match(text), pattern.fullmatch(text)))


def test_none_of_our_regular_expressions_runs_away() -> None:
    assert len(PATTERNS) > 30
    slow = []
    for name, (pattern, anywhere) in PATTERNS.items():
        for text in _attacks(pattern, 3_000):
            started = time.process_time()
            pattern.search(text) if anywhere else pattern.fullmatch(text)
            if time.process_time() - started > 0.01:
                one, four = (_longest(pattern, text[:-2] * times + text[-2:], anywhere=anywhere) for times in (1, 4))
                if four > 8 * one + 0.02:
                    slow.append(f"{name}: {one:.3f} s, four times as much {four:.3f} s, on {text[:12]!r}…")
    assert slow == []


# -- Unicode, JSON, control characters --


@pytest.mark.parametrize(
    ("typed", "kept"),
    [(" Asha@Example.COM ", "asha@example.com"), ("zoe\u0308@example.com", "zo\u00eb@example.com")],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept
    assert clean_email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "a@ex\u0430mple.com",
        "a\u200b@example.com",
        "a\u202e@example.com",
        "a@example.com\0",
        "a\n@b.co",
        "a@b@c.co",
        "<a@b.co>",
        "a@-b.co",
        "\uff4cena@example.com",
        "\ufb01nn@example.com",
        "mi\u017fa@example.com",
        "\u212aate@example.com",
    ],
)
def test_an_address_that_looks_like_another_is_none(typed: str) -> None:
    with pytest.raises(InvalidInputError):
        clean_email(typed)


def test_an_address_names_a_page_that_can_be_asked_for() -> None:
    with pytest.raises(InvalidInputError):
        clean_email("a/b@example.com")


@pytest.mark.parametrize(
    "typed",
    [
        "SOP-\uff10\uff10\uff10\uff11",
        "SOP-\u0660\u0660\u0660\u0661",
        "\uff33OP-0001",
        "SOP\u20110001",
        "SOP-0001\0",
        "SOP-0001\n",
    ],
)
def test_an_id_has_one_form(typed: str) -> None:
    assert parse_sop_id(typed) is None


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a\x00b", b"a\x1bb", b"\xed\xa0\x80"])
def test_what_is_no_text_is_no_sop(raw: bytes) -> None:
    with pytest.raises(UnreadableContentError):
        normalise(raw)


BODIES = [
    (b'{"source": "jira", "source": "x", "key": "1", "title": "t"}', "application/json", "stands twice"),
    (b'{"source": NaN}', "application/json", "not JSON"),
    (b'{"source": Infinity}', "application/json", "not JSON"),
    (b'{"source": ' + b"9" * 5_000 + b"}", "application/json", "not JSON"),
    (b'{"source": "\\u0000", "key": "1", "title": "t"}', "application/json", "no text has"),
    (b'{"source": "\\ud800", "key": "1", "title": "t"}', "application/json", "no text has"),
    (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", "nested too deeply"),
    (b"[]", "application/json", "object"),
    (b'{"source": "jira", "key": "1", "title": "t"}', "text/plain", "application/json"),
    (b'{"source": "jira", "key": "1", "title": "t", "is_admin": true}', "application/json", "not known here"),
    (b"source=jira&key=1&title=t", "application/x-www-form-urlencoded", "application/json"),
    (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        "application/xml",
        "application/json",
    ),
]


@pytest.mark.parametrize(("body", "kind", "told"), BODIES, ids=[told for _, _, told in BODIES])
def test_json_is_read_in_one_way_alone(served: Served, body: bytes, kind: str, told: str) -> None:
    head = f"POST /api/v1/tickets HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {served.token}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    answer = served.send(head.encode() + body).decode()
    assert answer.startswith("HTTP/1.1 422")
    assert told in answer


def test_the_number_of_an_address_given_twice_is_read_once(app: Flask) -> None:
    answer = app.test_client().get("/login?next=/me&next=//evil.test")
    assert "evil.test" not in answer.text
