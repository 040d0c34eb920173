from pathlib import Path

import pytest

from sop_server.domain import front_matter
from sop_server.errors import InvalidInputError
from sop_server.services.imports.import_mapping import load_mapping, mapping_from
from sop_server.services.imports.import_texts import humanised, map_text

YAML = (
    "owner: owner_slack\ntags: [section, type]\nconstants:\n  department: ops\n"
    'values:\n  owner: {"#a": a@example.com}\n'
)
JSON = (
    '{"owner": "owner_slack", "tags": ["section", "type"], "constants": {"department": "ops"},'
    ' "values": {"owner": {"#a": "a@example.com"}}}'
)
TOML = (
    'owner = "owner_slack"\ntags = ["section", "type"]\n[constants]\ndepartment = "ops"\n'
    '[values.owner]\n"#a" = "a@example.com"\n'
)


@pytest.mark.parametrize(("name", "text"), [("map.yaml", YAML), ("map.json", JSON), ("map.toml", TOML)])
def test_yaml_json_and_toml_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    mapping = load_mapping(file)
    assert mapping.keys["owner"] == ("owner_slack",)
    assert mapping.keys["tags"] == ("section", "type")
    assert mapping.constants == {"department": "ops"}
    assert mapping.values == {"owner": {"#a": "a@example.com"}}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("map.yaml", "owner: [unclosed", "map.yaml"),
        ("map.json", "{", "map.json"),
        ("map.toml", "= 1", "map.toml"),
        ("map.yaml", "- a\n- b\n", "key: value"),
        ("map.yaml", "colour: red\n", "“colour” is none of title"),
        ("map.yaml", "owner: {a: b}\n", "“owner” must be a text"),
        ("map.yaml", "constants: {review_every: often}\n", "constants.review_every"),
        ("map.yaml", "constants: {id: SOP-0001}\n", "“id” is none of"),
        ("map.yaml", "values: {owner: x}\n", "values.owner"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_told_with_the_entry_that_is_wrong(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError) as error:
        load_mapping(file)
    assert told in error.value.message
    assert "Nothing was imported" in error.value.message


def test_a_mapping_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        load_mapping(tmp_path / "missing.yaml")


def mapped(matter: str, mapping: object = None, **defaults: str) -> str:
    content = f"---\n{matter}---\n\n# Heading\n\nText.\n".encode()
    return map_text(content, path="a.md", mapping=mapping_from(mapping), defaults=defaults).text


def test_the_order_is_mapped_key_own_key_constant_default() -> None:
    mapping = {"department": "team", "constants": {"department": "from-constant", "owner": "c@example.com"}}
    defaults = {"department": "from-default", "deputy": "d@example.com"}
    assert "department: from-map\n" in mapped("team: From Map\n", mapping, **defaults)
    assert mapped("department: own\n", mapping, **defaults).count("department:") == 1
    both = mapped("department: own\nteam: from-map\n", mapping, **defaults)
    assert "source_department: own\n" in both
    assert "\ndepartment: from-map\n" in both
    neither = mapped("other: x\n", mapping, **defaults)
    assert "department: from-constant\n" in neither
    assert "deputy: d@example.com\n" in neither


def test_a_key_without_a_value_counts_as_not_said() -> None:
    assert "owner: o@example.com\n" in mapped("owner:\ntags: []\n", owner="o@example.com")


def test_of_several_mapped_keys_the_first_that_fits_is_a_single_value() -> None:
    text = mapped("slack: '#a'\nmail: a@example.com\n", {"owner": ["slack", "mail"]})
    assert "owner: a@example.com\n" in text
    assert "slack: '#a'\n" in text


def test_values_are_replaced_in_keys_that_are_ours_already() -> None:
    text = mapped("owner: '#a'\n", {"values": {"owner": {"#a": "a@example.com"}}})
    assert "owner: a@example.com\n" in text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("docs/reset_password.md", "Reset password"),
        ("a.html.md", "A"),
        ("--.md", "Untitled"),
        (".md", "Untitled"),
        ("x\ny.md", "X y"),
        ("zażółć-gęślą.md", "Zażółć gęślą"),
    ],
)
def test_a_file_name_makes_a_title(path: str, title: str) -> None:
    assert humanised(path) == title


def test_what_does_not_fit_stays_under_its_own_key_and_is_told_with_its_line() -> None:
    mapping = {
        "owner": "owner_slack",
        "tags": ["section", "type"],
        "constants": {"systems": ["Zendesk"]},
        "values": {"owner": {"#payments": "asha@example.com"}},
    }
    known = mapped('owner_slack: "#payments"\nsection: Refunds\ntype: learn\n', mapping)
    front = front_matter.parse(known).front
    assert (front.owner, front.tags, front.systems) == ("asha@example.com", ("Refunds", "learn"), ("Zendesk",))
    content = b'---\nowner_slack: "#nobody"\n---\n# B\n\nx\n'
    result = map_text(content, path="b.md", mapping=mapping_from(mapping), defaults={"owner": "ada@example.com"})
    assert front_matter.parse(result.text).front.owner == "ada@example.com"
    assert 'owner_slack: "#nobody"\n' in result.text
    (note,) = result.notes
    assert note.line == 2
    assert "kept as owner_slack" in note.message


def test_values_of_our_own_keys_that_do_not_fit_are_set_aside_and_the_text_is_without_errors() -> None:
    matter = (
        "id: intro\ntitle: {a: b}\ndepartment: Customer Care\nowner: Jane Doe\nprocess: onboarding\n"
        "audience: [Tier One]\nlinks: [SOP-0001, other.md]\nreview_every: often\ntags: {a: b}\n"
    )
    file = front_matter.parse(mapped(matter, owner="ada@example.com"))
    assert file.errors == ()
    assert (file.front.title, file.front.department, file.front.owner) == (
        "Heading",
        "customer-care",
        "ada@example.com",
    )
    assert (file.front.audience, file.front.links) == (("tier-one",), ("SOP-0001",))
    assert file.front.extra == {
        "source_id": "intro",
        "source_title": {"a": "b"},
        "source_department": "Customer Care",
        "source_owner": "Jane Doe",
        "source_process": "onboarding",
        "source_audience": ["Tier One"],
        "source_links": ["SOP-0001", "other.md"],
        "source_review_every": "often",
        "source_tags": {"a": "b"},
    }
