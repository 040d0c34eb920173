"""Leaving, erasing and forgetting on PostgreSQL."""

from datetime import timedelta

from sqlalchemy import select

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.leaving.approving_together import approve_together, waiting_hand_overs
from sop_server.services.leaving.departing import leave
from sop_server.services.leaving.planning import Successors
from sop_server.services.library.reading import get_sop
from sop_server.services.privacy.erasing import erase, look
from sop_server.services.privacy.retention import forget_old
from sop_server.services.privacy.telling import held_about
from sop_server.services.stores import Stores
from sop_server.services.trail.proving import prove_trail
from sop_server.storage import audit
from sop_server.storage.tables import AuditEvent
from tests.storage.postgresql.play import NOW, approved, at_once, person, submitted


def test_a_leaver_is_handed_over_approved_and_erased(stores: Stores, editor: Actor, approver: Actor) -> None:
    person(stores, "nele", "editor")
    approved(stores, approver, submitted(stores, editor))
    to = Successors("nele@example.com")
    later = NOW + timedelta(hours=1)

    def go() -> int:
        return len(leave(stores, actor=OPERATOR, now=later, email=editor.email, successors=to).drafted)

    # Two administrators at the same instant: one hands over, the other finds nothing left to do.
    assert max(str(one) for one in at_once(go, go)) == "1"
    lines = [
        (line.draft_id, line.content_hash)
        for one in waiting_hand_overs(stores, actor=approver, now=later)
        for line in one.lines
    ]
    assert len(lines) == 1
    assert approve_together(stores, actor=approver, now=later, chosen=lines).failed == ()
    assert get_sop(stores, actor=approver, sop_id="SOP-0001", now=later).summary.owner == "nele@example.com"

    assert editor.email in held_about(stores, actor=OPERATOR, now=later, email=editor.email)
    assert look(stores, actor=OPERATOR, now=later, email=editor.email).in_texts
    erased = erase(stores, actor=OPERATOR, now=later, email=editor.email, typed=editor.email)
    assert forget_old(stores, now=later) == 0
    with stores.database.read() as session:
        told = next(audit.events(session, action="person.erased"))
        assert told.subject == f"somebody forgotten ({erased.key})"
        assert not any("@" in f"{one.actor} {one.subject}" for one in session.scalars(select(AuditEvent)))
    assert prove_trail(stores).broken is None
