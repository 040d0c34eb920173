"""What a person can do with a SOP: at the top right of its page, the likeliest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import redirect, url_for
from werkzeug.wrappers import Response

from sop_server.domain import identifiers
from sop_server.domain.permissions import Action, Actor
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.library.sop_views import RevisionView, SopPage
from sop_server.views.addresses import comparison

Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class Actions:
    """The buttons of a page, and what stands behind the three dots."""

    items: list[Item]
    menu: list[Item]


@dataclass(frozen=True, slots=True)
class Answered:
    """A ticket that a revision answered."""

    ticket_id: str
    label: str
    revision: int
    at: datetime


def to_sop(sop_id: str) -> Response:
    """Go to the page of a SOP."""
    return redirect(url_for("library.sop", sop_id=sop_id), 303)


def actions(
    actor: Actor, page: SopPage, drafts: Sequence[DraftView], *, past: datetime | None, pinned: bool
) -> Actions:
    """Return what the person can do with the SOP that the page shows; on a past instant only look."""
    sop = page.summary
    look: list[Item] = [
        {"label": "History", "href": url_for("history.revisions", sop_id=sop.sop_id), "icon": "history"},
        {"label": "Deviations", "href": url_for("deviations.index", sop=sop.sop_id), "icon": "flag"},
        {
            "label": f"Copy link to r{sop.revision}",
            "copy": url_for("history.revision", sop_id=sop.sop_id, number=sop.revision, _external=True),
        },
        {
            "label": "Keep at hand no longer" if pinned else "Keep at hand",
            "post": _to("pin", sop.sop_id),
            "fields": {"pinned": "" if pinned else "yes"},
            "icon": "pin",
        },
        {"label": "Print", "print": True},
    ]
    if sop.revision > 1:
        compare = comparison(sop.sop_id, sop.revision - 1, sop.revision)
        look.insert(0, {"label": "Compare revisions", "href": compare, "icon": "compare"})
    if past is not None:
        return Actions([{"label": "Back to now", "href": url_for("library.sop", sop_id=sop.sop_id)}], look)
    items: list[Item] = []
    if actor.may(Action.DRAFT, sop.department):
        items.append(_writing(actor, sop.sop_id, drafts))
    if actor.may(Action.REPORT, sop.department):
        # Who writes mends what is wrong; the others, and the foot of the text, offer to report it.
        (look if items else items).append(
            {"label": "Report a problem", "href": _to("feedback", sop.sop_id), "icon": "flag"}
        )
    if actor.may(Action.REVIEW, sop.department):
        look.append({"label": "Review", "href": _to("review", sop.sop_id), "icon": "check"})
    if actor.may(Action.PROPOSE_DEVIATION, sop.department):
        deviate = url_for("deviations.new", sop_id=sop.sop_id)
        look.append({"label": "Propose a deviation", "href": deviate, "icon": "flag"})
    if actor.may(Action.DRAFT, sop.department):
        look.append({"label": "Retire", "href": url_for("taking_back.retire", sop_id=sop.sop_id), "icon": "archive"})
    return Actions(items, look)


def answered(history: Sequence[RevisionView]) -> list[Answered]:
    """Return the tickets that the revisions reference, the newest first; each under the first that did."""
    found: dict[str, Answered] = {}
    for one in reversed(history):
        for ticket in one.tickets:
            name = identifiers.ticket_id(ticket.id)
            found.setdefault(name, Answered(name, ticket.label, one.revision, one.effective_from))
    return list(found.values())[::-1]


def _writing(actor: Actor, sop_id: str, drafts: Sequence[DraftView]) -> Item:
    mine = next((one for one in drafts if one.author == actor.email and one.kind == "edit"), None)
    if mine is not None:
        return {"label": "Continue my draft", "href": url_for("writing.draft", draft_id=mine.id), "icon": "write"}
    return {"label": "Edit", "href": url_for("writing.edit", sop_id=sop_id), "icon": "write"}


def _to(what: str, sop_id: str) -> str:
    return url_for(f"participation.{what}", sop_id=sop_id)
