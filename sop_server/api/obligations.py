"""Obligations: what tickets still ask of SOPs."""

from collections.abc import Callable
from http import HTTPStatus

from sop_server.api.listing import part
from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing, Nothing, Paging
from sop_server.api.schemas.tickets import NameSop, Obligation, Reason
from sop_server.domain.permissions import Action
from sop_server.domain.ticket_places import Deed, require
from sop_server.errors import NotFoundError
from sop_server.services.changes import obligations


def list_open_obligations(call: Call) -> Listing[Obligation]:
    """List what somebody has still to meet, what is due first at the top."""
    paging = call.query(Paging)
    found = obligations.open_obligations(call.stores, actor=call.actor, now=call.now)
    return part(found, paging, Obligation.model_validate, Listing[Obligation])


def list_obligations_of_ticket(call: Call, ticket_id: str) -> Listing[Obligation]:
    """List the obligations of a ticket."""
    paging = call.query(Paging, sight=_ticket_in_sight(call, ticket_id))
    found = obligations.obligations_of_ticket(call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id)
    return part(found, paging, Obligation.model_validate, Listing[Obligation])


def name_sop(call: Call, ticket_id: str) -> Reply:
    """Name a SOP that the change touches: it becomes an obligation, with the ticket's go-live."""
    sight = _ticket_in_sight(call, ticket_id)
    body = call.body(NameSop, sight=sight)
    ticket = obligations.name_sops(
        call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id, sop_ids=[body.sop_id]
    )
    wanted = body.sop_id.strip().upper()
    named = next((one for one in ticket.obligations if one.sop_id == wanted), None)
    if named is None:
        raise NotFoundError(f"The ticket has no obligation of {wanted} that you may see.")
    return Reply(Obligation.model_validate(named), status=HTTPStatus.CREATED)


def get_obligation(call: Call, obligation_id: str) -> Obligation:
    """Read one obligation."""
    return Obligation.model_validate(
        obligations.get_obligation(call.stores, actor=call.actor, now=call.now, obligation_id=obligation_id)
    )


def propose_not_needed(call: Call, obligation_id: str) -> Obligation:
    """Propose, with a reason, that an obligation is not needed."""
    body = call.body(Reason, sight=_proposable(call, obligation_id))
    return Obligation.model_validate(
        obligations.propose_not_needed(
            call.stores, actor=call.actor, now=call.now, obligation_id=obligation_id, reason=body.reason
        )
    )


def confirm_not_needed(call: Call, obligation_id: str) -> Obligation:
    """Confirm, as a second person, that an obligation is not needed."""
    call.body(Nothing, sight=_second(call, obligation_id, verb="confirm"))
    return Obligation.model_validate(
        obligations.confirm_not_needed(call.stores, actor=call.actor, now=call.now, obligation_id=obligation_id)
    )


def decline_not_needed(call: Call, obligation_id: str) -> Obligation:
    """Say no, as a second person and with a reason, to the proposal that an obligation is not needed."""
    body = call.body(Reason, sight=_second(call, obligation_id, verb="decline"))
    return Obligation.model_validate(
        obligations.decline_not_needed(
            call.stores, actor=call.actor, now=call.now, obligation_id=obligation_id, reason=body.reason
        )
    )


def _ticket_in_sight(call: Call, ticket_id: str) -> Callable[[], object]:
    return lambda: obligations.obligations_of_ticket(call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id)


def _proposable(call: Call, obligation_id: str) -> Callable[[], None]:
    def look() -> None:
        known = obligations.get_obligation(call.stores, actor=call.actor, now=call.now, obligation_id=obligation_id)
        if known.counted:
            require(call.actor, Deed.PROPOSE_NOT_NEEDED, known.place)

    return look


def _second(call: Call, obligation_id: str, *, verb: str) -> Callable[[], None]:
    def look() -> None:
        known = obligations.get_obligation(call.stores, actor=call.actor, now=call.now, obligation_id=obligation_id)
        obligations.require_second_person(call.actor, known, verb=verb)

    return look


ROUTES = (
    Route("GET", "/obligations", list_open_obligations, Listing[Obligation], action=Action.SEE_REPORTS, query=Paging),
    Route("GET", "/obligations/<obligation_id>", get_obligation, Obligation, action=Action.SEE_REPORTS),
    Route(
        "GET",
        "/tickets/<ticket_id>/obligations",
        list_obligations_of_ticket,
        Listing[Obligation],
        action=Action.SEE_REPORTS,
        query=Paging,
    ),
    Route(
        "POST",
        "/tickets/<ticket_id>/obligations",
        name_sop,
        Obligation,
        action=Action.WRITE_TICKETS,
        body=NameSop,
        status=HTTPStatus.CREATED,
    ),
    Route(
        "POST",
        "/obligations/<obligation_id>/not-needed",
        propose_not_needed,
        Obligation,
        action=Action.PROPOSE_NOT_NEEDED,
        body=Reason,
        also={409: "Closed already, or proposed before"},
    ),
    Route(
        "POST",
        "/obligations/<obligation_id>/confirm",
        confirm_not_needed,
        Obligation,
        action=Action.CONFIRM_NOT_NEEDED,
        also={409: "Nothing was proposed, or it is closed already"},
    ),
    Route(
        "POST",
        "/obligations/<obligation_id>/decline",
        decline_not_needed,
        Obligation,
        action=Action.CONFIRM_NOT_NEEDED,
        body=Reason,
        also={409: "Nothing was proposed, or it is closed already"},
    ),
)
