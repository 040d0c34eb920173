"""API tokens: they act as a person, with a reach of their own."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action, Actor, Scope
from sop_server.errors import InvalidInputError, NotFoundError
from sop_server.services.accounts.sign_in import token_hash
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, people

PREFIX = "sop_"
_BYTES = 30  # 40 characters in URL-safe Base64


@dataclass(frozen=True, slots=True)
class TokenView:
    """What may be shown of a token after it was made: everything but the token."""

    id: int
    scope: Scope
    created_at: datetime
    revoked_at: datetime | None


def create_token(stores: Stores, *, actor: Doer, now: datetime, email: str, scope: str = Scope.WRITE) -> str:
    """Make a token that acts as the person; returned here once and never again."""
    actor.require(Action.ADMINISTER, None)
    reach = _scope(scope)
    token = PREFIX + secrets.token_urlsafe(_BYTES)
    with stores.database.write() as session:
        person = people.person_by_email(session, email.strip().lower())
        if person is None:
            raise NotFoundError(f"Nobody is known as “{email}”. Check the address, or add the person first.")
        row = credentials.add_token(
            session, person_id=person.id, token_hash=token_hash(token), scope=reach.value, now=now
        )
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="token.made",
            subject=person.email,
            details={"token": row.id, "scope": reach.value},
        )
    return token


def actor_for_token(stores: Stores, *, token: str, now: datetime) -> Actor | None:
    """Return the person for whom a token acts, None where it is unknown or revoked, or the person not active."""
    if not token.startswith(PREFIX):
        return None
    with stores.database.read() as session:
        row = credentials.token_row(session, token_hash(token))
        if row is None or row.revoked_at is not None:
            return None
        return people.load_actor(session, row.person_id, now, scope=Scope(row.scope))


def list_tokens(stores: Stores, *, actor: Doer, email: str) -> tuple[TokenView, ...]:
    """Return the tokens that act as a person; administrators see everybody's, others their own."""
    known_as = email.strip().lower()
    if actor.email != known_as:
        actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        person = people.person_by_email(session, known_as)
        rows = [] if person is None else credentials.tokens_of(session, person.id)
        return tuple(TokenView(row.id, Scope(row.scope), row.created_at, row.revoked_at) for row in rows)


def revoke_token(stores: Stores, *, actor: Doer, now: datetime, token_id: int) -> TokenView:
    """Make a token useless at once; one's own, or as an administrator anybody's. Another's is nobody's to know of."""
    with stores.database.write() as session:
        row = credentials.token_by_id(session, token_id)
        if row is None or (row.person_id != actor.person_id and not actor.may(Action.ADMINISTER, None)):
            raise NotFoundError(f"There is no token {token_id}. Look at the list of tokens again.")
        if row.revoked_at is None:
            row.revoked_at = now
            audit.record(
                session,
                at=now,
                actor=actor.email,
                action="token.revoked",
                subject=people.persons_by_id(session, [row.person_id])[row.person_id].email,
                details={"token": row.id},
            )
        return TokenView(row.id, Scope(row.scope), row.created_at, row.revoked_at)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError as error:
        raise InvalidInputError(
            f"A token's scope is “read” or “write”, not “{text}”.", fields={"scope": "must be read or write"}
        ) from error
