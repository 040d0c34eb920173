"""The browsers in which people are signed in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import WebSession


def open_sessions(
    session: Session, person_id: int, *, created_after: datetime, seen_after: datetime
) -> Sequence[WebSession]:
    """Return the sessions of a person that still let them in, the one seen last first."""
    return session.scalars(
        select(WebSession)
        .where(
            WebSession.person_id == person_id,
            WebSession.ended_at.is_(None),
            WebSession.waits_for.is_(None),
            WebSession.created_at >= created_after,
            WebSession.seen_at >= seen_after,
        )
        .order_by(WebSession.seen_at.desc(), WebSession.token_hash)
    ).all()


def addresses(session: Session, person_id: int, *, since: datetime) -> Sequence[str]:
    """Return the network addresses from which a person came in since an instant."""
    return session.scalars(
        select(WebSession.address)
        .where(WebSession.person_id == person_id, WebSession.created_at >= since, WebSession.waits_for.is_(None))
        .distinct()
    ).all()
