"""The audit chain's encoding, and the anchors that hold it from outside; docs/audit-chain.md tells auditors the same.

An event's hash is the SHA-256 of six parts, each UTF-8 with its length in bytes before it (8 bytes, big-endian):
the hash of the event before (64 zeros for the first), the instant in UTC (`2026-11-03T09:00:00+00:00`, microseconds
only where there are some), actor, action, subject, and the details as canonical JSON (keys sorted, no blanks, nothing
escaped that need not be).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sop_server.domain.instants import format_instant, parse_instant
from sop_server.errors import InvalidInputError

GENESIS = "0" * 64
"""What stands in the place of the hash before the first event."""

# One for all: `json.dumps` makes a new one each time, which takes longer than what it does.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_HEX = frozenset("0123456789abcdef")
_ANCHOR_PARTS = 3
_TITLE = "Head of the audit chain"


@dataclass(frozen=True, slots=True)
class Link:
    """One event as the chain holds it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Hashed:
    """The parts of an event that name people, as the chain has them: by keys."""

    actor: str
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One event for people to read: whoever is behind a key stands there with their present address.

    `hash` covers what `hashed` holds; where nobody is named, that is the same text.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str
    hashed: Hashed


@dataclass(frozen=True, slots=True)
class Head:
    """An event that everything before it hangs on: its id and its hash."""

    id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of the chain as it was at an instant, kept outside of the database."""

    head: Head
    at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What verifying found: the last event that holds, and the first that does not, in words (None: all hold)."""

    head: Head | None
    broken: str | None


def canonical(details: Mapping[str, Any]) -> str:
    """Return details as the one JSON text that is hashed."""
    return _ENCODER.encode(details)


def link_hash(  # noqa: PLR0917 - the parts of an event, in the order in which they are hashed
    previous: str, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, Any]
) -> str:
    """Return the hash of an event that follows the one whose hash is `previous`."""
    encoded = bytearray()
    instant = at if at.tzinfo is UTC else at.astimezone(UTC)
    for part in (previous, instant.isoformat(), actor, action, subject, canonical(details)):
        text = part.encode()
        # The length before each part: no two different events may run together to the same bytes.
        encoded += len(text).to_bytes(8, "big")
        encoded += text
    return hashlib.sha256(encoded).hexdigest()


def prove(links: Iterable[Link], anchors: Iterable[Anchor] = (), *, after: Head | None = None) -> Proof:
    """Verify links in the order of their ids, the first one following `after`, against each other and the anchors.

    A chain that was cut off or written anew cannot hide it from an anchor: the event that it names is not among the
    links, or has another hash there. Anchors before `after` are left out.
    """
    waiting = iter(sorted(anchors, key=lambda one: (one.head.id, one.at)))
    head = after
    pending = next((one for one in waiting if after is None or one.head.id >= after.id), None)
    while pending is not None and after is not None and pending.head.id == after.id:
        if pending.head != after:
            return Proof(None, _other(pending))
        pending = next(waiting, None)
    for link in links:
        if pending is not None and pending.head.id < link.id:
            return Proof(head, _gone(pending))
        previous = GENESIS if head is None else head.hash
        expected = link_hash(previous, link.at, link.actor, link.action, link.subject, link.details)
        if link.previous_hash != previous or link.hash != expected:
            return Proof(head, f"audit event {link.id} ({link.action} on {link.subject}, {format_instant(link.at)})")
        while pending is not None and pending.head.id == link.id:
            if pending.head.hash != link.hash:
                return Proof(head, _other(pending))
            pending = next(waiting, None)
        head = Head(link.id, link.hash)
    return Proof(head, None if pending is None else _gone(pending))


def anchor_line(anchor: Anchor) -> str:
    """Return what an anchor says, in one line: event, hash, instant."""
    return f"{anchor.head.id} {anchor.head.hash} {format_instant(anchor.at)}"


def anchor_message(anchor: Anchor) -> str:
    """Return the text that an anchor has in the library."""
    return f"{_TITLE}\n\n{anchor_line(anchor)}\n"


def read_anchor(message: str) -> Anchor | None:
    """Return the anchor that a text of the library holds; None where it holds none."""
    parts = (message.strip().splitlines() or [""])[-1].split(" ")
    if len(parts) != _ANCHOR_PARTS or not (parts[0].isascii() and parts[0].isdigit()):
        return None
    if len(parts[1]) != len(GENESIS) or not _HEX.issuperset(parts[1]):
        return None
    try:
        return Anchor(Head(int(parts[0]), parts[1]), parse_instant(parts[2], field="anchor"))
    except InvalidInputError:
        return None


def _other(anchor: Anchor) -> str:
    return f"audit event {anchor.head.id}, which is not the one that was {_anchored(anchor)}"


def _anchored(anchor: Anchor) -> str:
    return f"anchored in the library at {format_instant(anchor.at)}"


def _gone(anchor: Anchor) -> str:
    return f"audit event {anchor.head.id}, which is gone: it was {_anchored(anchor)}"
