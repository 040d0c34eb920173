"""Passwords: hashed with Argon2id, compared in the same time whether or not the person exists."""

from datetime import datetime

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from sop_server.domain.doers import Doer, System
from sop_server.domain.people import (
    LEAST_PASSWORD,
    LEAST_PASSWORD_BY_OPERATOR,
    LONGEST_TYPED,
    clean_password,
    normal_password,
)
from sop_server.domain.permissions import Action
from sop_server.errors import ForbiddenError, NotFoundError
from sop_server.services.accounts.guessing import BY_OPERATOR, BY_PERSON, refuse_guessable
from sop_server.services.accounts.provider_accounts import refuse_link
from sop_server.services.accounts.throttling import forget_all_attempts
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people

# The least that OWASP's password storage cheat sheet asks of Argon2id: 19 MiB, two passes, one lane.
# More memory would let a handful of sign-ins at once press a small server out of memory.
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)

# The hash of a random password that nobody has: what an unknown person's password is compared with.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$lBk/Dg5WMHZwSC6Sao9oNQ$1qsxZQy6ciWsLuNiIqhte9fPZdc+YjxlRgP4jcS+gRc"


def hash_password(password: str) -> str:
    """Return the hash of a password that `clean_password` gave."""
    return HASHER.hash(_bytes(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one of the hash; takes as long where there is no hash."""
    normal = normal_password(password)
    if len(normal) > LONGEST_TYPED:
        normal = normal[:LONGEST_TYPED]
        password_hash = None
    try:
        HASHER.verify(password_hash or NOBODY, _bytes(normal))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _bytes(password: str) -> bytes:
    # A terminal or a JSON body may hold half a character: it is a wrong password, not a failure of the server.
    return password.encode("utf-8", "surrogatepass")


def needs_new_hash(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def good_password(stores: Stores, password: str, *, name: str, email: str, by_operator: bool = False) -> str:
    """Return a new password in the form that is hashed; raises InvalidInputError where it is none for this person."""
    clean = clean_password(password, least=LEAST_PASSWORD_BY_OPERATOR if by_operator else LEAST_PASSWORD)
    known = (name, email, stores.policy.library_name)
    refuse_guessable(clean, known=known, least=BY_OPERATOR if by_operator else BY_PERSON)
    return clean


def set_password(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    email: str,
    password: str,
    current: str | None = None,
    keep_session: str | None = None,
) -> None:
    """Set a person's password and end their other sessions.

    A person who changes their own gives the `current` one, unless they have none yet; `keep_session` is the hash
    of the session that stays. An administrator for all departments may set anybody's. Raises ForbiddenError,
    InvalidInputError (12 characters at least, 8 from the server's command line, and none that is guessed soon).
    """
    own = actor.email == email.strip().lower() and actor.person_id is not None
    if not own:
        actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        person = people.person_by_email(session, email.strip().lower())
    if person is None:
        raise NotFoundError(f"Nobody is known as “{email}”. Check the address, or add the person first.")
    if own and person.password_hash is not None and not matches(person.password_hash, current or ""):
        raise ForbiddenError(
            "The current password is not right, so the password was not changed.",
            fields={"current": "is not your password"},
        )
    clean = good_password(stores, password, name=person.name, email=person.email, by_operator=isinstance(actor, System))
    if own:
        with stores.database.read() as session:
            refuse_link(stores, session, person.id, now)
    # Hashing takes tens of milliseconds: never while the database is held.
    new_hash = hash_password(clean)
    with stores.database.write() as session:
        row = people.person_by_email(session, person.email)
        if row is not None:
            row.password_hash = new_hash
        credentials.end_sessions(session, person.id, now=now, but=keep_session)
        credentials.void_links(session, person.id, now=now)
        forget_all_attempts(session, email=person.email)
        audit.record(session, at=now, actor=actor.email, action="password.set", subject=person.email)
