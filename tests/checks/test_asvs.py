"""The table of docs/asvs.md: every requirement once, and nothing claimed that no test or document shows."""

import re
from collections import Counter

from tests.checks.asvs import requirements
from tests.checks.documents import ROOT, known_tests, named_in, rows

_PATH = ROOT / "docs" / "asvs.md"
_ROWS = rows(_PATH)
_LINK = re.compile(r"\]\(([^)#]+)\)")


def test_every_requirement_stands_there_once_with_its_level() -> None:
    wanted = requirements()
    assert Counter(wanted.values()) == {1: 70, 2: 183}
    assert Counter(row[0] for row in _ROWS) == Counter(wanted.keys())
    assert {row[0]: int(row[1]) for row in _ROWS} == wanted


def test_every_test_that_is_named_is_there() -> None:
    there = known_tests()
    missing = [
        f"{row[0]} {path}::{name}" for row in _ROWS for path, name in named_in(row[5]) if (path, name) not in there
    ]
    assert missing == []


def test_what_is_met_is_shown() -> None:
    for number, _, _, state, how, shown in _ROWS:
        assert state in {"met", "**not met**", "operator", "n/a"}, number
        assert state == "met" or how, f"{number} does not say why"
        if state == "met" and not named_in(shown):
            # By a document, or by what the program is made of.
            assert _LINK.search(how) or number in {"1.4.1", "11.2.3", "14.3.3", "16.2.3"}, (
                f"{number} is shown by nothing"
            )


def test_every_document_that_is_named_is_there() -> None:
    for link in _LINK.findall(_PATH.read_text("utf-8")):
        assert link.startswith("https://") or (_PATH.parent / link).resolve().is_file(), link


def test_the_heading_counts_what_stands_below_it() -> None:
    count = Counter(row[3].strip("*") for row in _ROWS)
    head = _PATH.read_text("utf-8").split("\n")[2]
    told = f"{len(_ROWS)} requirements: {count['met']} met, {count['not met']} not met, "
    told += f"{count['operator']} the operator's, {count['n/a']} not applicable."
    assert head == told
