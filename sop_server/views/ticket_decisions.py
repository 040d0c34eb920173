"""What people decide about a ticket: when it went live, which SOPs it makes wrong, what needs no change."""

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.permissions import Action
from sop_server.domain.ticket_places import Deed, require
from sop_server.errors import InvalidInputError, NotFoundError
from sop_server.services.changes.obligation_views import ObligationView
from sop_server.services.changes.obligations import confirm_not_needed as confirm
from sop_server.services.changes.obligations import (
    decline_not_needed,
    get_obligation,
    name_sops,
    propose_not_needed,
    require_second_person,
)
from sop_server.services.changes.ticket_pages import TicketPage, ticket_page
from sop_server.services.changes.tickets import confirm_go_live, ticket_to_change
from sop_server.views import fields, refusals, ticket_timeline, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("ticket_decisions", __name__, url_prefix="/tickets")

_BROWSER_INSTANT = "%Y-%m-%dT%H:%M"


@BLUEPRINT.get("/<ticket_id>/go-live")
def go_live(ticket_id: str) -> ResponseReturnValue:
    """Ask when the change went live, and how that is known."""
    page = _page_to_change(ticket_id)
    return _go_live_form(page, {"t0": page.ticket.t0.strftime(_BROWSER_INSTANT)}, refusals.NONE)


@BLUEPRINT.post("/<ticket_id>/go-live")
def correct_go_live(ticket_id: str) -> ResponseReturnValue:
    """Take the go-live that a person vouches for; it goes before all that the source says."""
    page = _page_to_change(ticket_id)
    try:
        found = confirm_go_live(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            ticket_id=page.ticket.id,
            t0=_t0(request.form, page),
            reason=request.form.get("reason", ""),
        )
    except REFUSED as error:
        return _go_live_form(page, request.form, refusal(error))
    flash(f"The go-live of {found.label} is confirmed. Its clocks run from there.", "done")
    return _back(found.id)


@BLUEPRINT.get("/<ticket_id>/sops")
def sops(ticket_id: str) -> ResponseReturnValue:
    """Ask which SOPs the change makes wrong."""
    visitor.actor().require_anywhere(Action.WRITE_TICKETS)
    return _sops_form(_page(ticket_id), {"sops": fields.text(request.args, "sops")}, refusals.NONE)


@BLUEPRINT.post("/<ticket_id>/sops")
def name(ticket_id: str) -> ResponseReturnValue:
    """Make SOPs obligations of the ticket."""
    page = _page(ticket_id)
    ticked = [one for one in request.form.getlist("proposed") if one]
    named = tuple(dict.fromkeys([*ticked, *fields.names(request.form, "sops")]))
    try:
        found = name_sops(
            visitor.stores(), actor=visitor.actor(), now=visitor.now(), ticket_id=page.ticket.id, sop_ids=named
        )
    except REFUSED as error:
        return _sops_form(page, request.form, refusal(error), ticked=ticked)
    flash(f"{', '.join(one.upper() for one in named)} must reflect {found.label} within the window.", "done")
    return _back(found.id)


@BLUEPRINT.get("/<ticket_id>/obligations/<obligation_id>/not-needed")
def not_needed(ticket_id: str, obligation_id: str) -> ResponseReturnValue:
    """Ask why an obligation is not needed."""
    visitor.actor().require_anywhere(Action.PROPOSE_NOT_NEEDED)
    one = _obligation(ticket_id, obligation_id)
    if one.counted:
        require(visitor.actor(), Deed.PROPOSE_NOT_NEEDED, one.place)
    return _not_needed_form(one, {}, refusals.NONE)


@BLUEPRINT.post("/<ticket_id>/obligations/<obligation_id>/not-needed")
def propose(ticket_id: str, obligation_id: str) -> ResponseReturnValue:
    """Propose that an obligation is not needed; the clock runs until a second person confirms it."""
    one = _obligation(ticket_id, obligation_id)
    try:
        propose_not_needed(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            obligation_id=one.id,
            reason=request.form.get("reason", ""),
        )
    except REFUSED as error:
        return _not_needed_form(one, request.form, refusal(error))
    flash("It is proposed. The clock runs on until a second person confirms it.", "done")
    return _back(one.ticket_id)


@BLUEPRINT.post("/<ticket_id>/obligations/<obligation_id>/confirm")
def confirm_not_needed(ticket_id: str, obligation_id: str) -> ResponseReturnValue:
    """Confirm, as a second person, that an obligation is not needed."""
    one = _obligation(ticket_id, obligation_id)
    decided = confirm(visitor.stores(), actor=visitor.actor(), now=visitor.now(), obligation_id=one.id)
    late = " It was confirmed after its window, so it counts as late." if decided.state == "late" else ""
    flash(f"{one.sop_id or 'The triage'} is confirmed as not needed.{late}", "done")
    return _back(one.ticket_id)


@BLUEPRINT.get("/<ticket_id>/obligations/<obligation_id>/decline")
def declining(ticket_id: str, obligation_id: str) -> ResponseReturnValue:
    """Ask why an obligation is needed after all."""
    visitor.actor().require_anywhere(Action.CONFIRM_NOT_NEEDED)
    one = _obligation(ticket_id, obligation_id)
    require_second_person(visitor.actor(), one, verb="decline")
    return _decline_form(one, {}, refusals.NONE)


@BLUEPRINT.post("/<ticket_id>/obligations/<obligation_id>/decline")
def decline(ticket_id: str, obligation_id: str) -> ResponseReturnValue:
    """Say no, as a second person, to the proposal that an obligation is not needed."""
    one = _obligation(ticket_id, obligation_id)
    try:
        decline_not_needed(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            obligation_id=one.id,
            reason=request.form.get("reason", ""),
        )
    except REFUSED as error:
        return _decline_form(one, request.form, refusal(error))
    flash(f"It is declined: {one.sop_id or 'the triage'} is open as before.", "done")
    return _back(one.ticket_id)


def _page(ticket_id: str) -> TicketPage:
    return ticket_page(visitor.stores(), actor=visitor.actor(), now=visitor.now(), ticket_id=ticket_id)


def _page_to_change(ticket_id: str) -> TicketPage:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    return ticket_page(
        stores,
        actor=actor,
        now=now,
        ticket_id=ticket_to_change(stores, actor=actor, now=now, ticket_id=ticket_id).id,
    )


def _obligation(ticket_id: str, obligation_id: str) -> ObligationView:
    one = get_obligation(visitor.stores(), actor=visitor.actor(), now=visitor.now(), obligation_id=obligation_id)
    if one.ticket_id != ticket_id:
        raise NotFoundError(f"{ticket_id} has no obligation {obligation_id}. Look at the ticket again.")
    return one


def _t0(form: Mapping[str, str], page: TicketPage) -> datetime:
    found = fields.instant(form, "t0")
    if found is None:
        raise InvalidInputError("Say when the change went live. Nothing was changed.", fields={"t0": "is missing"})
    # The browser's field has no seconds: whoever only gives the reason confirms the very instant that was shown.
    shown = page.ticket.t0.strftime(_BROWSER_INSTANT)
    return page.ticket.t0 if fields.text(form, "t0") == shown else found


def _go_live_form(page: TicketPage, typed: Mapping[str, str], refused: Refusal) -> ResponseReturnValue:
    shown = render_template(
        "tickets/go_live.html",
        ticket=page.ticket,
        typed=typed,
        refused=refused,
        t0_words=ticket_timeline.T0_WORDS,
    )
    return shown, refused.status


def _sops_form(
    page: TicketPage, typed: Mapping[str, str], refused: Refusal, ticked: list[str] | None = None
) -> ResponseReturnValue:
    shown = render_template(
        "tickets/sops.html", page=page, ticket=page.ticket, typed=typed, ticked=ticked or [], refused=refused
    )
    return shown, refused.status


def _not_needed_form(one: ObligationView, typed: Mapping[str, str], refused: Refusal) -> ResponseReturnValue:
    return render_template("tickets/not_needed.html", one=one, typed=typed, refused=refused), refused.status


def _decline_form(one: ObligationView, typed: Mapping[str, str], refused: Refusal) -> ResponseReturnValue:
    return render_template("tickets/decline.html", one=one, typed=typed, refused=refused), refused.status


def _back(ticket_id: str) -> ResponseReturnValue:
    return redirect(url_for("tickets.ticket", ticket_id=ticket_id), 303)
