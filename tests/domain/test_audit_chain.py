from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sop_server.domain.audit_chain import (
    GENESIS,
    Anchor,
    Head,
    Link,
    anchor_message,
    link_hash,
    prove,
    read_anchor,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def chain(count: int, *, actor: str = "asha@example.com", first: int = 1) -> list[Link]:
    made: list[Link] = []
    for number in range(first, first + count):
        previous = made[-1].hash if made else GENESIS
        parts = (NOON, actor, "draft.approved", f"SOP-{number:04d}")
        details = {"n": number}
        made.append(Link(number, *parts, details, previous, link_hash(previous, *parts, details)))
    return made


def anchored(link: Link) -> Anchor:
    return Anchor(Head(link.id, link.hash), NOON)


def test_the_hash_is_the_one_that_the_encoding_says() -> None:
    # Made with printf and sha256sum: what auditors' own programs must come to as well.
    assert link_hash(GENESIS, NOON, "a@b", "x", "s", {"b": "é", "a": [1]}) == (
        "06c0b2f3e43408efa764bac8d631013782be26647b9b79ccdc0aa5ee3b5a9bdd"
    )


def test_no_two_different_events_run_together() -> None:
    assert link_hash(GENESIS, NOON, "ab", "c", "s", {}) != link_hash(GENESIS, NOON, "a", "bc", "s", {})


def test_an_instant_is_the_same_in_every_time_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert link_hash(GENESIS, elsewhere, "a", "x", "s", {}) == link_hash(GENESIS, NOON, "a", "x", "s", {})


def test_a_whole_chain_with_its_anchors_holds() -> None:
    links = chain(5)

    proof = prove(links, [anchored(links[4]), anchored(links[1])])

    assert proof.broken is None
    assert proof.head == Head(5, links[4].hash)
    assert prove([]).head is None


@pytest.mark.parametrize(
    "change", [{"actor": "mallory"}, {"at": NOON + timedelta(seconds=1)}, {"details": {"n": 9}}, {"hash": "f" * 64}]
)
def test_the_first_changed_event_is_named(change: dict[str, object]) -> None:
    links = chain(5)
    links[2] = replace(links[2], **change)  # type: ignore[arg-type]  # each case names fields of it

    proof = prove(links)

    assert (proof.broken or "").startswith("audit event 3 (draft.approved on SOP-0003")
    assert proof.head == Head(2, links[1].hash)


def test_an_event_that_was_taken_out_breaks_the_next_one() -> None:
    links = chain(5)
    del links[2]

    assert "audit event 4" in (prove(links).broken or "")


def test_a_chain_that_was_written_anew_holds_in_itself_and_not_at_its_anchor() -> None:
    anchors = [anchored(one) for one in chain(5)[1:]]
    forged = chain(5, actor="mallory@example.com")
    assert prove(forged).broken is None

    assert prove(forged, anchors).broken == (
        "audit event 2, which is not the one that was anchored in the library at 2026-03-02T12:00:00Z"
    )


def test_events_that_were_cut_off_after_an_anchor_are_missed() -> None:
    links = chain(5)

    assert prove(links[:3], [anchored(links[1]), anchored(links[3]), anchored(links[4])]).broken == (
        "audit event 4, which is gone: it was anchored in the library at 2026-03-02T12:00:00Z"
    )
    assert "audit event 5, which is gone" in (prove([], [anchored(links[4])]).broken or "")


def test_verifying_goes_on_from_what_was_verified() -> None:
    links = chain(5)
    after = Head(3, links[2].hash)

    assert prove(links[3:], [anchored(links[0]), anchored(links[2]), anchored(links[4])], after=after).broken is None
    assert "audit event 3" in (prove(links[3:], [Anchor(Head(3, "f" * 64), NOON)], after=after).broken or "")
    assert "audit event 4" in (prove(links[3:], after=Head(3, "f" * 64)).broken or "")


def test_an_anchor_says_event_hash_and_instant() -> None:
    anchor = Anchor(Head(12, "ab" * 32), NOON)

    assert anchor_message(anchor).splitlines()[-1] == f"12 {'ab' * 32} 2026-03-02T12:00:00Z"
    assert read_anchor(anchor_message(anchor)) == anchor


@pytest.mark.parametrize("message", ["", "12", f"x {'a' * 64} 2026-03-02T12:00:00Z", "1 ab now", f"1 {'a' * 64} now"])
def test_another_text_is_no_anchor(message: str) -> None:
    assert read_anchor(message) is None
