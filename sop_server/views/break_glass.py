"""Break-glass on pages: publishing alone in an emergency, and what a second person says of it."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from sop_server.services.drafts import breaking_glass, glass_answers
from sop_server.views import history, review, signing, visitor
from sop_server.views.refusals import REFUSED, refusal

BLUEPRINT = Blueprint("break_glass", __name__)


@BLUEPRINT.post("/drafts/<draft_id>/break-glass")
def publish_alone(draft_id: str) -> ResponseReturnValue:
    """Publish the text that the page showed, alone and at once; another one is shown instead."""
    try:
        done = breaking_glass.break_glass(
            visitor.stores(),
            actor=visitor.actor(),
            draft_id=draft_id,
            content_hash=request.form.get("content_hash", ""),
            reason=request.form.get("reason", ""),
            now=visitor.now(),
            attempt=signing.attempt(),
        )
    except REFUSED as error:
        return review.page(draft_id, refusal(error))
    flash(
        f"r{done.revision} is in force now, without an approval. A second person has to confirm it by "
        f"{done.confirm_by:%d %B, %H:%M} UTC; until then everybody is told.",
        "note",
    )
    return redirect(url_for("library.sop", sop_id=done.sop_id), 303)


@BLUEPRINT.post("/sops/<sop_id>/revisions/<int:number>/confirm")
def confirm(sop_id: str, number: int) -> ResponseReturnValue:
    """Confirm, as a second person, what one published alone."""
    try:
        glass_answers.confirm_revision(
            visitor.stores(),
            actor=visitor.actor(),
            sop_id=sop_id,
            number=number,
            now=visitor.now(),
            attempt=signing.attempt(),
        )
    except REFUSED as error:
        return history.page(sop_id, number, refusal(error))
    flash(f"Confirmed. r{number} stays in force, with your name beside it.", "done")
    return _to(sop_id, number)


@BLUEPRINT.post("/sops/<sop_id>/revisions/<int:number>/object")
def object_to(sop_id: str, number: int) -> ResponseReturnValue:
    """Object, as a second person and with a reason."""
    try:
        found = glass_answers.object_to_revision(
            visitor.stores(),
            actor=visitor.actor(),
            sop_id=sop_id,
            number=number,
            reason=request.form.get("reason", ""),
            now=visitor.now(),
        )
    except REFUSED as error:
        return history.page(sop_id, number, refusal(error))
    opened = found.break_glass.draft_id if found.break_glass is not None else None
    if opened is None:
        flash("Your objection is kept. There is nothing in force that would have to be taken back.", "done")
        return _to(sop_id, number)
    flash(f"Your objection is kept. This draft takes r{number} back; somebody else decides on it.", "done")
    return redirect(url_for("review.draft", draft_id=opened), 303)


def _to(sop_id: str, number: int) -> Response:
    return redirect(url_for("history.revision", sop_id=sop_id, number=number), 303)
