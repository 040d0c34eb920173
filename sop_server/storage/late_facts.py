"""Facts that came late: they happened by an instant, but were recorded after it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sop_server.domain.golive import moved, registered
from sop_server.storage import sops, ticket_facts
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
    Team,
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


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees who is let into some departments: what belongs there at `now`, and the tickets in sight."""

    departments: frozenset[str]
    now: datetime
    tickets: Callable[[Collection[int]], Collection[int]]

    def limits(self) -> Mapping[str, ColumnElement[bool]]:
        """Return by kind the condition that a fact is in sight; a kind that is not named belongs to no department."""
        mine = sops.governed_ids(self.departments, self.now)
        teams = select(Team.slug).where(Team.department.in_(sorted(self.departments)))
        return {
            "revisions": Revision.sop_id.in_(mine),
            "reviews": Review.sop_id.in_(mine),
            "acknowledgements": Acknowledgement.sop_id.in_(mine),
            "feedback": Feedback.sop_id.in_(mine),
            "feedback triaged": Feedback.sop_id.in_(mine),
            "team memberships": Membership.team.in_(teams),
            "team memberships ended": Membership.team.in_(teams),
            "process changes": ProcessVersion.department.in_(sorted(self.departments)),
        }


def late_facts(session: Session, at: datetime, sight: Sight | None = None) -> dict[str, int]:
    """Count by kind the facts that a report as of `at` does not use because they were recorded later.

    All of them, or those that are in `sight`: a count tells of what lies in another department too.
    """
    if sight is not None:
        return _in_sight(session, at, sight)
    kept, grown = kept_facts(session), sizes(session)
    counts = _of_tickets(session, at, kept, grown)
    for kind, (table, count) in _KINDS.items():
        latest = None if table is None else kept.latest(table, grown[table])
        if latest is None or latest > at:
            counts[kind] = session.scalar(count, {"at": at}) or 0
    return {kind: count for kind, count in counts.items() if count}


def _in_sight(session: Session, at: datetime, sight: Sight) -> dict[str, int]:
    counts = _of_tickets(session, at, kept_facts(session), sizes(session), sight)
    confirmed = session.scalars(
        select(GoLiveConfirmation.ticket_id).where(GoLiveConfirmation.t0 <= at, GoLiveConfirmation.recorded_at > at)
    ).all()
    seen = sight.tickets(set(confirmed))
    counts["go-lives confirmed"] = sum(ticket_id in seen for ticket_id in confirmed)
    for kind, limit in sight.limits().items():
        counts[kind] = session.scalar(_KINDS[kind][1].where(limit), {"at": at}) or 0
    return {kind: count for kind, count in counts.items() if count}


def _of_tickets(
    session: Session, at: datetime, kept: KeptFacts, grown: Mapping[str, Size], sight: Sight | None = None
) -> dict[str, int]:
    """Count the tickets that were registered after their go-live, and the later word that moved it into the past.

    What counts as T0 follows from all that a ticket says, so the rule reads it and no query can: of those tickets alone
    of which something was recorded after `at`, and from what the report itself has read.
    """
    told = ticket_facts.all_tickets(session, kept, grown)
    new = [ticket for ticket in told.values() if ticket.versions[-1].recorded_at > at]
    if sight is not None:
        seen = sight.tickets({ticket.id for ticket in new})
        new = [ticket for ticket in new if ticket.id in seen]
    late = [one for one in map(registered, new) if one.t0 <= at < one.recorded_at]
    moves = [one for ticket in new for one in moved(ticket) if one.t0 <= at < one.recorded_at]
    return {"tickets": len(late), "go-lives moved": len(moves)}
