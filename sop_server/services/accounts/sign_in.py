"""Coming in and going out in a browser: password, one-time link, session."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sop_server.domain.doers import Doer
from sop_server.domain.people import MAX_EMAIL
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import BusyError, ForbiddenError, NotFoundError, NotSignedInError
from sop_server.services.accounts.passwords import hash_password, matches, needs_new_hash
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people
from sop_server.storage.database import Session

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
LINK_LIFE = timedelta(hours=24)
THROTTLE_WINDOW = timedelta(minutes=15)
MOST_FAILURES_BY_EMAIL = 10
MOST_FAILURES_BY_ADDRESS = 50

_MOST_ADDRESS = 64


def token_hash(token: str) -> str:
    """Return what is stored of a token: nobody can come in with what the database holds."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_in(stores: Stores, *, email: str, password: str, address: str, now: datetime) -> str:
    """Check a password and open a session; returns the token for the cookie.

    `address` is the network address of the browser. Raises NotSignedInError where e-mail address and password do
    not belong together, ForbiddenError (with the time to try again) after 10 failures of an e-mail address or 50
    of a network address within 15 minutes.
    """
    known_as = email.strip().lower()[:MAX_EMAIL].encode("utf-8", "replace").decode()
    person_id = _verify(stores, email=known_as, password=password, address=address[:_MOST_ADDRESS], now=now)
    with stores.database.write() as session:
        token = _open(session, person_id, now)
        credentials.forget_failures(session, email=known_as)
        audit.record(session, at=now, actor=known_as, action="session.opened", subject=known_as)
    return token


def confirm_password(stores: Stores, *, actor: Actor, password: str, address: str, now: datetime) -> None:
    """Make sure that it is still the signed-in person; counts and refuses like `sign_in`, raises ForbiddenError."""
    try:
        _verify(stores, email=actor.email, password=password, address=address[:_MOST_ADDRESS], now=now)
    except NotSignedInError as error:
        raise ForbiddenError(
            "This is not your password, so nothing was done. Type it again.",
            fields={"password": "is not your password"},
        ) from error
    with stores.database.write() as session:
        credentials.forget_failures(session, email=actor.email)


def actor_for_session(stores: Stores, *, token: str, now: datetime) -> Actor | None:
    """Return the person of a session, None once it is ended, 12 hours idle or 7 days old."""
    hashed = token_hash(token)
    with stores.database.read() as session:
        row = credentials.session_row(session, hashed)
        if row is None or row.ended_at is not None or now - row.seen_at > IDLE or now - row.created_at > LONGEST:
            return None
        actor = people.load_actor(session, row.person_id, now)
    if actor is not None and now - row.seen_at > SEEN_EVERY:
        _touch(stores, hashed, now)
    return actor


def sign_out(stores: Stores, *, token: str, now: datetime) -> None:
    """End a session; does nothing where there is none."""
    with stores.database.write() as session:
        row = credentials.session_row(session, token_hash(token))
        if row is not None and row.ended_at is None:
            row.ended_at = now
            person = people.person_row(session, row.person_id)
            known_as = "" if person is None else person.email
            audit.record(session, at=now, actor=known_as, action="session.ended", subject=known_as)


def sign_out_everywhere(stores: Stores, *, actor: Actor, now: datetime, keep: str | None = None) -> int:
    """End the sessions of a person on all devices, but the one of the token `keep`; returns how many."""
    with stores.database.write() as session:
        ended = credentials.end_sessions(
            session, actor.person_id, now=now, but=None if keep is None else token_hash(keep)
        )
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="session.ended_everywhere",
            subject=actor.email,
            details={"sessions": ended},
        )
        return ended


def create_sign_in_link(stores: Stores, *, actor: Doer, now: datetime, email: str, life: timedelta = LINK_LIFE) -> str:
    """Make a link that signs one person in once, and make earlier ones useless; returns its token."""
    actor.require(Action.ADMINISTER, None)
    token = secrets.token_urlsafe(32)
    with stores.database.write() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address, or add the person first.")
        credentials.void_links(session, person.id, now=now)
        credentials.add_link(session, token_hash=token_hash(token), person_id=person.id, expires_at=now + life)
        audit.record(session, at=now, actor=actor.email, action="sign_in_link.made", subject=person.email)
    return token


def use_sign_in_link(stores: Stores, *, token: str, now: datetime) -> str:
    """Use a link up and open a session; returns the token for the cookie."""
    with stores.database.write() as session:
        person_id = credentials.use_link(session, token_hash(token), now=now)
        actor = None if person_id is None else people.load_actor(session, person_id, now)
        if actor is None:
            raise NotSignedInError(
                "This link was used already or has expired. Ask an administrator for a new one, or sign in "
                "with your password."
            )
        opened = _open(session, actor.person_id, now)
        audit.record(session, at=now, actor=actor.email, action="sign_in_link.used", subject=actor.email)
    return opened


def _verify(stores: Stores, *, email: str, password: str, address: str, now: datetime) -> int:
    # The failure is written before the password is looked at: a burst of requests cannot slip under the limit.
    with stores.database.write() as session:
        credentials.forget_failures(session, before=now - THROTTLE_WINDOW)
        refused_until = _refused_until(session, email=email, address=address, now=now)
        if refused_until is None:
            credentials.add_failure(session, email=email, address=address, at=now)
            person = people.person_by_email(session, email)
            active = person is not None and people.is_active(session, person.id, now)
    if refused_until is not None:
        minutes = max(1, -(-int((refused_until - now).total_seconds()) // 60))
        raise ForbiddenError(
            f"There were too many sign-ins with a wrong password. Try again in {minutes} min, "
            f"at {refused_until:%H:%M} UTC, or ask an administrator for a sign-in link."
        )
    password_hash = person.password_hash if person is not None and active else None
    if not matches(password_hash, password) or person is None or password_hash is None:
        raise NotSignedInError(
            "The e-mail address and the password do not belong together. Check both, "
            "or ask an administrator for a sign-in link."
        )
    if needs_new_hash(password_hash):
        _renew_hash(stores, email, old=password_hash, new=hash_password(password))
    return person.id


def _refused_until(session: Session, *, email: str, address: str, now: datetime) -> datetime | None:
    since = now - THROTTLE_WINDOW
    by_email = credentials.failures(session, since=since, email=email)
    by_address = credentials.failures(session, since=since, address=address)
    ends = [
        found[most - 1] + THROTTLE_WINDOW
        for found, most in ((by_email, MOST_FAILURES_BY_EMAIL), (by_address, MOST_FAILURES_BY_ADDRESS))
        if len(found) >= most
    ]
    return max(ends, default=None)


def _renew_hash(stores: Stores, email: str, *, old: str, new: str) -> None:
    with stores.database.write() as session:
        person = people.person_by_email(session, email)
        if person is not None and person.password_hash == old:
            person.password_hash = new


def _open(session: Session, person_id: int, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    credentials.forget_sessions(session, created_before=now - LONGEST)
    credentials.open_session(session, token_hash=token_hash(token), person_id=person_id, now=now)
    return token


def _touch(stores: Stores, hashed: str, now: datetime) -> None:
    try:
        with stores.database.write() as session:
            credentials.touch_session(session, hashed, now=now)
    except BusyError:
        # A page is worth more than the minute at which its reader was last seen.
        return
