"""What the doors show of an obligation."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.facts import Facts, NotNeeded
from sop_server.domain.golive import GoLiveSource, current_version
from sop_server.domain.instants import hours
from sop_server.domain.obligations import ObligationState, ObligationStatus, statuses
from sop_server.domain.ticket_places import Deed, TicketPlace, permits
from sop_server.services.changes.ticket_sight import triage_places
from sop_server.storage import people, tickets
from sop_server.storage.database import Session
from sop_server.storage.tables import Person
from sop_server.storage.tickets import SopStanding


@dataclass(frozen=True, slots=True)
class NotNeededView:
    """A proposal that an obligation is not needed; the last three are None until a second person confirms it."""

    reason: str
    proposed_by: str
    proposed_by_name: str
    proposed_at: datetime
    confirmed_by: str | None
    confirmed_by_name: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeclinedView:
    """A proposal that an obligation is not needed, to which a second person said no, and why."""

    reason: str
    proposed_by: str
    proposed_by_name: str
    proposed_at: datetime
    declined_by: str
    declined_by_name: str
    declined_at: datetime
    declined_because: str


@dataclass(frozen=True, slots=True)
class ObligationView:
    """One (ticket, SOP) pair as it stands, or the triage of a ticket where `sop_id` is None.

    `exposure_hours` is None before go-live and where nothing had to be done. `counted` is False for a triage that
    named SOPs replaced. `place` is whose it is: its SOP's department, or those of the processes that its ticket names.
    `not_needed` is the proposal that stands, `declined` are those before it that were turned down, the oldest first.
    """

    id: str
    ticket_id: str
    ticket_label: str
    ticket_title: str
    sop_id: str | None
    sop_title: str | None
    department: str | None
    owner: str | None
    state: ObligationState
    t0: datetime
    t0_source: GoLiveSource
    provisional: bool
    due_at: datetime
    stopped_at: datetime | None
    exposure_hours: float | None
    window_hours: float
    counted: bool
    place: TicketPlace
    not_needed: NotNeededView | None
    declined: tuple[DeclinedView, ...]

    @property
    def open(self) -> bool:
        """Whether it is still to be met."""
        return self.state in {ObligationState.UPCOMING, ObligationState.PENDING, ObligationState.BREACHED}


def views(session: Session, actor: Doer, facts: Facts) -> tuple[ObligationView, ...]:
    """Return the obligations of a snapshot that the actor may see: those of the departments in which they may read.

    A triage that is no department's yet is everybody's to see.
    """
    found = statuses(facts)
    sop_ids = {status.obligation.sop_id for status in found if status.obligation.sop_id is not None}
    standings = tickets.sop_standings(session, sop_ids, facts.at)
    triages = [status.ticket for status in found if status.obligation.sop_id is None]
    triaging = triage_places(
        session, {ticket.id: current_version(ticket, facts.at).processes for ticket in triages}, facts.at
    )
    placed: list[tuple[ObligationStatus, TicketPlace]] = []
    for status in found:
        sop_id = status.obligation.sop_id
        if sop_id is None:
            placed.append((status, TicketPlace(triaging[status.ticket.id])))
        elif sop_id in standings:
            placed.append((status, TicketPlace(frozenset({standings[sop_id].department}))))
    seen = [(status, place) for status, place in placed if permits(actor, Deed.SEE, place)]
    persons = people.persons_by_id(session, _people_of(status for status, _ in seen))
    return tuple(_view(status, place, standings, persons) for status, place in seen)


def _people_of(found: Iterable[ObligationStatus]) -> Collection[int]:
    said = [one for status in found for one in status.obligation.proposals]
    persons = {person for one in said for person in (one.proposed_by, one.confirmed_by, one.declined_by)}
    return {person for person in persons if person is not None}


def _view(
    status: ObligationStatus,
    place: TicketPlace,
    standings: Mapping[str, SopStanding],
    persons: Mapping[int, Person],
) -> ObligationView:
    obligation, ticket = status.obligation, status.ticket
    standing = None if obligation.sop_id is None else standings[obligation.sop_id]
    return ObligationView(
        id=identifiers.obligation_id(obligation.id),
        ticket_id=identifiers.ticket_id(ticket.id),
        ticket_label=ticket.reference,
        ticket_title=ticket.title,
        sop_id=obligation.sop_id,
        sop_title=None if standing is None else standing.title,
        department=None if standing is None else standing.department,
        owner=None if standing is None else standing.owner,
        state=status.state,
        t0=status.t0,
        t0_source=status.t0_source,
        provisional=status.provisional,
        due_at=status.due_at,
        stopped_at=status.stopped_at,
        exposure_hours=None if status.exposure is None else hours(status.exposure),
        window_hours=obligation.window_hours,
        counted=status.counted,
        place=place,
        not_needed=_not_needed(status, persons),
        declined=tuple(_declined(obligation.proposals, persons)),
    )


def _not_needed(status: ObligationStatus, persons: Mapping[int, Person]) -> NotNeededView | None:
    proposal = status.obligation.proposal
    if proposal is None:
        return None
    proposer = persons[proposal.proposed_by]
    confirmer = None if proposal.confirmed_by is None else persons[proposal.confirmed_by]
    return NotNeededView(
        reason=proposal.reason,
        proposed_by=proposer.email,
        proposed_by_name=proposer.name,
        proposed_at=proposal.proposed_at,
        confirmed_by=None if confirmer is None else confirmer.email,
        confirmed_by_name=None if confirmer is None else confirmer.name,
        confirmed_at=proposal.confirmed_at,
    )


def _declined(said: Iterable[NotNeeded], persons: Mapping[int, Person]) -> Iterable[DeclinedView]:
    for one in said:
        if one.declined_by is None or one.declined_at is None:
            continue
        proposer, decliner = persons[one.proposed_by], persons[one.declined_by]
        yield DeclinedView(
            reason=one.reason,
            proposed_by=proposer.email,
            proposed_by_name=proposer.name,
            proposed_at=one.proposed_at,
            declined_by=decliner.email,
            declined_by_name=decliner.name,
            declined_at=one.declined_at,
            declined_because=one.declined_because or "",
        )
