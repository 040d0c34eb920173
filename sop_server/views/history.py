"""The history of a SOP: its revisions, one of them, and what changed between two."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sop_server.domain.permissions import Action
from sop_server.services.accounts.signing import ways_to_sign
from sop_server.services.drafts.glass_answers import answering_of
from sop_server.services.library.comparing import sides
from sop_server.services.library.reading import compare as compare_revisions
from sop_server.services.library.reading import deviations_of, get_revision, list_revisions
from sop_server.views import fields, visitor
from sop_server.views.addresses import comparison
from sop_server.views.change_views import ChangeView, switch
from sop_server.views.refusals import NONE, Refusal

BLUEPRINT = Blueprint("history", __name__)


@BLUEPRINT.get("/sops/<sop_id>/revisions")
def revisions(sop_id: str) -> ResponseReturnValue:
    """List all revisions, the newest first."""
    found = list_revisions(visitor.stores(), actor=visitor.actor(), sop_id=sop_id, now=visitor.now())
    return render_template("sops/history.html", sop_id=sop_id, title=found[0].title, history=found)


@BLUEPRINT.get("/sops/<sop_id>/revisions/<int:number>")
def revision(sop_id: str, number: int) -> ResponseReturnValue:
    """Show one revision, which says across itself where it is not in force."""
    return page(sop_id, number)


def page(sop_id: str, number: int, refused: Refusal = NONE) -> ResponseReturnValue:
    """Return the page of one revision, with what was refused of an answer to it."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    shown = get_revision(stores, actor=actor, sop_id=sop_id, number=number, now=now)
    history = list_revisions(stores, actor=actor, sop_id=sop_id, now=now)
    serving = next((one for one in history if one.state == "in_force"), None)
    answering = answering_of(stores, actor=actor, sop_id=sop_id, number=number, now=now) if shown.break_glass else None
    told = render_template(
        "sops/revision.html",
        shown=shown,
        serving=serving,
        deviations=deviations_of(stores, actor=actor, sop_id=sop_id, now=now) if shown.state == "in_force" else (),
        answering=answering,
        ways=ways_to_sign(stores, actor=actor, now=now) if answering and answering.signature else None,
        refused=refused,
        typed=request.form,
        may_bring_back=serving is not None
        and number < serving.revision
        and shown.kind == "edit"
        and actor.may_anywhere(Action.DRAFT),
    )
    return told, refused.status


@BLUEPRINT.get("/sops/<sop_id>/diff")
def compare(sop_id: str) -> ResponseReturnValue:
    """Show what changed from one revision to another: as it is read, or line by line."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    history = list_revisions(stores, actor=actor, sop_id=sop_id, now=now)
    after = fields.number(request.args, "to") or history[0].revision
    before = fields.number(request.args, "from") or max(1, after - 1)
    found = compare_revisions(stores, actor=actor, sop_id=sop_id, before=before, after=after, now=now)
    chosen = ChangeView.of(request.args.get("view"))
    return render_template(
        "sops/compare.html",
        found=found,
        history=history,
        chosen=chosen,
        switch=switch(chosen, lambda view: comparison(sop_id, before, after, view=view)),
        pairs=sides(found.lines) if chosen is ChangeView.SIDES else [],
    )
