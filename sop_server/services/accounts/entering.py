"""The second step of a sign-in: a session that waits for a code lets nobody see anything until the code is there."""

from datetime import datetime, timedelta

from sop_server.domain.permissions import Actor
from sop_server.errors import ForbiddenError, NotSignedInError
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.second_factor import (
    CODE,
    PhoneKey,
    begin_proven,
    confirm,
    take_code,
    waiting_key,
)
from sop_server.services.accounts.sign_in import Step, open_session, token_hash
from sop_server.services.accounts.throttling import count_attempt, forget_attempts
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people
from sop_server.storage.database import Session

HALF_LIFE = timedelta(minutes=10)


def step_after(stores: Stores, *, token: str, now: datetime) -> Step | None:
    """Return what a session waits for, None where it waits for nothing, is ended or has waited too long."""
    with stores.database.read() as session:
        row = credentials.session_row(session, token_hash(token))
        if row is None or row.ended_at is not None or now - row.created_at > HALF_LIFE:
            return None
        return None if row.waits_for is None else Step(row.waits_for)


def enter_with_code(
    stores: Stores, seal: Seal, *, token: str, code: str, address: str, now: datetime, user_agent: str = ""
) -> str:
    """Take the code that a session waits for and open a full one in its place; returns the token for the cookie.

    Raises NotSignedInError where nothing waits any more (with no field) or the code is wrong (under `code`),
    ForbiddenError where there were too many wrong ones.
    """
    with stores.database.read() as session:
        actor = _waiting(session, token, Step.CODE, now)
    count_attempt(stores, email=actor.email, address=address, now=now, what=CODE)
    with stores.database.write() as session:
        _waiting(session, token, Step.CODE, now)
        proof = take_code(session, seal, person_id=actor.person_id, code=code, now=now)
        if proof is None:
            raise NotSignedInError(
                "This is not the code of this moment, or it was used already. Wait for the next one and type that.",
                fields={"code": "is not the code of this moment"},
            )
        forget_attempts(session, email=actor.email, address=address, what=CODE)
        return _open_in_place(
            stores, session, token, actor=actor, now=now, address=address, user_agent=user_agent, proof=proof
        )


def key_to_set_up(stores: Stores, seal: Seal, *, token: str, now: datetime) -> PhoneKey:
    """Return the key for the phone of somebody whose role demands a second factor; made at the first look."""
    with stores.database.read() as session:
        actor = _waiting(session, token, Step.SET_UP, now)
    found = waiting_key(stores, seal, actor=actor)
    if found is None:
        begin_proven(stores, seal, actor=actor, now=now)
        found = waiting_key(stores, seal, actor=actor)
    if found is None:
        raise NotSignedInError("The key is not there any more. Sign in again.")
    return found


def set_up_and_enter(
    stores: Stores, seal: Seal, *, token: str, code: str, address: str, now: datetime, user_agent: str = ""
) -> tuple[str, tuple[str, ...]]:
    """Turn the second factor on with its first code and open a full session; returns its token and the recovery codes.

    Raises NotSignedInError where nothing waits any more, ForbiddenError (under `code`) for a wrong code.
    """
    with stores.database.read() as session:
        actor = _waiting(session, token, Step.SET_UP, now)
    codes = confirm(stores, seal, actor=actor, now=now, code=code, address=address, session_token=token)
    with stores.database.write() as session:
        _waiting(session, token, Step.SET_UP, now)
        opened = _open_in_place(
            stores, session, token, actor=actor, now=now, address=address, user_agent=user_agent, proof="phone"
        )
    return opened, codes


def _waiting(session: Session, token: str, step: Step, now: datetime) -> Actor:
    """Return whose session waits for this step."""
    row = credentials.session_row(session, token_hash(token))
    fresh = row is not None and row.ended_at is None and now - row.created_at <= HALF_LIFE
    actor = people.load_actor(session, row.person_id, now) if row is not None and fresh else None
    if row is None or actor is None or row.waits_for != step:
        raise NotSignedInError("This took longer than 10 minutes, or was done in another window. Sign in again.")
    return actor


def _open_in_place(
    stores: Stores,
    session: Session,
    token: str,
    *,
    actor: Actor,
    now: datetime,
    address: str,
    user_agent: str,
    proof: str,
) -> str:
    half = credentials.session_row(session, token_hash(token))
    if half is None:
        raise ForbiddenError("This sign-in is over. Sign in again.")
    half.ended_at = now
    opened = open_session(
        stores,
        session,
        actor.person_id,
        now=now,
        address=address,
        user_agent=user_agent,
        waits_for=None,
        came_by=half.came_by,
        sealed_hint=half.sealed_hint,
    )
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action="session.opened",
        subject=actor.email,
        details={"second_factor": proof} | ({} if half.came_by is None else {"through": half.came_by}),
    )
    return opened
