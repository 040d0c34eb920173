"""Proving the audit trail: each event against the one before it, and against the anchors in the library."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.audit_chain import Anchor, Head
from sop_server.services.stores import Stores
from sop_server.services.trail.anchoring import anchors
from sop_server.storage import audit

WHOLE_EVERY = timedelta(minutes=10)

_KEPT = "whole"


@dataclass(frozen=True, slots=True)
class TrailProof:
    """The last event that holds, the first that does not (None: all hold), and the newest anchor that was seen."""

    verified: Head | None
    broken: str | None
    anchored: Anchor | None


def prove_trail(stores: Stores, *, also: Sequence[Anchor] = (), after: Head | None = None) -> TrailProof:
    """Verify every event after `after`; `also` are heads that were carried off the machine."""
    found = anchors(stores)
    # Opened after the tags were read: every event that one of them names is in it.
    with stores.database.read() as session:
        proof = audit.verify(session, (*found.held, *also), after=after)
    return TrailProof(proof.head, proof.broken or found.wrong, found.held[-1] if found.held else None)


def recent_proof(stores: Stores, *, now: datetime) -> TrailProof:
    """Verify as `prove_trail` does, for a page: the whole chain every ten minutes, between them what is new."""
    kept = stores.proofs.held(_KEPT)
    began, after = kept if kept is not None and now - kept[0] < WHOLE_EVERY else (now, None)
    proof = prove_trail(stores, after=after)
    if proof.broken is None and proof.verified is not None:
        stores.proofs.put(_KEPT, (began, proof.verified))
    return proof
