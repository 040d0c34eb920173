"""That it is still the signed-in person at the browser: by the password, or by having come in just now."""

from datetime import datetime, timedelta
from enum import StrEnum

from sop_server.domain.permissions import Actor
from sop_server.errors import ForbiddenError
from sop_server.services.accounts.provider_accounts import comes_by_provider_alone
from sop_server.services.accounts.sign_in import confirm_password, token_hash
from sop_server.services.stores import Stores
from sop_server.storage import credentials, people

FRESH = timedelta(minutes=10)


class Proof(StrEnum):
    """What somebody proves with that it is still them."""

    PASSWORD = "password"  # noqa: S105 - a word for it
    JUST_CAME = "just came"
    NONE = "none"


def proof_of(stores: Stores, *, actor: Actor, session_token: str, now: datetime) -> Proof:
    """Return what the actor proves with: the password where one lets them in here.

    Whoever has none proves it by a session of the last ten minutes that a provider or a proxy opened.
    """
    with stores.database.read() as session:
        person = people.person_row(session, actor.person_id)
        alone = comes_by_provider_alone(stores, session, actor.person_id, now)
        if person is not None and person.password_hash is not None and not alone:
            return Proof.PASSWORD
        row = credentials.session_row(session, token_hash(session_token))
        its_own = row is not None and row.person_id == actor.person_id and row.ended_at is None
        fresh = row is not None and row.came_by is not None and now - row.created_at <= FRESH
        return Proof.JUST_CAME if its_own and fresh else Proof.NONE


def prove_still_there(
    stores: Stores, *, actor: Actor, password: str, address: str, session_token: str, now: datetime
) -> None:
    """Make sure that it is still the actor; raises ForbiddenError where it is not shown, and counts guesses."""
    proof = proof_of(stores, actor=actor, session_token=session_token, now=now)
    if proof is Proof.PASSWORD:
        confirm_password(stores, actor=actor, password=password, address=address, now=now)
    elif proof is Proof.NONE:
        raise ForbiddenError(
            "You have no password here to show that it is you. Sign out, come in again, and do this within 10 "
            "minutes; nothing was changed."
        )
