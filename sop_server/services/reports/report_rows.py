"""The rows behind the figures of the reports, with the names that people know them by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.drift import DriftReport
from sop_server.domain.instants import hours
from sop_server.domain.obligations import ObligationState, ObligationStatus
from sop_server.domain.permissions import Action, Actor
from sop_server.services.reports.year import past_months
from sop_server.services.stores import Stores
from sop_server.storage import people, tickets
from sop_server.storage.facts import load_facts


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One obligation of the window report; `exposure_hours` grows while it is open past its go-live."""

    ticket_id: str
    ticket_label: str
    ticket_title: str
    sop_id: str | None
    sop_title: str | None
    state: ObligationState
    t0: datetime
    due_at: datetime
    stopped_at: datetime | None
    exposure_hours: float | None


def window_rows(stores: Stores, *, found: Sequence[ObligationStatus], at: datetime) -> list[WindowRow]:
    """Return obligations of a window report as rows, in the order given."""
    wanted = {status.obligation.sop_id for status in found if status.obligation.sop_id is not None}
    with stores.database.read() as session:
        titles = {sop_id: one.title for sop_id, one in tickets.sop_standings(session, wanted, at).items()}
    return [
        WindowRow(
            ticket_id=identifiers.ticket_id(status.ticket.id),
            ticket_label=status.ticket.reference,
            ticket_title=status.ticket.title,
            sop_id=status.obligation.sop_id,
            sop_title=titles.get(status.obligation.sop_id or ""),
            state=status.state,
            t0=status.t0,
            due_at=status.due_at,
            stopped_at=status.stopped_at,
            exposure_hours=None if status.exposure is None else hours(status.exposure),
        )
        for status in found
    ]


def names_of(stores: Stores, *, person_ids: Collection[int]) -> Mapping[int, str]:
    """Return the names of people by their ids."""
    with stores.database.read() as session:
        return {key: person.name for key, person in people.persons_by_id(session, person_ids).items()}


def drift_before(stores: Stores, *, actor: Actor, at: datetime, department: str | None) -> tuple[DriftReport, ...]:
    """Return the score at each of the eleven ends of months before `at`, each as it was known then."""
    actor.require_anywhere(Action.SEE_REPORTS)
    if department is not None:
        actor.require(Action.SEE_REPORTS, department)
    departments = actor.reach(Action.SEE_REPORTS) if department is None else frozenset({department})
    with stores.database.read() as session:
        facts = load_facts(session, at)
    return past_months(stores, facts, departments=departments)
