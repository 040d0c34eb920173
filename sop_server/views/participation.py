"""What readers and owners do with a SOP in force: acknowledge it, report a problem, review it."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.facts import FeedbackKind
from sop_server.domain.permissions import Action
from sop_server.errors import ConflictError, InvalidInputError
from sop_server.services.library.reading import get_sop
from sop_server.services.library.sop_views import SopPage
from sop_server.services.participation import acknowledgements, reviews
from sop_server.services.participation.feedback import give_feedback
from sop_server.services.participation.reader_home import set_pinned
from sop_server.services.participation.review_decisions import decide_review
from sop_server.views import fields, sop_actions, visitor

BLUEPRINT = Blueprint("participation", __name__)

_SAID = {
    "confirmed": "Confirmed. The next review is due {days} days from today.",
    "needs_revision": "Noted: it needs a revision. Nothing is renewed; its owner is asked for a draft.",
}


@BLUEPRINT.post("/sops/<sop_id>/acknowledgements")
def acknowledge(sop_id: str) -> ResponseReturnValue:
    """Keep that the person read and understood the revision in force."""
    revision = fields.number(request.form, "revision")
    try:
        said = acknowledgements.acknowledge(
            visitor.stores(), actor=visitor.actor(), now=visitor.now(), sop_id=sop_id, revision=revision or 0
        )
    except ConflictError as error:
        flash(error.message, "error")
    else:
        flash(f"Kept: you have read and understood r{said.revision}.", "done")
    return sop_actions.to_sop(sop_id)


@BLUEPRINT.post("/sops/<sop_id>/pin")
def pin(sop_id: str) -> ResponseReturnValue:
    """Keep a SOP at hand on the first page, or no longer."""
    pinned = bool(request.form.get("pinned"))
    set_pinned(visitor.stores(), actor=visitor.actor(), sop_id=sop_id, pinned=pinned, now=visitor.now())
    flash("It is on your first page now." if pinned else "It is not on your first page any more.", "done")
    return sop_actions.to_sop(sop_id)


@BLUEPRINT.get("/sops/<sop_id>/feedback")
def feedback(sop_id: str) -> ResponseReturnValue:
    """Ask what is wrong."""
    page = _page(sop_id)
    visitor.actor().require(Action.REPORT, page.summary.department)
    return _feedback_form(page, {"kind": request.args.get("kind", "")})


@BLUEPRINT.post("/sops/<sop_id>/feedback")
def report(sop_id: str) -> ResponseReturnValue:
    """Keep a report; what was typed stays in the form where it cannot be used."""
    try:
        give_feedback(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            sop_id=sop_id,
            kind=fields.text(request.form, "kind"),
            what_happened=request.form.get("what_happened", ""),
            what_was_done=request.form.get("what_was_done", ""),
            case_reference=fields.text(request.form, "case_reference"),
        )
    except InvalidInputError as error:
        return _feedback_form(_page(sop_id), request.form, error), 422
    flash("Thank you, it is with the owner. It is decided on within 7 days.", "done")
    return sop_actions.to_sop(sop_id)


@BLUEPRINT.get("/sops/<sop_id>/review")
def review(sop_id: str) -> ResponseReturnValue:
    """Ask whether the SOP still describes what is done."""
    page = _page(sop_id)
    visitor.actor().require(Action.REVIEW, page.summary.department)
    return _review_form(page, {})


@BLUEPRINT.post("/sops/<sop_id>/reviews")
def decide(sop_id: str) -> ResponseReturnValue:
    """Keep the decision; one that says *retire* opens the draft that does it."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    try:
        decided = decide_review(
            stores,
            actor=actor,
            now=now,
            sop_id=sop_id,
            outcome=fields.text(request.form, "outcome"),
            note=request.form.get("note", ""),
        )
    except InvalidInputError as error:
        return _review_form(_page(sop_id), request.form, error), 422
    if decided.draft_id is not None:
        flash("Noted. This draft retires the SOP once it is submitted and approved.", "done")
        return redirect(url_for("review.draft", draft_id=decided.draft_id), 303)
    page = get_sop(stores, actor=actor, sop_id=sop_id, now=now)
    flash(_SAID[decided.review.outcome].format(days=(page.next_review_at - now).days), "done")
    return sop_actions.to_sop(sop_id)


def _page(sop_id: str) -> SopPage:
    return get_sop(visitor.stores(), actor=visitor.actor(), sop_id=sop_id, now=visitor.now())


def _feedback_form(page: SopPage, typed: Mapping[str, str], error: InvalidInputError | None = None) -> str:
    return render_template("sops/feedback.html", sop=page.summary, typed=typed, error=error, kinds=list(FeedbackKind))


def _review_form(page: SopPage, typed: Mapping[str, str], error: InvalidInputError | None = None) -> str:
    found = reviews.list_reviews(visitor.stores(), actor=visitor.actor(), now=visitor.now(), sop_id=page.summary.sop_id)
    return render_template("sops/review.html", page=page, sop=page.summary, typed=typed, error=error, reviews=found)
