"""Deleting what is kept for a time alone."""

from datetime import datetime

from sqlalchemy import Delete, Update, delete, or_, update
from sqlalchemy.orm import Session

from sop_server.storage.tables import OutboxItem, SignInFailure, SignInLink, WebSession


def forget_sessions(session: Session, *, ended_before: datetime, idle_since: datetime) -> int:
    """Delete sessions that were ended before an instant, or that nobody has used since another."""
    over = or_(WebSession.ended_at < ended_before, WebSession.seen_at < idle_since)
    return _count(session, delete(WebSession).where(over))


def forget_addresses(session: Session, *, created_before: datetime) -> int:
    """Empty the network address and the browser of sessions that go on for longer."""
    known = or_(WebSession.address != "", WebSession.browser != "")
    query = update(WebSession).where(WebSession.created_at < created_before, known).values(address="", browser="")
    return _count(session, query)


def forget_links(session: Session, *, over_before: datetime) -> int:
    """Delete sign-in links that were used, or expired, before an instant."""
    over = or_(SignInLink.used_at < over_before, SignInLink.expires_at < over_before)
    return _count(session, delete(SignInLink).where(over))


def forget_failures(session: Session, *, before: datetime) -> int:
    """Delete refused sign-ins of before an instant."""
    return _count(session, delete(SignInFailure).where(SignInFailure.at < before))


def forget_done(session: Session, *, kind: str, before: datetime) -> int:
    """Delete what was done of one kind before an instant."""
    return _count(session, delete(OutboxItem).where(OutboxItem.kind == kind, OutboxItem.done_at < before))


def _count(session: Session, statement: Delete | Update) -> int:
    found: int = session.execute(statement).rowcount  # type: ignore[attr-defined]  # of a statement that changes rows
    return found
