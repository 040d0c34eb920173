import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.front_matter import Severity, build, parse, with_values
from sop_server.errors import InvalidInputError

FULL = """---
id: SOP-0042               # permanent
title: Refunds over 500 USD
process: PROC-017
department: customer-care
owner: Asha@Example.com
deputy: ben@example.com
audience: [customer-care-tier2]   # teams
systems:
  - Zendesk
  - SAP   # the old one

# how often
review_every: 6 months
tags: [refund, payment]
links: [SOP-0007]
grade: 3
---

# Refunds

Text.
"""


def test_every_key_is_read_into_its_type() -> None:
    file = parse(FULL)
    assert file.problems == ()
    front = file.front
    assert (front.id, front.title, front.processes) == ("SOP-0042", "Refunds over 500 USD", ("PROC-017",))
    assert (front.department, front.owner, front.deputy) == ("customer-care", "asha@example.com", "ben@example.com")
    assert (front.audience, front.systems) == (("customer-care-tier2",), ("Zendesk", "SAP"))
    assert (front.review_every_days, front.tags, front.links) == (180, ("refund", "payment"), ("SOP-0007",))
    assert front.extra == {"grade": 3}
    assert file.raw["owner"] == "Asha@Example.com"
    assert file.body.startswith("\n# Refunds")
    assert FULL.split("\n")[file.body_line - 1 :] == file.body.split("\n")
    assert file.lines["review_every"] == 14


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# Refunds **over** `500`\n", "Refunds over 500"),
        ("text\n\n# [Linked](x.md) title ##\n", "Linked title"),
        ("```\n# comment\n```\n# Real\n", "Real"),
        ("## Second level\n", None),
        ("#hash\n", None),
        ("", None),
    ],
)
def test_a_missing_title_is_the_first_heading(body: str, title: str | None) -> None:
    assert parse(body).front.title == title
    assert parse(f"---\nowner: a@b.co\n---\n{body}").front.title == title


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("id: sop-42", "did you mean SOP-0042"),
        ("id: [SOP-0042]", "must be one text"),
        ("title: [a, b]", "must be one text"),
        ('title: "a\\nb"', "line breaks"),
        ('owner: "a\\0b"', "control characters"),
        (f"title: {'x' * 201}", "201 characters"),
        ("department: Customer Care", "write “customer-care”"),
        ("audience: [Tier 2]", "write “tier-2”"),
        ("process: PROC-17", "did you mean PROC-017"),
        ("links: [SOP-7]", "did you mean SOP-0007"),
        ("review_every: soon", "is not an interval"),
        ("systems: {a: b}", "must be a list"),
        ("tags: [[a]]", "each entry must be one text"),
        (f"tags: [{'a, ' * 101}b]", "the limit is 100"),
    ],
)
def test_a_wrong_value_is_an_error_with_its_line(line: str, message: str) -> None:
    file = parse(f"---\n# comment\n{line}\n---\nbody\n")
    problem = file.problems[0]
    assert (problem.line, problem.severity) == (3, Severity.ERROR)
    assert problem.field == line.partition(":")[0]
    assert message in problem.message
    assert file.body == "body\n"


def test_an_owner_who_is_no_address_is_a_warning_and_kept() -> None:
    file = parse('---\nowner: "#platform"\n---\n')
    assert file.front.owner == "#platform"
    assert [problem.severity for problem in file.problems] == [Severity.WARNING]
    assert file.errors == ()


def test_numbers_and_dates_are_texts_where_a_text_is_wanted() -> None:
    front = parse(
        "---\ntitle: 2024-01-02\nsystems: [1.10, yes, 12:30]\ntags: a, b\ndue: 2024-01-02\nno: 010\n---\n"
    ).front
    assert front.title == "2024-01-02"
    assert front.systems == ("1.10", "yes", "12:30")
    assert front.tags == ("a", "b")
    assert front.extra == {"due": "2024-01-02", "no": "010"}


@pytest.mark.parametrize(
    ("matter", "line", "message"),
    [
        ("a: &x [1]\nb: *x", 2, "anchor"),
        ("b: 1\na: *x", 3, "alias"),
        ("a: !!python/object:os.system x", 2, "tag"),
        ("a: 1\nb: 2\na: 3", 4, "stands twice"),
        ("a: [[[[[[[[1]]]]]]]]", 2, "deep"),
        ("[" * 5000, 2, "deep"),
        ("title: 'x", 2, "broken YAML"),
        ("just words", 2, "not a list of"),
        ("- a\n- b", 2, "not a list of"),
        ("a: " + "x" * 17000, 2, "limit is 16,384"),
        ("a: 1\n...\nb: 2", 4, ""),
        ("a: \ud800", 2, "half of a character"),
        ("a: \x00", 2, "does not allow"),
        ("? [a]\n: b", 2, "a key must be a word"),
    ],
)
def test_broken_or_hostile_yaml_becomes_a_problem(matter: str, line: int, message: str) -> None:
    file = parse(f"---\n{matter}\n---\nbody\n")
    (problem,) = file.problems
    assert message in problem.message
    assert problem.severity is Severity.ERROR
    assert problem.line == line
    assert (file.body, file.raw) == ("body\n", {})


def test_front_matter_that_is_never_closed_is_a_problem_and_all_is_body() -> None:
    file = parse("---\ntitle: x\n")
    assert file.problems[0].line == 1
    assert file.body == "---\ntitle: x\n"


@given(st.text(alphabet="-:#[]{}&*!|>'\"\n\r \tab\u2028\x85\ud8001,", max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    json.dumps(dict(parse(text).raw))
    json.dumps(dict(parse(f"---\n{text}\n---\n").raw))


def test_setting_a_value_touches_nothing_else() -> None:
    changed = with_values(FULL, {"title": "Refunds: all", "systems": ["Zendesk"], "owner": "cara@example.com"})
    expected = (
        FULL.replace("Refunds over 500 USD", "'Refunds: all'")
        .replace("systems:\n  - Zendesk\n  - SAP ", "systems: [Zendesk] ")
        .replace("Asha@Example.com", "cara@example.com")
    )
    assert changed == expected


def test_setting_what_is_there_already_changes_no_byte() -> None:
    assert with_values(FULL, {"id": "SOP-0042", "systems": ("Zendesk", "SAP"), "grade": 3}) == FULL


def test_a_new_id_comes_first_and_other_new_keys_last() -> None:
    text = "---\n# mine\ntitle: x # y\n\n---\nbody"
    assert with_values(text, {"owner": "a@b.co", "id": "SOP-0001"}) == (
        "---\nid: SOP-0001\n# mine\ntitle: x # y\n\nowner: a@b.co\n---\nbody"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("body\n", "---\nid: SOP-0001\n---\n\nbody\n"),
        ("\nbody\n", "---\nid: SOP-0001\n---\n\nbody\n"),
        ("", "---\nid: SOP-0001\n---\n"),
        ("---\n---\nbody\n", "---\nid: SOP-0001\n---\nbody\n"),
        ("---\nid:\n---\n", "---\nid: SOP-0001\n---\n"),
        ("---\nid: |\n  a\n  b\nx: 1\n---\n", "---\nid: SOP-0001\nx: 1\n---\n"),
        ("---\n  a: 1\n---\n", "---\n  id: SOP-0001\n  a: 1\n---\n"),
        ("---\r\na: 1\r\n---\r\n", "---\r\nid: SOP-0001\r\na: 1\r\n---\r\n"),
        ("---\n{a: 1}\n---\n", "---\n{id: SOP-0001, a: 1}\n---\n"),
        ("---\n? id\n: 5\n---\n", "---\n? id\n: SOP-0001\n---\n"),
    ],
)
def test_an_id_is_set_in_every_form_of_front_matter(text: str, expected: str) -> None:
    assert with_values(text, {"id": "SOP-0001"}) == expected


@pytest.mark.parametrize("text", ["---\na: [\n---\n", "---\na: 1\n", "---\n- a\n---\n", "---\na: 1\na: 2\n---\n"])
def test_broken_front_matter_is_not_changed(text: str) -> None:
    with pytest.raises(InvalidInputError, match="Nothing was changed"):
        with_values(text, {"id": "SOP-0001"})


VALUES = st.text(max_size=30) | st.lists(st.text(max_size=10), max_size=3)


@given(st.dictionaries(st.sampled_from(["id", "title", "owner", "tags", "x y", "on"]), VALUES))
def test_what_is_set_is_what_is_read(values: dict[str, str | list[str]]) -> None:
    for text in (with_values(FULL, values), build(values, "body\n")):
        raw = parse(text).raw
        assert {key: raw[key] for key in values} == values
    assert with_values(FULL, values).endswith(FULL[FULL.index("\n---\n") :])


def test_a_new_file_has_its_keys_in_the_usual_order() -> None:
    text = build({"weight": 3, "owner": "a@b.co", "title": "on", "id": "SOP-0001", "tags": ["a, b"]}, "Body.\n")
    assert text == "---\nid: SOP-0001\ntitle: 'on'\nowner: a@b.co\ntags: ['a, b']\nweight: 3\n---\n\nBody.\n"
