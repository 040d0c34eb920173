from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.trailers import Publication, intent_id, message, restoration

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def publication(**given: object) -> Publication:
    known = {
        "intent_id": 7,
        "sop_id": "SOP-0042",
        "revision": 3,
        "kind": "edit",
        "significance": "major",
        "change_summary": "Refunds over 500 USD.\nWith a reason.",
        "tickets": ("jira:CHG-1", "csv:9"),
        "effective_from": NOON,
        "approved_by": ("Ben <ben@example.com>",),
        "approval_ids": (11,),
        "content_hash": "f" * 64,
        "reverts": None,
    }
    return Publication(**{**known, **given})  # type: ignore[arg-type]  # the fields, as each test names them


def test_a_message_says_everything_that_was_approved() -> None:
    assert message(publication()) == (
        "SOP-0042 r3: Refunds over 500 USD.\n\nWith a reason.\n\n"
        "SOP-Id: SOP-0042\nRevision: 3\nSignificance: major\nTicket: jira:CHG-1\nTicket: csv:9\n"
        "Effective-From: 2026-03-01T12:00:00Z\nApproved-By: Ben <ben@example.com>\nApproval-Id: 11\n"
        f"Content-Hash: {'f' * 64}\nIntent-Id: 7\n"
    )


def test_a_retirement_and_an_undo_say_so() -> None:
    assert "r3: retire: " in message(publication(kind="retire"))
    assert message(publication(kind="retire")).endswith("Retires: yes\n")
    assert message(publication(reverts=2)).endswith("Reverts: 2\n")


@given(st.text(alphabet=st.characters(exclude_categories=["C"]) | st.just("\n"), min_size=1))
def test_no_summary_reaches_into_the_trailers(summary: str) -> None:
    written = message(publication(change_summary=summary))

    last = written.removesuffix("\n").split("\n\n")[-1]
    assert last == message(publication()).removesuffix("\n").split("\n\n")[-1]


@pytest.mark.parametrize("values", [[], ["7", "7"], ["x"], [""], ["-7"], ["²"], ["٣"], ["9" * 30], ["7 "], ["7.0"]])
def test_what_names_no_intent_is_none(values: list[str]) -> None:
    assert intent_id({"Intent-Id": values}) is None


def test_an_intent_is_named_once() -> None:
    assert intent_id({"Intent-Id": ["7"]}) == 7
    assert intent_id({}) is None


def test_a_commit_that_puts_texts_back_says_so_and_names_no_approval() -> None:
    assert restoration(1).endswith("\n\nRestores: 1 file\n")
    assert restoration(12).endswith("\n\nRestores: 12 files\n")
    assert "Intent-Id" not in restoration(1)
