"""Facts that came late: they happened by an instant, but were recorded after it."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sop_server.storage.tables import (
    Acknowledgement,
    Feedback,
    GoLiveConfirmation,
    Membership,
    ProcessVersion,
    Review,
    Revision,
    TicketVersion,
)

_KINDS = {
    "revisions": (Revision.effective_from, Revision.recorded_at),
    "tickets": (TicketVersion.created_at, TicketVersion.recorded_at),
    "go-lives confirmed": (GoLiveConfirmation.t0, GoLiveConfirmation.recorded_at),
    "reviews": (Review.happened_at, Review.recorded_at),
    "acknowledgements": (Acknowledgement.happened_at, Acknowledgement.recorded_at),
    "feedback": (Feedback.happened_at, Feedback.recorded_at),
    "team memberships": (Membership.joined_at, Membership.recorded_at),
    "process changes": (ProcessVersion.happened_at, ProcessVersion.recorded_at),
}


def late_facts(session: Session, at: datetime) -> dict[str, int]:
    """Count by kind the facts that a report as of `at` does not use because they were recorded later."""
    counts: dict[str, int] = {}
    for kind, (happened, recorded) in _KINDS.items():
        count = session.scalar(select(func.count()).where(happened <= at, recorded > at)) or 0
        if count:
            counts[kind] = count
    return counts
