"""The tickets: their register, one of them, registering and changing one, and files of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.given import ABSENT
from sop_server.domain.obligations import ObligationState
from sop_server.domain.permissions import Action
from sop_server.domain.ticket_places import Deed, permits
from sop_server.domain.tickets import TicketInput
from sop_server.errors import ConflictError, NotFoundError
from sop_server.services.changes.ticket_import import INSTANTS, OPTIONAL, REQUIRED, import_tickets
from sop_server.services.changes.ticket_pages import ticket_page
from sop_server.services.changes.ticket_views import TicketView
from sop_server.services.changes.tickets import (
    change_ticket,
    get_ticket,
    list_sources,
    list_tickets,
    ticket_to_change,
    upsert_ticket,
)
from sop_server.views import departments, fields, refusals, ticket_actions, ticket_timeline, uploads, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("tickets", __name__, url_prefix="/tickets")

STATUSES = (("planned", "planned"), ("done", "done"), ("failed", "failed"), ("cancelled", "cancelled"))
_BROWSER_INSTANT = "%Y-%m-%dT%H:%M"


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """List the tickets, the newest first, with how their obligations stand."""
    stores, actor = visitor.stores(), visitor.actor()
    names = ("state", "source", "department", "q")
    chosen: dict[str, Any] = {name: fields.choice(request.args, name) for name in names}
    page = list_tickets(
        stores,
        actor=actor,
        now=visitor.now(),
        cursor=fields.choice(request.args, "cursor"),
        states=[chosen["state"]] if chosen["state"] else (),
        source=chosen["source"],
        department=chosen["department"],
        words=chosen["q"],
    )
    return render_template(
        "tickets/index.html",
        tickets=page.items,
        chosen=chosen,
        states=[(state.value, state.value.replace("_", " ")) for state in ObligationState],
        sources=[(name, name) for name in list_sources(stores, actor=actor, now=visitor.now())],
        departments=departments.named(),
        may_write=actor.may_anywhere(Action.WRITE_TICKETS),
        following=page.next and url_for(".index", **chosen, cursor=page.next),
        earlier="cursor" in request.args and url_for(".index", **chosen),
    )


@BLUEPRINT.get("/new")
def new() -> ResponseReturnValue:
    """Ask for a ticket that no source sends."""
    visitor.actor().require_anywhere(Action.WRITE_TICKETS)
    return _form(request.args, refusals.NONE)


@BLUEPRINT.post("/new")
def register() -> ResponseReturnValue:
    """Register a ticket; one that is known already is not changed by it."""
    stores, actor, form = visitor.stores(), visitor.actor(), request.form
    source, key = fields.text(form, "source"), fields.text(form, "key")
    try:
        _refuse_known(f"{source}:{key}")
        given = _given(form, None)
        kept = upsert_ticket(stores, actor=actor, now=visitor.now(), source=source, key=key, given=given)
    except REFUSED as error:
        return _form(form, refusal(error))
    flash(f"{kept.ticket.label} is registered. {_waiting_for(kept.ticket)}", "done")
    return redirect(url_for(".ticket", ticket_id=kept.ticket.id), 303)


@BLUEPRINT.get("/<ticket_id>")
def ticket(ticket_id: str) -> ResponseReturnValue:
    """Show one ticket with its time line and its obligations."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    page = ticket_page(stores, actor=actor, now=now, ticket_id=ticket_id)
    return render_template(
        "tickets/ticket.html",
        page=page,
        ticket=page.ticket,
        events=ticket_timeline.events(page, now=now),
        actions=ticket_actions.actions(actor, page),
        due_at=ticket_timeline.due_at(page.ticket, window_hours=stores.policy.window_hours),
        t0_words=ticket_timeline.T0_WORDS,
        actor=actor,
        Action=Action,
        Deed=Deed,
        permits=permits,
    )


@BLUEPRINT.get("/<ticket_id>/edit")
def edit(ticket_id: str) -> ResponseReturnValue:
    """Ask what is new of a ticket."""
    known = _to_change(ticket_id)
    return _form(_typed(known), refusals.NONE, known)


@BLUEPRINT.post("/<ticket_id>/edit")
def change(ticket_id: str) -> ResponseReturnValue:
    """Take what is new of a ticket; what was said before stays in its history."""
    stores, actor, form, known = visitor.stores(), visitor.actor(), request.form, _to_change(ticket_id)
    try:
        _refuse_stale(known, form.get("version", ""))
        change_ticket(stores, actor=actor, now=visitor.now(), ticket_id=known.id, given=_given(form, known))
    except REFUSED as error:
        return _form(form, refusal(error), known)
    flash(f"{known.label} is changed. What it said before stays in its history.", "done")
    return redirect(url_for(".ticket", ticket_id=known.id), 303)


@BLUEPRINT.get("/import")
def import_form() -> ResponseReturnValue:
    """Ask for a file of tickets."""
    visitor.actor().require_anywhere(Action.WRITE_TICKETS)
    return _import_page(refusals.NONE)


@BLUEPRINT.post("/import")
def import_file() -> ResponseReturnValue:
    """Take the good rows of a file, and name the others with the reason."""
    actor = visitor.actor()
    actor.require_anywhere(Action.WRITE_TICKETS)
    try:
        given = uploads.file(request.files, "file")
        report = import_tickets(
            visitor.stores(), actor=actor, now=visitor.now(), content=given.content, is_json=given.is_json
        )
    except REFUSED as error:
        return _import_page(refusal(error))
    return render_template("tickets/imported.html", report=report, name=given.name)


def _import_page(refused: Refusal) -> ResponseReturnValue:
    return render_template("tickets/import.html", refused=refused, required=REQUIRED, optional=OPTIONAL), refused.status


def _form(typed: Mapping[str, Any], refused: Refusal, known: TicketView | None = None) -> ResponseReturnValue:
    page = render_template(
        "tickets/form.html",
        typed=typed,
        refused=refused,
        known=known,
        statuses=STATUSES,
        sources=list_sources(visitor.stores(), actor=visitor.actor(), now=visitor.now()),
    )
    return page, refused.status


def _known(ticket_id: str) -> TicketView:
    return get_ticket(visitor.stores(), actor=visitor.actor(), now=visitor.now(), ticket_id=ticket_id)


def _to_change(ticket_id: str) -> TicketView:
    return ticket_to_change(visitor.stores(), actor=visitor.actor(), now=visitor.now(), ticket_id=ticket_id)


def _refuse_known(label: str) -> None:
    try:
        known = _known(label)
    except NotFoundError:
        return
    raise ConflictError(
        f"{known.label} is registered already, as {known.id} “{known.title}”. Nothing was changed; "
        "open it under Tickets and edit it there.",
        fields={"key": f"is {known.id} already"},
    )


def _refuse_stale(known: TicketView, version: str) -> None:
    if version != str(len(known.versions)):
        raise ConflictError(
            "Somebody changed this ticket while you were editing it. Nothing of yours was stored; it stands below as "
            "you typed it. Look at the ticket in another tab, then send this again."
        )


def _given(form: Mapping[str, str], known: TicketView | None) -> TicketInput:
    """Return what the form says; an instant that the browser shows without its seconds, and nobody touched, is kept."""
    shown = {} if known is None else _typed(known)
    said: dict[str, datetime | None] = {
        name: fields.instant(form, name) for name in INSTANTS if fields.text(form, name) != shown.get(name)
    }
    return TicketInput(
        title=form.get("title", ""),
        status=fields.choice(form, "status"),
        systems=fields.names(form, "systems"),
        processes=fields.names(form, "processes"),
        sops=fields.names(form, "sops"),
        url=fields.choice(form, "url"),
        **{name: said.get(name, ABSENT) for name in INSTANTS},
    )


def _typed(known: TicketView) -> dict[str, str]:
    """Return a ticket as its form shows it."""
    instants = {name: getattr(known, name) for name in INSTANTS}
    return {
        "title": known.title,
        "status": known.status,
        "systems": ", ".join(known.systems),
        "processes": ", ".join(known.processes),
        "url": known.url or "",
        "version": str(len(known.versions)),
        **{name: "" if at is None else at.strftime(_BROWSER_INSTANT) for name, at in instants.items()},
    }


def _waiting_for(registered: TicketView) -> str:
    if not registered.sops:
        return "It names no SOP yet: say which ones it makes wrong."
    return f"{', '.join(registered.sops)} must reflect it within the window."
