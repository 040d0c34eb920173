"""What somebody was refused, and why: one event for each person, deed, thing and reason in a minute."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sop_server.domain.doers import Doer
from sop_server.services.stores import Stores
from sop_server.storage import audit
from sop_server.storage.database import Session

DENIED = "access.denied"
ONCE_IN = timedelta(minutes=1)
MOST_IN_A_MINUTE = 60
"""Of one person, whatever they try: a script that asks for a thousand things must not bury everybody's events."""

_LONGEST = 200


def record_denial(stores: Stores, *, actor: Doer, now: datetime, did: str, subject: str, why: str) -> bool:
    """Record that `actor` was refused to do `did` to `subject`; False where it was told within the last minute."""
    details = {"did": did[:_LONGEST], "why": why[:_LONGEST]}
    told = subject[:_LONGEST] or "-"
    with stores.database.read() as session:
        # Most of a flood is turned away here, without waiting for the right to write.
        if _is_told(session, actor=actor, now=now, details=details, subject=told):
            return False
    with stores.database.write() as session:
        if _is_told(session, actor=actor, now=now, details=details, subject=told):
            return False
        audit.record(session, at=now, actor=actor.email, action=DENIED, subject=told, details=details)
    return True


def _is_told(session: Session, *, actor: Doer, now: datetime, details: Mapping[str, str], subject: str) -> bool:
    recent = audit.recent(session, actor=actor.email, action=DENIED, since=now - ONCE_IN)
    if len(recent) >= MOST_IN_A_MINUTE:
        return True
    # Guesses at a password must not hide behind another refusal: the reason belongs to what is told.
    told, did, why = audit.in_the_chain(session, subject, details["did"], details["why"])
    return any((about, of.get("did"), of.get("why")) == (told, did, why) for about, of in recent)
