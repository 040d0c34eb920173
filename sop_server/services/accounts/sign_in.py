"""Coming in and going out in a browser: password, one-time link, session."""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sop_server.domain.browsers import browser_in_words
from sop_server.domain.doers import Doer
from sop_server.domain.networks import MOST_ADDRESS
from sop_server.domain.people import MAX_EMAIL, normal_password
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import BusyError, ForbiddenError, NotFoundError, NotSignedInError
from sop_server.services.accounts.passwords import hash_password, matches, needs_new_hash
from sop_server.services.accounts.provider_accounts import refuse_link, refuse_password
from sop_server.services.accounts.throttling import count_attempt, forget_attempts
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people, second_factors, web_sessions
from sop_server.storage.database import Session

SEEN_EVERY = timedelta(minutes=1)
LINK_LIFE = timedelta(hours=24)

_SHORT_KEY = 16
_DO_NOT_BELONG = (
    "The e-mail address and the password do not belong together. Check both, "
    "or ask an administrator for a sign-in link."
)


class Step(StrEnum):
    """What a session waits for before it lets its person in."""

    CODE = "code"
    SET_UP = "set_up"


def token_hash(token: str) -> str:
    """Return what is stored of a token: nobody can come in with what the database holds."""
    return hashlib.sha256(token.encode()).hexdigest()


def session_key(hashed: str) -> str:
    """Return what a person's own list names a session by: too short to be what is stored."""
    return hashed[:_SHORT_KEY]


def sign_in(stores: Stores, *, email: str, password: str, address: str, now: datetime, user_agent: str = "") -> str:
    """Check a password and open a session; returns the token for the cookie.

    Where the person has a second factor, or their role demands one, the session waits for it (`entering.step_after`).
    `address` is the network address of the browser, `user_agent` what it says of itself. Raises NotSignedInError where
    e-mail address and password do not belong together, ForbiddenError where there were too many failures (throttling).
    """
    known_as = email.strip().lower()[:MAX_EMAIL].encode("utf-8", "replace").decode()
    person_id, proven = _verify(stores, email=known_as, password=password, address=address, now=now)
    with stores.database.write() as session:
        # Whoever changed the password meanwhile ended all sessions: the former one must not open another.
        person = people.person_row(session, person_id)
        if person is None or person.password_hash != proven:
            raise NotSignedInError(_DO_NOT_BELONG)
        refuse_password(stores, session, person_id, now)
        step = due_step(stores, session, person_id, now)
        token = open_session(
            stores, session, person_id, now=now, address=address, user_agent=user_agent, waits_for=step
        )
        forget_attempts(session, email=known_as, address=address)
        action = "session.opened" if step is None else "password.accepted"
        audit.record(session, at=now, actor=known_as, action=action, subject=known_as)
    return token


def confirm_password(stores: Stores, *, actor: Actor, password: str, address: str, now: datetime) -> None:
    """Make sure that it is still the signed-in person; counts and refuses like `sign_in`, raises ForbiddenError."""
    try:
        _verify(stores, email=actor.email, password=password, address=address, now=now)
    except NotSignedInError as error:
        raise ForbiddenError(
            "This is not your password, so nothing was done. Type it again.",
            fields={"password": "is not your password"},
        ) from error
    with stores.database.write() as session:
        forget_attempts(session, email=actor.email, address=address)


def actor_for_session(stores: Stores, *, token: str, now: datetime) -> Actor | None:
    """Return the person of a session, None once it is ended, idle for too long or too old."""
    hashed, policy = token_hash(token), stores.policy
    with stores.database.read() as session:
        row = credentials.session_row(session, hashed)
        if row is None or row.ended_at is not None or row.waits_for is not None:
            return None
        if now - row.seen_at > policy.session_idle or now - row.created_at > policy.session_longest:
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


def end_session(stores: Stores, *, actor: Actor, now: datetime, key: str) -> None:
    """End one session of the actor's own, named by its `session_key`; raises NotFoundError where there is none."""
    with stores.database.write() as session:
        rows = web_sessions.open_sessions(
            session,
            actor.person_id,
            created_after=now - stores.policy.session_longest,
            seen_after=now - stores.policy.session_idle,
        )
        row = next((row for row in rows if session_key(row.token_hash) == key), None)
        if row is None:
            raise NotFoundError("This browser is not signed in any more. Nothing was changed.")
        row.ended_at = now
        audit.record(session, at=now, actor=actor.email, action="session.ended", subject=actor.email)


def create_sign_in_link(stores: Stores, *, actor: Doer, now: datetime, email: str, life: timedelta = LINK_LIFE) -> str:
    """Make a link that signs one person in once, and make earlier ones useless; returns its token."""
    actor.require(Action.ADMINISTER, None)
    token = secrets.token_urlsafe(32)
    with stores.database.write() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address, or add the person first.")
        refuse_link(stores, session, person.id, now)
        credentials.void_links(session, person.id, now=now)
        credentials.add_link(session, token_hash=token_hash(token), person_id=person.id, expires_at=now + life)
        audit.record(session, at=now, actor=actor.email, action="sign_in_link.made", subject=person.email)
    return token


def use_sign_in_link(stores: Stores, *, token: str, now: datetime, address: str = "", user_agent: str = "") -> str:
    """Use a link up and open a session; returns the token for the cookie."""
    with stores.database.write() as session:
        person_id = credentials.use_link(session, token_hash(token), now=now)
        actor = None if person_id is None else people.load_actor(session, person_id, now)
        if actor is None:
            raise NotSignedInError(
                "This link was used already or has expired. Ask an administrator for a new one, or sign in "
                "with your password."
            )
        refuse_password(stores, session, actor.person_id, now)
        step = due_step(stores, session, actor.person_id, now)
        opened = open_session(
            stores, session, actor.person_id, now=now, address=address, user_agent=user_agent, waits_for=step
        )
        audit.record(session, at=now, actor=actor.email, action="sign_in_link.used", subject=actor.email)
    return opened


def open_session(
    stores: Stores,
    session: Session,
    person_id: int,
    *,
    now: datetime,
    address: str,
    user_agent: str,
    waits_for: Step | None,
    came_by: str | None = None,
    sealed_hint: str | None = None,
) -> str:
    """Store a new session for somebody whose right to it was checked; returns its token.

    `came_by` and `sealed_hint` are those of a door that is not ours, see `storage.tables.WebSession`.
    """
    token = secrets.token_urlsafe(32)
    credentials.forget_sessions(session, created_before=now - stores.policy.session_longest)
    credentials.open_session(
        session,
        token_hash=token_hash(token),
        person_id=person_id,
        now=now,
        address=address[:MOST_ADDRESS],
        browser=browser_in_words(user_agent),
        waits_for=waits_for,
        came_by=came_by,
        sealed_hint=sealed_hint,
    )
    return token


def _verify(stores: Stores, *, email: str, password: str, address: str, now: datetime) -> tuple[int, str]:
    """Return whose password it is, and the hash that proves it."""
    count_attempt(stores, email=email, address=address, now=now)
    with stores.database.read() as session:
        person = people.person_by_email(session, email)
        active = people.is_active(session, 0 if person is None else person.id, now)
    password_hash = person.password_hash if person is not None and active else None
    if not matches(password_hash, password) or person is None or password_hash is None:
        raise NotSignedInError(_DO_NOT_BELONG)
    if needs_new_hash(password_hash):
        renewed = hash_password(normal_password(password))
        _renew_hash(stores, email, old=password_hash, new=renewed)
        return person.id, renewed
    return person.id, password_hash


def _renew_hash(stores: Stores, email: str, *, old: str, new: str) -> None:
    with stores.database.write() as session:
        person = people.person_by_email(session, email)
        if person is not None and person.password_hash == old:
            person.password_hash = new


def due_step(stores: Stores, session: Session, person_id: int, now: datetime) -> Step | None:
    """Return what a person has to do after the password: the code that they set up, or to set it up."""
    if second_factors.is_on(session, person_id):
        return Step.CODE
    actor = people.load_actor(session, person_id, now)
    roles = () if actor is None else [grant.role.value for grant in actor.grants]
    return Step.SET_UP if stores.policy.demands_second_factor(roles) else None


def _touch(stores: Stores, hashed: str, now: datetime) -> None:
    try:
        with stores.database.write() as session:
            credentials.touch_session(session, hashed, now=now)
    except BusyError:
        # A page is worth more than the minute at which its reader was last seen.
        return
