"""The state of an obligation: whether the SOP reflected the change, and how long after go-live."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from sop_server.domain.facts import Facts, ObligationFact, RevisionFact, RevisionKind, TicketFact
from sop_server.domain.golive import GoLive, GoLiveSource, cancelled_before_go_live, go_live
from sop_server.domain.revisions import served

_NO_TIME = timedelta(0)


class ObligationState(StrEnum):
    """How an obligation stands at an instant."""

    UPCOMING = "upcoming"
    PENDING = "pending"
    MET = "met"
    LATE = "late"
    BREACHED = "breached"
    NOT_NEEDED = "not_needed"
    VOID = "void"


OPEN = frozenset({ObligationState.UPCOMING, ObligationState.PENDING, ObligationState.BREACHED})
MATURED = frozenset({ObligationState.MET, ObligationState.LATE, ObligationState.BREACHED})
LEFT_OUT = frozenset({ObligationState.NOT_NEEDED, ObligationState.VOID})


class ObligationStatus(NamedTuple):
    """An obligation as it stands at an instant; a named tuple, for there are tens of thousands in a report.

    `stopped_at` is when a revision in force or a confirmed "not needed" ended it. `exposure` is None before T0 and
    where nothing had to be done, and grows while the obligation is open past T0. `counted` is False once named SOPs
    replaced a triage obligation.
    """

    obligation: ObligationFact
    ticket: TicketFact
    state: ObligationState
    t0: datetime
    t0_source: GoLiveSource
    provisional: bool
    due_at: datetime
    stopped_at: datetime | None
    exposure: timedelta | None
    counted: bool

    @property
    def open(self) -> bool:
        """Whether it is still to be met."""
        return self.state in OPEN

    @property
    def open_past_go_live(self) -> bool:
        """Whether readers are exposed to it: still to be met, and the change is live."""
        return self.state is ObligationState.PENDING or self.state is ObligationState.BREACHED

    @property
    def response(self) -> timedelta | None:
        """Time to the stop from the later of T0 and the first word of it here, at least zero; None while open."""
        if self.stopped_at is None:
            return None
        return max(_NO_TIME, self.stopped_at - max(self.t0, self.ticket.first_known_at))


def clock_stop(
    revisions: Sequence[RevisionFact],
    ticket_id: int,
    at: datetime,
    *,
    order: Sequence[RevisionFact] | None = None,
) -> datetime | None:
    """Return since when a revision that references the ticket has been in force and was not reverted; None if open.

    `revisions` are those of one SOP in ascending number. A revert is a revision that says so of the meeting revision or
    an older one, or has the text of an older one; the text that met the ticket never reopens it. `order` is what
    `served` gives, where that is known.
    """
    for revision in revisions:
        if ticket_id in revision.tickets:
            break
    else:
        return None
    stopped_at: datetime | None = None
    meeting = 0
    meeting_hashes: set[str] = set()
    for revision in served(revisions) if order is None else order:
        if revision.effective_from > at:
            break
        if ticket_id in revision.tickets:
            if stopped_at is None:
                stopped_at, meeting, meeting_hashes = revision.effective_from, revision.number, set()
            meeting_hashes.add(revision.content_hash)
        elif (
            stopped_at is not None
            and revision.content_hash not in meeting_hashes
            and _takes_back(revision, meeting, revisions)
        ):
            stopped_at = None
    return stopped_at


def _takes_back(revision: RevisionFact, meeting: int, revisions: Sequence[RevisionFact]) -> bool:
    if revision.kind == RevisionKind.RETIRE:
        return False
    if revision.reverts is not None and revision.reverts <= meeting:
        return True
    return any(
        older.number < meeting and older.kind != RevisionKind.RETIRE and older.content_hash == revision.content_hash
        for older in revisions
    )


def state(
    obligation: ObligationFact, ticket: TicketFact, revisions: Sequence[RevisionFact], at: datetime
) -> ObligationStatus:
    """Return how the obligation stands at the instant; `revisions` are those of its SOP, none for a triage."""
    stop = None if obligation.sop_id is None else clock_stop(revisions, ticket.id, at)
    void = cancelled_before_go_live(ticket, at)
    return _status(obligation, ticket, go_live(ticket, at), void=void, stop=stop, at=at)


def statuses(
    facts: Facts, *, orders: Mapping[str, Sequence[RevisionFact]] | None = None
) -> tuple[ObligationStatus, ...]:
    """Return how every obligation of the snapshot stands at its instant, in the snapshot's order.

    `orders` is what `served` gives for each SOP, where that is known.
    """
    at = facts.at
    served_of = orders or {}
    known: dict[int, tuple[TicketFact, GoLive, bool]] = {}
    found: list[ObligationStatus] = []
    for obligation in facts.obligations:
        if obligation.recorded_at > at:
            continue
        ticket_id = obligation.ticket_id
        about = known.get(ticket_id)
        if about is None:
            ticket = facts.tickets[ticket_id]
            about = known[ticket_id] = (ticket, go_live(ticket, at), cancelled_before_go_live(ticket, at))
        ticket, live, void = about
        stop = None
        if obligation.sop_id is not None:
            sop_id = obligation.sop_id
            stop = clock_stop(facts.revisions.get(sop_id, ()), ticket_id, at, order=served_of.get(sop_id))
        found.append(_status(obligation, ticket, live, void=void, stop=stop, at=at))
    return tuple(found)


def by_sop(found: Iterable[ObligationStatus]) -> Mapping[str, list[ObligationStatus]]:
    """Return the counted obligations of each SOP; triage obligations belong to none."""
    of_sop: dict[str, list[ObligationStatus]] = {}
    for status in found:
        if status.obligation.sop_id is not None and status.counted:
            of_sop.setdefault(status.obligation.sop_id, []).append(status)
    return of_sop


class Stated(Protocol):
    """What tells whether an obligation is met."""

    @property
    def state(self) -> ObligationState:
        """How it stands."""

    @property
    def counted(self) -> bool:
        """Whether named SOPs did not take its place."""


def ticket_met(found: Iterable[Stated]) -> bool:
    """Whether a ticket is met: all its obligations are, and there is one; what is not needed or void is left out."""
    states = [status.state for status in found if status.counted and status.state not in LEFT_OUT]
    return bool(states) and all(one is ObligationState.MET for one in states)


def _status(
    obligation: ObligationFact, ticket: TicketFact, live: GoLive, *, void: bool, stop: datetime | None, at: datetime
) -> ObligationStatus:
    t0 = live.t0
    due_at = t0 + timedelta(hours=obligation.window_hours)
    confirmed_at = obligation.proposals[-1].confirmed_at if obligation.proposals else None
    if confirmed_at is not None and confirmed_at > at:
        confirmed_at = None
    # Whatever ended it first decides: a revision after the decision changes nothing, nor the decision after a revision.
    ended_at = stop if confirmed_at is None or (stop is not None and stop <= confirmed_at) else confirmed_at

    exposure: timedelta | None = None
    if void:
        state_now, ended_at = ObligationState.VOID, None
    elif ended_at is None and live.upcoming:
        state_now = ObligationState.UPCOMING
    elif ended_at is None:
        state_now = ObligationState.PENDING if at <= due_at else ObligationState.BREACHED
        exposure = at - t0
    elif ended_at != stop and ended_at <= due_at:
        state_now = ObligationState.NOT_NEEDED
    else:
        state_now = ObligationState.MET if ended_at <= due_at else ObligationState.LATE
        exposure = max(_NO_TIME, ended_at - t0)
    return ObligationStatus(
        obligation=obligation,
        ticket=ticket,
        state=state_now,
        t0=t0,
        t0_source=live.source,
        provisional=live.provisional,
        due_at=due_at,
        stopped_at=ended_at,
        exposure=exposure,
        counted=obligation.uncounted_from is None or obligation.uncounted_from > at,
    )
