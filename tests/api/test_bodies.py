"""What a caller may send by mistake or by malice: told in problem JSON, never a crash."""

import pytest

from tests.api.operation import As

DEEP = b'{"content":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
HALF_DEEP = b'{"content":' + b"[" * 30 + b"]" * 30 + b"}"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b"12",
        b"{}{}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"\xff\xfe{}",
        b'{"significance": "\xff"}',
        b'{"base_revision": ' + b"9" * 10_000 + b"}",
        DEEP,
        HALF_DEEP,
        b"\x00",
    ],
)
def test_a_body_that_is_no_object_is_told(caller: As, raw: bytes) -> None:
    answer = caller("asha").send("POST", "/drafts", raw)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["errors"]


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_another_kind_of_content_is_told(caller: As, content_type: str | None) -> None:
    answer = caller("asha").send("POST", "/drafts", b'{"content": "x"}', content_type)
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == {"body": "must be application/json"}


def test_json_of_a_kind_is_json(caller: As) -> None:
    answer = caller("asha").send("POST", "/drafts", b"{}", "application/vnd.api+json; charset=utf-8")
    assert "change_summary" in answer.get_json()["errors"]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"change_summary": "a\\u0000b"}', "change_summary"),
        (b'{"change_summary": "\\ud800"}', "change_summary"),
        (b'{"tickets": ["ok", "\\ud800"]}', "tickets.1"),
    ],
)
def test_what_no_text_holds_is_named(caller: As, raw: bytes, field: str) -> None:
    answer = caller("asha").send("POST", "/drafts", raw)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [field]


def test_key_that_is_half_a_character_is_told(caller: As) -> None:
    assert caller("asha").send("POST", "/drafts", b'{"\\ud800": 1}').status_code == 422


def test_all_mistakes_are_told_at_once(caller: As) -> None:
    answer = caller("asha").post("/drafts", significance="huge", reverts="x", more=1)
    assert set(answer.get_json()["errors"]) == {"change_summary", "significance", "reverts", "more"}


def test_the_message_never_repeats_a_long_value(caller: As) -> None:
    answer = caller("asha").post("/drafts", significance="x" * 5000, change_summary="y")
    assert len(answer.get_data()) < 1000


@pytest.mark.parametrize(
    "path", ["/sops/%00", "/sops/..%2f..%2fetc", "/sops/SOP-99999999999999999999", "/drafts/1' OR 1=1"]
)
def test_strange_names_are_not_found(caller: As, path: str) -> None:
    assert caller("asha").get(path).status_code == 404


@pytest.mark.parametrize("query", [{"q": "a\0b"}, {"limit": "9" * 5000}, {"at": "9999-99-99"}, {"stale": "perhaps"}])
def test_strange_queries_are_told(caller: As, query: dict[str, object]) -> None:
    answer = caller("rita").get("/search", **query)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(query)


def test_method_that_a_call_does_not_have_is_told(caller: As) -> None:
    answer = caller("asha").send("DELETE", "/drafts", b"")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.content_type == "application/problem+json"
