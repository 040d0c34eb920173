"""How people come in: sessions, one-time links, API tokens, and the sign-ins that were refused."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from sop_server.storage.tables import ApiToken, Person, SignInFailure, SignInLink, WebSession


def session_row(session: Session, token_hash: str) -> WebSession | None:
    """Return a signed-in browser by the hash of its cookie."""
    return session.get(WebSession, token_hash)


def open_session(
    session: Session,
    *,
    token_hash: str,
    person_id: int,
    now: datetime,
    address: str,
    browser: str,
    waits_for: str | None,
    came_by: str | None = None,
    sealed_hint: str | None = None,
) -> None:
    """Store that a browser is signed in, or will be after a second step; from where, and what it is in words.

    `came_by` is the door that is not ours, `sealed_hint` what a provider wants to see again at the sign-out.
    """
    session.add(
        WebSession(
            token_hash=token_hash,
            person_id=person_id,
            created_at=now,
            seen_at=now,
            ended_at=None,
            address=address,
            browser=browser,
            waits_for=waits_for,
            came_by=came_by,
            sealed_hint=sealed_hint,
        )
    )
    session.flush()


def touch_session(session: Session, token_hash: str, *, now: datetime) -> None:
    """Store when a browser was last seen; never earlier than it says already."""
    session.execute(
        update(WebSession).where(WebSession.token_hash == token_hash, WebSession.seen_at < now).values(seen_at=now)
    )


def end_sessions(session: Session, person_id: int, *, now: datetime, but: str | None = None) -> int:
    """End the sessions of a person, all or all but one; returns how many were open."""
    query = (
        update(WebSession)
        .where(WebSession.person_id == person_id, WebSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(WebSession.token_hash)
    )
    if but is not None:
        query = query.where(WebSession.token_hash != but)
    return len(session.scalars(query).all())


def forget_sessions(session: Session, *, created_before: datetime) -> None:
    """Delete sessions that are past their longest life: they prove nothing any more."""
    session.execute(delete(WebSession).where(WebSession.created_at < created_before))


def add_link(session: Session, *, token_hash: str, person_id: int, expires_at: datetime) -> None:
    """Store a link that signs one person in once."""
    session.add(SignInLink(token_hash=token_hash, person_id=person_id, expires_at=expires_at, used_at=None))
    session.flush()


def use_link(session: Session, token_hash: str, *, now: datetime) -> int | None:
    """Use a link up; returns the person, None where it is unknown, used or expired. Of two at once one gets it."""
    return session.scalar(
        update(SignInLink)
        .where(SignInLink.token_hash == token_hash, SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        .values(used_at=now)
        .returning(SignInLink.person_id)
    )


def link_holder(session: Session, token_hash: str, *, now: datetime) -> Person | None:
    """Return whom a link would sign in, None where it is unknown, used or expired."""
    return session.scalar(
        select(Person)
        .join(SignInLink, SignInLink.person_id == Person.id)
        .where(SignInLink.token_hash == token_hash, SignInLink.used_at.is_(None), SignInLink.expires_at > now)
    )


def void_links(session: Session, person_id: int, *, now: datetime) -> None:
    """Make the unused links of a person useless."""
    session.execute(
        update(SignInLink).where(SignInLink.person_id == person_id, SignInLink.used_at.is_(None)).values(used_at=now)
    )


def token_row(session: Session, token_hash: str) -> ApiToken | None:
    """Return an API token by its hash."""
    return session.scalar(select(ApiToken).where(ApiToken.token_hash == token_hash))


def tokens_of(session: Session, person_id: int) -> Sequence[ApiToken]:
    """Return the API tokens of a person, the newest first."""
    return session.scalars(select(ApiToken).where(ApiToken.person_id == person_id).order_by(ApiToken.id.desc())).all()


def token_by_id(session: Session, token_id: int) -> ApiToken | None:
    """Return an API token by its number."""
    return session.get(ApiToken, token_id)


def add_token(session: Session, *, person_id: int, token_hash: str, scope: str, now: datetime) -> ApiToken:
    """Store an API token."""
    row = ApiToken(person_id=person_id, token_hash=token_hash, scope=scope, created_at=now, revoked_at=None)
    session.add(row)
    session.flush()
    return row


def failures(
    session: Session, *, since: datetime, email: str | None = None, address: str | None = None
) -> Sequence[datetime]:
    """Return when sign-ins for an e-mail address, or from a network address, were refused, the newest first."""
    query = select(SignInFailure.at).where(SignInFailure.at > since).order_by(SignInFailure.at.desc())
    if email is not None:
        query = query.where(SignInFailure.email == email)
    if address is not None:
        query = query.where(SignInFailure.address == address)
    return session.scalars(query).all()


def add_failure(session: Session, *, email: str, address: str, at: datetime) -> None:
    """Store a refused sign-in."""
    session.add(SignInFailure(email=email, address=address, at=at))
    session.flush()


def forget_failures(
    session: Session, *, email: str | None = None, address: str | None = None, before: datetime | None = None
) -> None:
    """Delete the refused sign-ins of an e-mail address, all or those from one network, or those before an instant."""
    query = delete(SignInFailure)
    if email is not None:
        query = query.where(SignInFailure.email == email)
    if address is not None:
        query = query.where(SignInFailure.address == address)
    if before is not None:
        query = query.where(SignInFailure.at <= before)
    session.execute(query)


def count_open_sessions(session: Session, person_id: int) -> int:
    """Return how many sessions of a person were not ended."""
    query = select(func.count()).where(WebSession.person_id == person_id, WebSession.ended_at.is_(None))
    return session.scalar(query) or 0


def revoke_tokens(session: Session, person_id: int, *, now: datetime) -> Sequence[int]:
    """Make all API tokens of a person useless; returns those that were not."""
    query = (
        update(ApiToken)
        .where(ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.id)
    )
    return sorted(session.scalars(query))
