"""The hand-overs that wait for an approver, a line each, approved together."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.services.leaving.approving_together import IN_A_PART, approve_together, waiting_hand_overs
from sop_server.views import departments, visitor

BLUEPRINT = Blueprint("hand_overs", __name__)

_MOST_TOLD = 5


@BLUEPRINT.get("/drafts/hand-overs")
def index() -> ResponseReturnValue:
    """Show what waits, by who left."""
    return render_template(
        "drafts/hand_overs.html",
        found=waiting_hand_overs(visitor.stores(), actor=visitor.actor(), now=visitor.now()),
        part=IN_A_PART,
        departments=departments.named(),
    )


@BLUEPRINT.post("/drafts/hand-overs")
def approve() -> ResponseReturnValue:
    """Approve the lines that are ticked, each with the hash of the text that it stands for."""
    chosen = [(draft_id, content_hash) for draft_id, _, content_hash in map(_parts, request.form.getlist("line"))]
    done = approve_together(visitor.stores(), actor=visitor.actor(), now=visitor.now(), chosen=chosen)
    if done.approved:
        flash(f"Approved: {len(done.approved)} of {len(chosen)} hand-overs.", "done")
    if not chosen:
        flash("Nothing was ticked, so nothing was approved.", "note")
    for draft_id, why in done.failed[:_MOST_TOLD]:
        flash(f"{draft_id} was not approved: {why}", "error")
    if len(done.failed) > _MOST_TOLD:
        flash(f"{len(done.failed) - _MOST_TOLD} more were not approved; they still stand below.", "error")
    return redirect(url_for(".index"), 303)


def _parts(line: str) -> tuple[str, str, str]:
    return line.partition(" ")
