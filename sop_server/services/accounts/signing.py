"""Electronic signatures: the person proves again that it is them, in the very request that decides.

A session or a token never signs: whoever sits down at an open browser, or holds a token, has neither of the two.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sop_server.domain.permissions import Actor
from sop_server.domain.signatures import Meaning, Signature, SignedWith
from sop_server.errors import ForbiddenError, InvalidInputError
from sop_server.services.accounts.provider_accounts import comes_by_provider_alone
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.second_factor import prove_code
from sop_server.services.accounts.sign_in import confirm_password
from sop_server.services.stores import Stores
from sop_server.storage import people, second_factors

_SIGNED_WITH = {"phone": SignedWith.PHONE, "paper": SignedWith.RECOVERY_CODE}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody signs with: their password, or else a code; `address` is where the request came from."""

    seal: Seal
    address: str
    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ways:
    """How a person can sign; neither: they are told what to do first."""

    password: bool
    phone: bool


def ways_to_sign(stores: Stores, *, actor: Actor, now: datetime) -> Ways:
    """Return how the actor can sign."""
    with stores.database.read() as session:
        person = people.person_row(session, actor.person_id)
        return Ways(
            password=person is not None
            and person.password_hash is not None
            and not comes_by_provider_alone(stores, session, person.id, now),
            phone=second_factors.is_on(session, actor.person_id),
        )


def sign(
    stores: Stores, *, actor: Actor, attempt: Attempt | None, meaning: Meaning, content_hash: str, now: datetime
) -> Signature:
    """Check what somebody signs with, and return the signature; a code is used up by it.

    Raises InvalidInputError where there is nothing to check, ForbiddenError where it is wrong, where there were too
    many wrong ones, and for a person who has neither password nor phone.
    """
    ways = ways_to_sign(stores, actor=actor, now=now)
    if not ways.password and not ways.phone:
        raise ForbiddenError(
            "The department asks for a signature, and you have neither a password nor a phone to sign with. Nothing "
            "was decided. Choose a password, or set up a second factor, on your account page, then decide again."
        )
    if attempt is None or not (attempt.password or attempt.code.strip()):
        wanted = " or ".join(
            word for word, there in (("your password", ways.password), ("the code of your phone", ways.phone)) if there
        )
        raise InvalidInputError(
            f"The department asks for a signature, so nothing was decided yet: give {wanted} with the decision.",
            fields={"signature": f"{wanted} is required"},
        )
    return Signature(
        name=actor.name,
        signed_with=_proven(stores, actor=actor, attempt=attempt, now=now),
        meaning=meaning,
        at=now,
        content_hash=content_hash,
    )


def _proven(stores: Stores, *, actor: Actor, attempt: Attempt, now: datetime) -> SignedWith:
    if attempt.password and ways_to_sign(stores, actor=actor, now=now).password:
        confirm_password(stores, actor=actor, password=attempt.password, address=attempt.address, now=now)
        return SignedWith.PASSWORD
    proof = prove_code(stores, attempt.seal, actor=actor, code=attempt.code, address=attempt.address, now=now)
    return _SIGNED_WITH[proof]
