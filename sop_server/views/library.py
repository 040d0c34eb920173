"""The library, and one SOP as it is in force."""

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.identifiers import normalise_sop_id, parse_sop_id
from sop_server.domain.permissions import Action
from sop_server.errors import GoneError, NotYetError
from sop_server.services.library.reading import count_by_department, list_revisions, list_sops
from sop_server.services.library.surrounding import names
from sop_server.services.paging import DEFAULT_LIMIT
from sop_server.services.participation.reader_page import open_sop
from sop_server.views import departments, fields, page_tag, sop_actions, visitor
from sop_server.views.unread import unread

BLUEPRINT = Blueprint("library", __name__)


@BLUEPRINT.get("/sops/")
def index() -> ResponseReturnValue:
    """List what is in force, by id, now or at an instant."""
    department, at = fields.choice(request.args, "department"), fields.instant(request.args, "at")
    page = list_sops(
        visitor.stores(),
        actor=visitor.actor(),
        now=visitor.now(),
        at=at,
        department=department,
        limit=fields.number(request.args, "limit") or DEFAULT_LIMIT,
        cursor=fields.choice(request.args, "cursor"),
    )
    counts = count_by_department(visitor.stores(), actor=visitor.actor(), now=visitor.now(), at=at)
    return render_template(
        "sops/index.html",
        sops=page.items,
        total=counts.get(department, 0) if department else sum(counts.values()),
        following=page.next
        and url_for(".index", department=department, at=_kept(at), limit=request.args.get("limit"), cursor=page.next),
        earlier="cursor" in request.args and url_for(".index", department=department, at=_kept(at)),
        owners=names(visitor.stores(), emails=[one.owner for one in page.items]),
        department=department,
        at=at,
        department_names=departments.named(),
        row=departments.row(at=_kept(at)),
    )


@BLUEPRINT.get("/sops/<sop_id>")
def sop(sop_id: str) -> ResponseReturnValue:
    """Show one SOP with all that stands around it."""
    if parse_sop_id(sop_id) is None and (canonical := normalise_sop_id(sop_id)) is not None:
        return sop_actions.to_sop(canonical)
    stores, actor, now, at = visitor.stores(), visitor.actor(), visitor.now(), fields.instant(request.args, "at")
    try:
        found = open_sop(stores, actor=actor, sop_id=sop_id, now=now, at=at)
    except NotYetError as error:
        return redirect(url_for("history.revision", sop_id=sop_id, number=error.revision), 303)
    except GoneError as error:
        history = list_revisions(stores, actor=actor, sop_id=sop_id, now=now)
        return render_template("sops/retired.html", sop_id=sop_id, message=error.message, history=history), 410
    page, summary, history = found.page, found.page.summary, found.history
    row = departments.row()
    same = page_tag.unchanged(
        summary,
        page.unreflected,
        page.break_glass,
        page.coming,
        page.next_review_at,
        page.last_review,
        page.html,
        found.around,
        found.drafts,
        found.reading,
        sorted(found.people.items()),
        found.stand_in,
        found.pinned,
        found.owner_away,
        found.deputy_away,
        len(history),
        row,
    )
    if same is not None:
        return same
    return render_template(
        "sops/sop.html",
        page=page,
        sop=summary,
        past=at,
        around=found.around,
        drafts=found.drafts,
        history=history,
        answered=sop_actions.answered(history),
        people=found.people,
        stand_in=found.stand_in,
        owner_away=found.owner_away,
        deputy_away=found.deputy_away,
        current=next((one.revision for one in history if one.state == "in_force"), None),
        unread_box=unread(actor, summary, found.reading, history),
        actions=sop_actions.actions(actor, page, found.drafts, past=at, pinned=found.pinned),
        may_report=actor.may(Action.REPORT, summary.department),
        may_review=actor.may(Action.REVIEW, summary.department),
        can_see_tickets=actor.may_anywhere(Action.SEE_REPORTS),
        row=row,
    )


def _kept(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
