"""Searches that found nothing: the words and how often, never who."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import MissedSearch


def keep_missed_search(session: Session, words: str, *, now: datetime) -> None:
    """Count one more search for these words that found nothing."""
    row = session.get(MissedSearch, words, with_for_update=True)
    if row is None:
        session.add(MissedSearch(words=words, times=1, first_at=now, last_at=now))
    else:
        row.times += 1
        row.last_at = now


def missed_searches(session: Session, *, limit: int = 50) -> Sequence[MissedSearch]:
    """Return the words that found nothing, the most frequent first."""
    return session.scalars(
        select(MissedSearch).order_by(MissedSearch.times.desc(), MissedSearch.last_at.desc()).limit(limit)
    ).all()
