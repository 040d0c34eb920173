"""The second factor of a person: a phone that makes codes, ten recovery codes, and nobody who takes either twice."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import ConflictError, ForbiddenError, NotFoundError
from sop_server.services.accounts.codes import (
    is_phone_code,
    key_address,
    matching_step,
    new_key,
    new_recovery_codes,
    recovery_hash,
    typed_code,
)
from sop_server.services.accounts.proving import prove_still_there
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.sign_in import token_hash
from sop_server.services.accounts.throttling import count_attempt, forget_attempts
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people, second_factors
from sop_server.storage.database import Session

CODE = "code"

_WRONG = "This is not the code of this moment, or it was used already. Wait for the next one and type that."


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """How it stands: since when it is on (None: it is off), recovery codes left, and whether a role demands it."""

    since: datetime | None
    codes_left: int
    demanded: bool


@dataclass(frozen=True, slots=True)
class PhoneKey:
    """A key to be put into a phone: as text to type, and as the address that its QR code holds."""

    text: str
    address: str


def second_factor(stores: Stores, *, actor: Actor) -> SecondFactor:
    """Return how the actor's own second factor stands."""
    with stores.database.read() as session:
        row = second_factors.key_row(session, actor.person_id)
        return SecondFactor(
            since=None if row is None else row.confirmed_at,
            codes_left=second_factors.codes_left(session, actor.person_id),
            demanded=stores.policy.demands_second_factor(grant.role.value for grant in actor.grants),
        )


def has_second_factor(stores: Stores, *, actor: Doer, email: str) -> bool:
    """Whether somebody has a second factor; administrators for all departments may know."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        person = people.person_by_email(session, email)
        return person is not None and second_factors.is_on(session, person.id)


def begin(
    stores: Stores,
    seal: Seal,
    *,
    actor: Actor,
    now: datetime,
    password: str,
    address: str,
    session_token: str = "",
) -> None:
    """Make a key that waits for its first code. An open browser must not lock its person out: it is proven who asks."""
    prove_still_there(stores, actor=actor, password=password, address=address, session_token=session_token, now=now)
    begin_proven(stores, seal, actor=actor, now=now)


def begin_proven(stores: Stores, seal: Seal, *, actor: Actor, now: datetime) -> None:
    """Make a key that waits for its first code, for somebody whose password was right just now."""
    with stores.database.write() as session:
        _refuse_second(session, actor)
        second_factors.put_key(session, actor.person_id, sealed_key=seal.close(new_key()), now=now)


def waiting_key(stores: Stores, seal: Seal, *, actor: Actor) -> PhoneKey | None:
    """Return the key that waits for its first code, None where none does."""
    with stores.database.read() as session:
        row = second_factors.key_row(session, actor.person_id)
    key = None if row is None or row.confirmed_at is not None else seal.open(row.sealed_key)
    if key is None:
        return None
    return PhoneKey(key, key_address(key, email=actor.email, library_name=stores.policy.library_name))


def confirm(
    stores: Stores, seal: Seal, *, actor: Actor, now: datetime, code: str, address: str, session_token: str
) -> tuple[str, ...]:
    """Turn the second factor on with its first code, and end all other sessions; returns the recovery codes, once.

    Raises ForbiddenError for a wrong code, ConflictError where no key waits.
    """
    count_attempt(stores, email=actor.email, address=address, now=now, what=CODE)
    with stores.database.write() as session:
        _refuse_second(session, actor)
        row = second_factors.key_row(session, actor.person_id)
        key = None if row is None else seal.open(row.sealed_key)
        if row is None or key is None:
            raise ConflictError("The key is not there any more. Nothing was changed; begin again.")
        step = matching_step(key, typed_code(code), now=now)
        if step is None:
            raise _wrong_code()
        row.confirmed_at, row.last_step = now, step
        forget_attempts(session, email=actor.email, address=address, what=CODE)
        credentials.end_sessions(session, actor.person_id, now=now, but=token_hash(session_token))
        audit.record(session, at=now, actor=actor.email, action="second_factor.set_up", subject=actor.email)
        return _new_codes(session, actor.person_id)


def renew_codes(
    stores: Stores,
    seal: Seal,
    *,
    actor: Actor,
    now: datetime,
    password: str,
    code: str,
    address: str,
    session_token: str = "",
) -> tuple[str, ...]:
    """Make ten new recovery codes, and all former ones useless; takes the password and a code."""
    prove_still_there(stores, actor=actor, password=password, address=address, session_token=session_token, now=now)
    prove_code(stores, seal, actor=actor, now=now, code=code, address=address)
    with stores.database.write() as session:
        audit.record(session, at=now, actor=actor.email, action="second_factor.codes_renewed", subject=actor.email)
        return _new_codes(session, actor.person_id)


def end(
    stores: Stores,
    seal: Seal,
    *,
    actor: Actor,
    now: datetime,
    password: str,
    code: str,
    address: str,
    session_token: str = "",
) -> None:
    """Turn the actor's own second factor off; takes the password and a code. ForbiddenError where it is demanded."""
    if second_factor(stores, actor=actor).demanded:
        raise ForbiddenError(
            "Your role demands a second factor, so it was not turned off. For a new phone, ask an administrator to "
            "reset it: you set up the new one at your next sign-in."
        )
    prove_still_there(stores, actor=actor, password=password, address=address, session_token=session_token, now=now)
    prove_code(stores, seal, actor=actor, now=now, code=code, address=address)
    with stores.database.write() as session:
        second_factors.forget(session, actor.person_id)
        audit.record(session, at=now, actor=actor.email, action="second_factor.ended", subject=actor.email)


def reset(stores: Stores, *, actor: Doer, now: datetime, email: str) -> None:
    """Take the second factor of somebody who lost it away, and end their sessions; never one's own."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.write() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address; nothing was changed.")
        if person.id == actor.person_id:
            raise ForbiddenError(
                "Nobody resets their own second factor: turn it off on your account page, which takes a code, or ask "
                "another administrator. Nothing was changed."
            )
        if second_factors.key_row(session, person.id) is None:
            raise ConflictError(f"{person.name} has no second factor. Nothing was changed.")
        second_factors.forget(session, person.id)
        credentials.end_sessions(session, person.id, now=now)
        audit.record(session, at=now, actor=actor.email, action="second_factor.reset", subject=person.email)


def take_code(session: Session, seal: Seal, *, person_id: int, code: str, now: datetime) -> str | None:
    """Take a code, from phone or paper, for good; returns which of them it was, None where it is wrong or was used."""
    typed, row = typed_code(code), second_factors.key_row(session, person_id)
    if row is None or row.confirmed_at is None:
        return None
    if not is_phone_code(typed):
        return "paper" if second_factors.use_code(session, person_id, recovery_hash(typed), now=now) else None
    key = seal.open(row.sealed_key)
    if key is None:
        raise ForbiddenError(
            "The server's secret key was changed, so codes of your phone cannot be checked any more. Use a recovery "
            "code, or ask an administrator to reset your second factor."
        )
    step = matching_step(key, typed, now=now)
    return "phone" if step is not None and second_factors.take_step(session, person_id, step) else None


def prove_code(stores: Stores, seal: Seal, *, actor: Actor, now: datetime, code: str, address: str) -> str:
    """Take a code of the signed-in person for good; returns whether it came from “phone” or “paper”.

    Counted and refused like a sign-in: ForbiddenError for a wrong code, and after too many.
    """
    count_attempt(stores, email=actor.email, address=address, now=now, what=CODE)
    with stores.database.write() as session:
        proof = take_code(session, seal, person_id=actor.person_id, code=code, now=now)
        if proof is None:
            raise _wrong_code()
        forget_attempts(session, email=actor.email, address=address, what=CODE)
    return proof


def _new_codes(session: Session, person_id: int) -> tuple[str, ...]:
    codes = new_recovery_codes()
    second_factors.put_codes(session, person_id, [recovery_hash(one) for one in codes])
    return codes


def _refuse_second(session: Session, actor: Actor) -> None:
    if second_factors.is_on(session, actor.person_id):
        raise ConflictError("You have a second factor already. Nothing was changed; turn it off first for a new phone.")


def _wrong_code() -> ForbiddenError:
    return ForbiddenError(_WRONG, fields={"code": "is not the code of this moment"})
