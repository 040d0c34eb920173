"""What a person can do with a ticket: at the top right of its page, the likeliest first."""

from dataclasses import dataclass

from flask import request, url_for

from sop_server.domain.permissions import Action, Actor
from sop_server.services.changes.ticket_pages import TicketPage

Item = dict[str, object]

_CLOSED = frozenset({"published", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Actions:
    """The buttons of the page, and what stands behind the three dots."""

    items: list[Item]
    menu: list[Item]


def actions(actor: Actor, page: TicketPage) -> Actions:
    """Return what the person can do: write what the change asks for, say which SOPs, correct what is said of it."""
    ticket = page.ticket
    name_sops: Item = {"label": "Name SOPs", "href": url_for("ticket_decisions.sops", ticket_id=ticket.id)}
    correct: Item = {"label": "Correct go-live", "href": url_for("ticket_decisions.go_live", ticket_id=ticket.id)}
    edit: Item = {"label": "Edit", "href": url_for("tickets.edit", ticket_id=ticket.id), "icon": "write"}
    items = _next_draft(actor, page)
    if page.may_name and any(one.open and one.sop_id is None for one in ticket.obligations):
        items.insert(0, name_sops)
    elif page.may_name:
        items.append(name_sops)
    if not page.may_change:
        return Actions(items, [])
    return Actions([*items, correct], [edit])


def _next_draft(actor: Actor, page: TicketPage) -> list[Item]:
    """Return the draft to go on with, or to begin, for the obligation that is due first."""
    drafts = page.drafts or {}
    for one in sorted(page.ticket.obligations, key=lambda one: one.due_at):
        if not one.open or one.sop_id is None:
            continue
        written = [draft for draft in drafts.get(one.sop_id, ()) if draft.state not in _CLOSED]
        if written:
            address = f"{request.script_root}/drafts/{written[-1].id}"
            return [{"label": f"Open {written[-1].id}", "href": address}]
        if actor.may(Action.DRAFT, one.department):
            address = f"{request.script_root}/sops/{one.sop_id}/edit?tickets={page.ticket.id}"
            return [{"label": f"Draft {one.sop_id}", "href": address}]
    return []
