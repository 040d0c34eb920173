"""Tickets: business changes that may make SOPs wrong."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing
from sop_server.api.schemas.tickets import GoLive, Ticket, TicketChange, TicketQuery, TicketWrite
from sop_server.domain.permissions import Action
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes import tickets
from sop_server.services.changes.tickets import Outcome

_IDENTITY = {"source", "key"}


def list_tickets(call: Call) -> Listing[Ticket]:
    """List tickets, the newest first; `state` and `status` take several values with commas between them."""
    query = call.query(TicketQuery)
    page = tickets.list_tickets(
        call.stores,
        actor=call.actor,
        now=call.now,
        limit=query.limit,
        cursor=query.cursor,
        states=_several(query.state),
        statuses=_several(query.status),
        source=query.source,
        words=query.q,
        sop_id=query.sop_id,
    )
    return Listing[Ticket](items=[Ticket.model_validate(item) for item in page.items], next=page.next)


def upsert_ticket(call: Call) -> Reply:
    """Register a ticket (201), or take what is new of the one that has this source and key (200)."""
    body = call.body(TicketWrite)
    kept = tickets.upsert_ticket(
        call.stores, actor=call.actor, now=call.now, source=body.source, key=body.key, given=_given(body)
    )
    status = HTTPStatus.CREATED if kept.outcome is Outcome.CREATED else HTTPStatus.OK
    return Reply(Ticket.model_validate(kept.ticket), status=status)


def get_ticket(call: Call, ticket_id: str) -> Ticket:
    """Read one ticket, by its id or as `source:key`."""
    return Ticket.model_validate(tickets.get_ticket(call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id))


def change_ticket(call: Call, ticket_id: str) -> Ticket:
    """Say what is new of a ticket."""
    body = call.body(TicketChange, sight=_changeable(call, ticket_id))
    return Ticket.model_validate(
        tickets.change_ticket(call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id, given=_given(body))
    )


def confirm_go_live(call: Call, ticket_id: str) -> Ticket:
    """Confirm when the change took or takes effect; this goes before all that the source says."""
    body = call.body(GoLive, sight=_changeable(call, ticket_id))
    return Ticket.model_validate(
        tickets.confirm_go_live(
            call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id, t0=body.t0, reason=body.reason
        )
    )


def _changeable(call: Call, ticket_id: str) -> Callable[[], object]:
    return lambda: tickets.ticket_to_change(call.stores, actor=call.actor, now=call.now, ticket_id=ticket_id)


def _given(body: TicketChange) -> TicketInput:
    said: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - _IDENTITY}
    return TicketInput(**said)


def _several(value: str | None) -> list[str]:
    return [one.strip() for one in (value or "").split(",") if one.strip()]


ROUTES = (
    Route("GET", "/tickets", list_tickets, Listing[Ticket], action=Action.SEE_REPORTS, query=TicketQuery),
    Route(
        "POST",
        "/tickets",
        upsert_ticket,
        Ticket,
        action=Action.WRITE_TICKETS,
        body=TicketWrite,
        status=HTTPStatus.CREATED,
        also={200: "Known already, and changed where anything was new"},
    ),
    Route("GET", "/tickets/<ticket_id>", get_ticket, Ticket, action=Action.SEE_REPORTS),
    Route("PATCH", "/tickets/<ticket_id>", change_ticket, Ticket, action=Action.WRITE_TICKETS, body=TicketChange),
    Route("POST", "/tickets/<ticket_id>/go-live", confirm_go_live, Ticket, action=Action.WRITE_TICKETS, body=GoLive),
)
