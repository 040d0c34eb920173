"""The head of the audit chain, told outside of the database: an annotated tag of the library every hour.

Whoever can write the database can make a chain anew that holds in itself. The tags stand in another store, whose door
takes no pushes, and every clone carries them away.
"""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.audit_chain import Anchor, Head, anchor_message, read_anchor
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts

ANCHORED = "audit_anchored"

_TAG = "audit-"


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of the library in the order of their events, and the first thing that is wrong with them."""

    held: tuple[Anchor, ...]
    wrong: str | None


def head_now(stores: Stores, *, now: datetime) -> Anchor | None:
    """Return the head of the chain at the present instant; None before the first event."""
    with stores.database.read() as session:
        head = audit.head(session)
    return None if head is None else Anchor(head, now)


def anchor_head(stores: Stores, *, now: datetime) -> Anchor | None:
    """Anchor the head of the chain in the library; None where it is anchored already, or there is no event."""
    with stores.library.lock():
        anchor = head_now(stores, now=now)
        if anchor is None or stores.library.ref(f"refs/tags/{_name(anchor.head)}") is not None:
            return None
        stores.library.tag(_name(anchor.head), anchor_message(anchor), at=now)
        with stores.database.write() as session:
            drafts.set_mark(session, ANCHORED, str(anchor.head.id))
    return anchor


def anchors(stores: Stores) -> Anchors:
    """Return what the library's anchors say."""
    with stores.database.read() as session:
        # Asked before the tags: an anchor that is made meanwhile is no anchor that was taken away.
        newest = int(drafts.mark(session, ANCHORED) or 0)
    held: list[Anchor] = []
    wrong: str | None = None
    for name, message in sorted(stores.library.tags(_TAG).items()):
        anchor = read_anchor(message)
        if anchor is None or _name(anchor.head) != name:
            wrong = wrong or f"the anchor {name} of the library, which does not say what an anchor says"
        else:
            held.append(anchor)
    held.sort(key=lambda one: one.head.id)
    if newest > (held[-1].head.id if held else 0):
        wrong = wrong or f"the anchor {_TAG}{newest} of the library, which is gone"
    return Anchors(tuple(held), wrong)


def _name(head: Head) -> str:
    return f"{_TAG}{head.id}"
