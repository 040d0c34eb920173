"""Facts that came late: they happened by an instant, but were recorded after it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sop_server.domain.golive import moved, registered
from sop_server.storage import ticket_facts
from sop_server.storage.kept_facts import KeptFacts, Size, kept_facts, sizes
from sop_server.storage.tables import (
    Acknowledgement,
    Feedback,
    GoLiveConfirmation,
    Membership,
    PersonState,
    ProcessVersion,
    Review,
    Revision,
)


def _count(
    happened: InstrumentedAttribute[Any],
    recorded: InstrumentedAttribute[Any],
) -> Select[int]:
    return select(func.count(recorded)).where(happened <= bindparam("at"), recorded > bindparam("at"))


_KINDS: Mapping[str, tuple[str | None, Select[int]]] = {
    "revisions": ("revision", _count(Revision.effective_from, Revision.recorded_at)),
    "go-lives confirmed": ("confirmation", _count(GoLiveConfirmation.t0, GoLiveConfirmation.recorded_at)),
    "reviews": ("review", _count(Review.happened_at, Review.recorded_at)),
    "acknowledgements": ("acknowledgement", _count(Acknowledgement.happened_at, Acknowledgement.recorded_at)),
    "feedback": (None, _count(Feedback.happened_at, Feedback.recorded_at)),
    "feedback triaged": (None, _count(Feedback.triaged_at, Feedback.triage_recorded_at)),
    "team memberships": (None, _count(Membership.joined_at, Membership.recorded_at)),
    "team memberships ended": (None, _count(Membership.left_at, Membership.left_recorded_at)),
    "process changes": ("process_version", _count(ProcessVersion.happened_at, ProcessVersion.recorded_at)),
    "accounts": ("person_state", _count(PersonState.happened_at, PersonState.recorded_at)),
}


def late_facts(session: Session, at: datetime) -> dict[str, int]:
    """Count by kind the facts that a report as of `at` does not use because they were recorded later."""
    kept, grown = kept_facts(session), sizes(session)
    counts = _of_tickets(session, at, kept, grown)
    for kind, (table, count) in _KINDS.items():
        latest = None if table is None else kept.latest(table, grown[table])
        if latest is None or latest > at:
            counts[kind] = session.scalar(count, {"at": at}) or 0
    return {kind: count for kind, count in counts.items() if count}


def _of_tickets(session: Session, at: datetime, kept: KeptFacts, grown: Mapping[str, Size]) -> dict[str, int]:
    """Count the tickets that were registered after their go-live, and the later word that moved it into the past.

    What counts as T0 follows from all that a ticket says, so the rule reads it and no query can: of those tickets alone
    of which something was recorded after `at`, and from what the report itself has read.
    """
    told = ticket_facts.all_tickets(session, kept, grown)
    new = [ticket for ticket in told.values() if ticket.versions[-1].recorded_at > at]
    late = [one for one in map(registered, new) if one.t0 <= at < one.recorded_at]
    moves = [one for ticket in new for one in moved(ticket) if one.t0 <= at < one.recorded_at]
    return {"tickets": len(late), "go-lives moved": len(moves)}
