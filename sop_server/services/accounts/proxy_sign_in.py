"""Coming in by the word of a proxy that was believed already: whom it names, and as whom they come in here."""

from datetime import datetime, timedelta

from sop_server.domain.people import MAX_EMAIL
from sop_server.errors import NotSignedInError
from sop_server.services.accounts.sign_in import due_step, open_session
from sop_server.services.stores import Stores
from sop_server.storage import audit, people
from sop_server.storage.tables import Person

PROXY = "proxy"
_ONCE_IN = timedelta(minutes=1)


def sign_in_by_proxy(stores: Stores, *, email: str, address: str, now: datetime, user_agent: str = "") -> str:
    """Open a session for whom the proxy named; returns the token for the cookie.

    A proxy says nothing of second factors: one that was set up here, or is demanded, comes next as after a password.
    Raises NotSignedInError where nobody active here has the address.
    """
    known_as = email.strip().lower()[:MAX_EMAIL]
    with stores.database.write() as session:
        person = people.person_by_email(session, known_as)
        if person is not None and people.is_active(session, person.id, now):
            step = due_step(stores, session, person.id, now)
            token = open_session(
                stores,
                session,
                person.id,
                now=now,
                address=address,
                user_agent=user_agent,
                waits_for=step,
                came_by=PROXY,
            )
            action = "session.opened" if step is None else "proxy.accepted"
            told = {"through": PROXY}
            audit.record(session, at=now, actor=person.email, action=action, subject=person.email, details=told)
            return token
    raise _refused(stores, person, known_as, now)


def _refused(stores: Stores, person: Person | None, known_as: str, now: datetime) -> NotSignedInError:
    actor = PROXY if person is None else person.email
    why = "unknown" if person is None else "not_active"
    with stores.database.write() as session:
        if not audit.recent(session, actor=actor, action="proxy.refused", since=now - _ONCE_IN):
            audit.record(session, at=now, actor=actor, action="proxy.refused", subject=actor, details={"why": why})
    if person is None:
        return NotSignedInError(
            f"You are signed in at your company as {known_as}, but nobody here has that address. Ask an administrator "
            "of this library to add you."
        )
    return NotSignedInError(
        f"You are signed in at your company as {known_as}, but your account here is not active. Ask an administrator "
        "of this library to let you in again."
    )
