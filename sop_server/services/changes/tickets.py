"""Tickets: registering and changing business changes, saying when they go live, finding them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.given import differs
from sop_server.domain.instants import check_go_live, format_instant
from sop_server.domain.obligations import OPEN, ObligationState, statuses
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.ticket_places import Deed, out_of_reach, require
from sop_server.domain.tickets import (
    TicketContent,
    TicketInput,
    clean_reason,
    clean_reference,
    clean_sop_ids,
    revise,
)
from sop_server.errors import InvalidInputError
from sop_server.services.changes import naming, ticket_views
from sop_server.services.changes.go_live_moves import Before, check_move, look
from sop_server.services.changes.ticket_sight import ticket_in_sight, tickets_in_sight
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.paging import Page, check_limit, number_after
from sop_server.services.register.process_sight import processes_in_sight
from sop_server.services.stores import Stores
from sop_server.storage import audit, obligations, tickets
from sop_server.storage.database import Session

_SCAN = 200
_SCANS_OF_SOURCES = 5


class Outcome(StrEnum):
    """What became of what was said of a ticket."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class TicketKept:
    """The ticket as it stands now, and whether anything new was said of it."""

    ticket: TicketView
    outcome: Outcome


def upsert_ticket(
    stores: Stores, *, actor: Doer, now: datetime, source: str, key: str, given: TicketInput
) -> TicketKept:
    """Register the ticket that `source` calls `key`, or take what is new of it; SOPs are added, never taken away.

    Raises ForbiddenError, InvalidInputError (with every field that is wrong; unknown and retired SOPs by name).
    """
    actor.require_anywhere(Action.WRITE_TICKETS)
    with stores.database.write() as session:
        ticket_id, outcome = keep(
            session, actor, now=now, window_hours=stores.policy.window_hours, source=source, key=key, given=given
        )
        return TicketKept(_seen(session, actor, ticket_id, now), outcome)


def change_ticket(stores: Stores, *, actor: Doer, now: datetime, ticket_id: str, given: TicketInput) -> TicketView:
    """Take what is new of a ticket that is known, by `TKT-0012` or `source:key`."""
    actor.require_anywhere(Action.WRITE_TICKETS)
    with stores.database.write() as session:
        number = ticket_in_sight(session, actor, ticket_id, now)
        if not clean_sop_ids(given.sops):
            # Naming SOPs takes less than changing the ticket; what names none is a change, even one to nothing new.
            require(actor, Deed.CHANGE, look(session, number, now).place)
        _change(session, actor, number, given, now=now, window_hours=stores.policy.window_hours)
        return _seen(session, actor, number, now)


def confirm_go_live(
    stores: Stores, *, actor: Actor, now: datetime, ticket_id: str, t0: datetime, reason: str
) -> TicketView:
    """Say when the change takes or took effect, and why that is known; it goes before all that the source says.

    Raises ForbiddenError where it moves T0 later after a breach and the actor is no manager.
    """
    actor.require_anywhere(Action.WRITE_TICKETS)
    with stores.database.write() as session:
        number = ticket_in_sight(session, actor, ticket_id, now)
        before = look(session, number, now)
        require(actor, Deed.CHANGE, before.place)
        why = clean_reason(reason, what="how is it known when the change went live?")
        live = check_go_live(t0, now=now, field="t0")
        tickets.add_confirmation(
            session, number, t0=live, reason=why, person_id=actor.person_id, now=_after(before, now)
        )
        _record(session, actor, "ticket.go_live_confirmed", number, now, t0=format_instant(live), reason=why)
        check_move(session, actor, before, now=now)
        return _seen(session, actor, number, now)


def get_ticket(stores: Stores, *, actor: Doer, now: datetime, ticket_id: str) -> TicketView:
    """Return one ticket, by `TKT-0012` or `source:key`; NotFoundError where it is not the actor's to know of."""
    actor.require_anywhere(Action.SEE_REPORTS)
    with stores.database.read() as session:
        return _seen(session, actor, ticket_in_sight(session, actor, ticket_id, now), now)


def ticket_to_change(stores: Stores, *, actor: Doer, now: datetime, ticket_id: str) -> TicketView:
    """Return one ticket to somebody who may change it; ForbiddenError for whoever may only see it."""
    actor.require_anywhere(Action.WRITE_TICKETS)
    with stores.database.read() as session:
        number = ticket_in_sight(session, actor, ticket_id, now)
        require(actor, Deed.CHANGE, look(session, number, now).place)
        return _seen(session, actor, number, now)


def list_tickets(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    limit: int = 50,
    cursor: str | None = None,
    states: Collection[str] = (),
    statuses: Collection[str] = (),
    source: str | None = None,
    words: str | None = None,
    sop_id: str | None = None,
    department: str | None = None,
) -> Page[TicketView]:
    """Return tickets, the newest first.

    `states` keeps those with an obligation in one of these states, `department` those with one on a SOP of it (both:
    the same one), `words` those with the words in title or key.
    """
    actor.require_anywhere(Action.SEE_REPORTS)
    wanted = _states(states)
    before = number_after(cursor)
    check_limit(limit)
    among: Collection[int] | None = None
    found: list[TicketView] = []
    with stores.database.read() as session:
        if wanted and wanted <= OPEN:
            # Few are open of all that ever were: those few are looked at, not everything back to the first ticket.
            among = _with_open(session, wanted, now)
        while len(found) <= limit:
            # A state is computed, so it cannot be asked of the database: look through batches until the page is full.
            batch = _SCAN if wanted or department or actor.reach(Action.READ) is not None else limit + 1
            ids = tickets.find_ids(
                session,
                before=before,
                limit=batch,
                source=source,
                statuses=statuses,
                words=words,
                sop_id=sop_id,
                among=among,
            )
            shown = ticket_views.views(session, actor, ids, now)
            found += [ticket for ticket in shown if _has(ticket, wanted, department)]
            if len(ids) < batch:
                break
            before = ids[-1]
    items = tuple(found[:limit])
    last = identifiers.parse_ticket_id(items[-1].id) if len(found) > limit else None
    return Page(items, None if last is None else str(last))


def list_sources(stores: Stores, *, actor: Doer, now: datetime) -> tuple[str, ...]:
    """Return where the tickets came from that the actor may know of, for a filter.

    Whoever may not read everywhere is told by the newest thousand of each source: it is a filter, and not a register.
    """
    actor.require_anywhere(Action.SEE_REPORTS)
    with stores.database.read() as session:
        found = tickets.sources(session)
        if actor.reach(Action.READ) is None:
            return tuple(found)
        return tuple(source for source in found if _has_one_in_sight(session, actor, source, now))


def _has_one_in_sight(session: Session, actor: Doer, source: str, now: datetime) -> bool:
    before: int | None = None
    for _ in range(_SCANS_OF_SOURCES):
        ids = tickets.find_ids(session, before=before, limit=_SCAN, source=source)
        if tickets_in_sight(session, actor, ids, now):
            return True
        if len(ids) < _SCAN:
            return False
        before = ids[-1]
    return False


def keep(
    session: Session, actor: Doer, *, now: datetime, window_hours: float, source: str, key: str, given: TicketInput
) -> tuple[int, Outcome]:
    """Register or change a ticket within the caller's transaction; returns its number and what became of it."""
    clean_source, clean_key = clean_reference(source, key)
    known = tickets.ticket_by_reference(session, clean_source, clean_key)
    if known is not None:
        changed = _change(session, actor, known.id, given, now=now, window_hours=window_hours)
        return known.id, Outcome.UPDATED if changed else Outcome.UNCHANGED
    sop_ids = clean_sop_ids(given.sops)
    naming.require_nameable(session, actor, sop_ids, now)
    content = _content(session, actor, None, given, first_known=now, now=now)
    ticket = tickets.add_ticket(session, source=clean_source, key=clean_key, now=now)
    tickets.add_version(session, ticket.id, content, person_id=actor.person_id, now=now)
    naming.add(session, ticket.id, sop_ids, window_hours=window_hours, now=now)
    _record(
        session,
        actor,
        "ticket.registered",
        ticket.id,
        now,
        reference=f"{clean_source}:{clean_key}",
        title=content.title,
        sops=list(sop_ids),
    )
    return ticket.id, Outcome.CREATED


def _change(
    session: Session, actor: Doer, ticket_id: int, given: TicketInput, *, now: datetime, window_hours: float
) -> bool:
    before = look(session, ticket_id, now)
    newest = before.newest
    added = naming.not_yet_named(session, ticket_id, clean_sop_ids(given.sops))
    naming.require_nameable(session, actor, added, now)
    if added and before.triage is not None:
        require(actor, Deed.NAME_SOPS, before.triage)
    former = tickets.content_of(newest)
    try:
        content = _content(session, actor, former, given, first_known=before.recorded_at, now=now)
    except InvalidInputError:
        # Whoever may not change the ticket at all is told that, and nothing about the fields.
        require(actor, Deed.CHANGE, before.place)
        raise
    changed = differs(former, content)
    if changed:
        require(actor, Deed.CHANGE, before.place)
        tickets.add_version(session, ticket_id, content, person_id=actor.person_id, now=_after(before, now))
        _record(session, actor, "ticket.changed", ticket_id, now, fields=changed)
        check_move(session, actor, before, now=now)
    if added:
        naming.add(session, ticket_id, added, window_hours=window_hours, now=now)
        _record(session, actor, "ticket.sops_named", ticket_id, now, sops=list(added))
    return bool(changed or added)


def _after(before: Before, now: datetime) -> datetime:
    # The newest version is the one recorded last: a clock that runs behind must not hide what is new.
    return max(now, before.newest.recorded_at)


def _content(
    session: Session,
    actor: Doer,
    former: TicketContent | None,
    given: TicketInput,
    *,
    first_known: datetime,
    now: datetime,
) -> TicketContent:
    content = revise(former, given, first_known=first_known, now=now)
    had = set() if former is None else set(former.processes)
    seen = processes_in_sight(session, actor, had | set(content.processes), now)
    unknown = sorted(set(content.processes) - had - seen)
    if unknown:
        raise InvalidInputError(
            f"No process is known as {', '.join(unknown)}. Register it first, or leave it out.",
            fields={"processes": f"unknown: {', '.join(unknown)}"},
        )
    if former is None or had <= seen:
        return content
    # What somebody was not shown they cannot have meant to take away.
    kept = [one for one in former.processes if one in content.processes or one not in seen]
    return replace(content, processes=tuple(dict.fromkeys([*kept, *content.processes])))


def _has(ticket: TicketView, wanted: Collection[ObligationState], department: str | None) -> bool:
    if not wanted and department is None:
        return True
    return any(
        (not wanted or one.state in wanted) and department in {None, one.department} for one in ticket.obligations
    )


def _with_open(session: Session, wanted: Collection[ObligationState], now: datetime) -> set[int]:
    found = statuses(obligations.facts_of_open(session, now))
    return {status.ticket.id for status in found if status.counted and status.state in wanted}


def _states(states: Collection[str]) -> frozenset[ObligationState]:
    try:
        return frozenset(ObligationState(state) for state in states)
    except ValueError as error:
        known = ", ".join(state.value for state in ObligationState)
        raise InvalidInputError(
            f"{error}. The states of an obligation are {known}.", fields={"state": f"must be one of {known}"}
        ) from error


def _seen(session: Session, actor: Doer, ticket_id: int, now: datetime) -> TicketView:
    session.flush()
    newest = tickets.newest_version(session, ticket_id)
    at = now if newest is None else max(now, newest.recorded_at)
    found = ticket_views.view(session, actor, ticket_id, at)
    if found is None:
        raise out_of_reach()
    return found


def _record(session: Session, actor: Doer, action: str, ticket_id: int, now: datetime, **details: object) -> None:
    audit.record(
        session, at=now, actor=actor.email, action=action, subject=identifiers.ticket_id(ticket_id), details=details
    )
