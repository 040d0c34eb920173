"""Obligations: what a ticket or a SOP still owes, and the two people who may say that one is not needed."""

from collections.abc import Sequence
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.ticket_places import Deed, require
from sop_server.domain.tickets import TicketInput, clean_reason
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.changes import obligation_views, tickets
from sop_server.services.changes.obligation_views import ObligationView
from sop_server.services.changes.ticket_sight import ticket_in_sight
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.stores import Stores
from sop_server.storage import audit, not_needed, obligations
from sop_server.storage.database import Session
from sop_server.storage.tables import NotNeeded

_IN_WORDS = {
    "met": "was met in time",
    "late": "was met, late",
    "not_needed": "was found not to be needed",
    "void": "is void, since the change was cancelled",
}


def obligations_of_ticket(stores: Stores, *, actor: Doer, now: datetime, ticket_id: str) -> tuple[ObligationView, ...]:
    """Return the obligations of a ticket as they stand; a triage that named SOPs replaced is left out."""
    actor.require_anywhere(Action.SEE_REPORTS)
    with stores.database.read() as session:
        number = ticket_in_sight(session, actor, ticket_id, now)
        found = obligation_views.views(session, actor, obligations.facts_of_tickets(session, now, [number]))
        return tuple(one for one in found if one.counted)


def obligations_of_sop(stores: Stores, *, actor: Doer, now: datetime, sop_id: str) -> tuple[ObligationView, ...]:
    """Return the obligations of one SOP as they stand, for everybody who may read it: the banner is made from them."""
    with stores.database.read() as session:
        department_in_sight(session, actor, sop_id, now)
        return obligation_views.views(session, actor, obligations.facts_of_sop(session, now, sop_id))


def open_obligations(stores: Stores, *, actor: Doer, now: datetime) -> tuple[ObligationView, ...]:
    """Return all obligations that the actor may see and somebody has still to meet, those due first at the top."""
    actor.require_anywhere(Action.SEE_REPORTS)
    with stores.database.read() as session:
        found = obligation_views.views(session, actor, obligations.facts_of_open(session, now))
    return tuple(sorted((one for one in found if one.open and one.counted), key=lambda one: (one.due_at, one.id)))


def get_obligation(stores: Stores, *, actor: Doer, now: datetime, obligation_id: str) -> ObligationView:
    """Return one obligation as it stands."""
    actor.require_anywhere(Action.SEE_REPORTS)
    with stores.database.read() as session:
        return _in_sight(session, actor, obligation_id, now)


def name_sops(stores: Stores, *, actor: Doer, now: datetime, ticket_id: str, sop_ids: Sequence[str]) -> TicketView:
    """Name SOPs that a change touches: each becomes an obligation with the ticket's T0. So a ticket is triaged."""
    actor.require_anywhere(Action.WRITE_TICKETS)
    if not sop_ids:
        raise InvalidInputError(
            "Name at least one SOP that the change touches. If it touches none, propose the triage as not needed.",
            fields={"sops": "at least one"},
        )
    return tickets.change_ticket(
        stores, actor=actor, now=now, ticket_id=ticket_id, given=TicketInput(sops=tuple(sop_ids))
    )


def propose_not_needed(
    stores: Stores, *, actor: Actor, now: datetime, obligation_id: str, reason: str
) -> ObligationView:
    """Propose that an obligation is not needed; its clock runs on until a second person confirms it.

    Raises ConflictError where it is closed already, or somebody proposed it before.
    """
    actor.require_anywhere(Action.PROPOSE_NOT_NEEDED)
    with stores.database.write() as session:
        now = _after_what_was_said(session, obligation_id, now)
        known = _in_sight(session, actor, obligation_id, now)
        _require_counted(known)
        require(actor, Deed.PROPOSE_NOT_NEEDED, known.place)
        why = clean_reason(reason, what="why does this SOP not have to change?")
        _require_open(known)
        if known.not_needed is not None:
            raise ConflictError(
                f"{known.not_needed.proposed_by_name} proposed this already: “{known.not_needed.reason}”. "
                "It waits for a second person to confirm it. Nothing was changed."
            )
        number = _number(obligation_id)
        not_needed.propose(session, number, reason=why, person_id=actor.person_id, now=now)
        _record(session, actor, "obligation.not_needed_proposed", known, now, reason=why)
        return _in_sight(session, actor, obligation_id, now)


def confirm_not_needed(stores: Stores, *, actor: Actor, now: datetime, obligation_id: str) -> ObligationView:
    """Confirm, as a second person, that an obligation is not needed. After its window it still counts as late.

    Raises ForbiddenError for the person who proposed it, ConflictError where nothing is proposed or it is closed.
    """
    actor.require_anywhere(Action.CONFIRM_NOT_NEEDED)
    with stores.database.write() as session:
        now = _after_what_was_said(session, obligation_id, now)
        known = _in_sight(session, actor, obligation_id, now)
        _require_counted(known)
        require(actor, Deed.DECIDE_NOT_NEEDED, known.place)
        proposal = _proposal(session, actor, known, verb="confirm")
        proposal.confirmed_by, proposal.confirmed_at = actor.person_id, now
        _record(session, actor, "obligation.not_needed_confirmed", known, now, reason=proposal.reason)
        session.flush()
        return _in_sight(session, actor, obligation_id, now)


def decline_not_needed(
    stores: Stores, *, actor: Actor, now: datetime, obligation_id: str, reason: str
) -> ObligationView:
    """Say no, as a second person and with a reason, to a proposal that an obligation is not needed.

    The obligation is open as if nobody had proposed it, and it may be proposed again; what was said stays in its
    history. Raises ForbiddenError for the person who proposed it, ConflictError where nothing is proposed, or it is
    closed.
    """
    actor.require_anywhere(Action.CONFIRM_NOT_NEEDED)
    with stores.database.write() as session:
        now = _after_what_was_said(session, obligation_id, now)
        known = _in_sight(session, actor, obligation_id, now)
        _require_counted(known)
        require(actor, Deed.DECIDE_NOT_NEEDED, known.place)
        proposal = _proposal(session, actor, known, verb="decline")
        why = clean_reason(reason, what="why does it have to change after all?")
        proposal.declined_by, proposal.declined_at, proposal.declined_because = actor.person_id, now, why
        _record(session, actor, "obligation.not_needed_declined", known, now, proposed=proposal.reason, reason=why)
        session.flush()
        return _in_sight(session, actor, obligation_id, now)


def require_second_person(actor: Doer, known: ObligationView, *, verb: str) -> None:
    """Raise ForbiddenError unless the actor may decide on what was proposed, before anything is said of their words."""
    if known.counted:
        require(actor, Deed.DECIDE_NOT_NEEDED, known.place)
    if known.not_needed is not None and known.not_needed.proposed_by == actor.email:
        raise _own_proposal(verb)


def _proposal(session: Session, actor: Actor, known: ObligationView, *, verb: str) -> NotNeeded:
    """Return the proposal that waits for a second person, where the actor can be that person."""
    proposal = not_needed.newest_row(session, _number(known.id))
    if proposal is None or proposal.declined_at is not None:
        raise ConflictError(
            "Nobody has proposed that this obligation is not needed. Propose it with a reason first; "
            "another person then confirms it."
        )
    if proposal.proposed_by == actor.person_id:
        raise _own_proposal(verb)
    _require_open(known)
    return proposal


def _own_proposal(verb: str) -> ForbiddenError:
    return ForbiddenError(
        f"You proposed this yourself, so a second person has to {verb} it. "
        "Ask an approver or a manager of the department."
    )


def _after_what_was_said(session: Session, obligation_id: str, now: datetime) -> datetime:
    """Return the instant of this decision, which is not before that of what others said of the obligation.

    Whoever asked first may have waited for the database behind somebody who asked later, and has to see their word.
    """
    said = not_needed.newest_row(session, _number(obligation_id))
    instants = () if said is None else (said.proposed_at, said.confirmed_at, said.declined_at)
    return max([now, *(instant for instant in instants if instant is not None)])


def _number(obligation_id: str) -> int:
    number = identifiers.parse_obligation_id(obligation_id)
    if number is None:
        raise _unknown(obligation_id)
    return number


def _in_sight(session: Session, actor: Doer, obligation_id: str, now: datetime) -> ObligationView:
    number = _number(obligation_id)
    row = obligations.obligation_row(session, number)
    if row is None:
        raise _unknown(obligation_id)
    found = obligation_views.views(session, actor, obligations.facts_of_obligation(session, now, number))
    if not found:
        raise _unknown(obligation_id)
    return found[0]


def _unknown(obligation_id: str) -> NotFoundError:
    return NotFoundError(f"There is no obligation {obligation_id}. Look at the ticket that it belongs to.")


def _require_counted(known: ObligationView) -> None:
    if not known.counted:
        raise ConflictError(
            "SOPs were named on this ticket, and their obligations took the place of this one. Nothing was changed."
        )


def _require_open(known: ObligationView) -> None:
    if not known.open:
        raise ConflictError(f"This obligation {_IN_WORDS[known.state]}, so it is closed. Nothing was changed.")


def _record(session: Session, actor: Actor, action: str, known: ObligationView, now: datetime, **details: str) -> None:
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=action,
        subject=known.ticket_id,
        details={"obligation": known.id, "sop_id": known.sop_id, **details},
    )
