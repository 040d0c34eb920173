"""Sign-ins that failed, of people who are known here. What strangers type is never told."""

from datetime import datetime, timedelta

from sop_server.domain.people import MAX_EMAIL
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, people

FAILED = "sign_in.failed"
THROTTLED = "sign_in.throttled"

_ONCE_IN = timedelta(minutes=1)
_UNKNOWN = "unknown_sign_in"


def record_failed_sign_in(stores: Stores, *, email: str, now: datetime, throttled: bool) -> None:
    """Record that somebody could not sign in as `email`: a wrong password, or (once in a minute) too many of them."""
    known_as = email.strip().lower()[:MAX_EMAIL].encode("utf-8", "replace").decode()
    action = THROTTLED if throttled else FAILED
    with stores.database.write() as session:
        known = people.person_by_email(session, known_as) is not None
        told = throttled and audit.recent(session, actor=known_as, action=action, since=now - _ONCE_IN)
        if known and not told:
            audit.record(session, at=now, actor=known_as, action=action, subject=known_as)
        else:
            # Something is written in either case: how long the answer takes must not tell who is known here.
            drafts.set_mark(session, _UNKNOWN, now.isoformat())
