"""What readers report: what waits for a decision first, and what became of the rest."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.facts import FeedbackKind
from sop_server.domain.permissions import Action
from sop_server.services.paging import MAX_LIMIT
from sop_server.services.participation.feedback import FeedbackView, get_feedback, list_feedback, triage_feedback
from sop_server.views import fields, refusals, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("feedback", __name__, url_prefix="/feedback")

KINDS = {kind.value: kind.value.replace("_", " ").replace("ai ", "AI ") for kind in FeedbackKind}
OUTCOMES = (
    ("sop_change", "Change the SOP", "What was reported is so. The next step is a draft."),
    ("ai_tuning", "Refer it to AI tuning", "The SOP is right; the AI did not follow it or did not cover the case."),
    ("rejected", "Reject it", "Nothing has to change. The reason goes to whoever reported it."),
)
OUTCOME_WORDS = {"sop_change": "The SOP is changed", "ai_tuning": "Referred to AI tuning", "rejected": "Rejected"}


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """List what waits for a decision, the one due first at the top, then what was decided."""
    chosen: dict[str, Any] = {name: fields.choice(request.args, name) for name in ("kind", "triaged", "sop")}
    cursor = fields.choice(request.args, "cursor")
    asked = {
        "stores": visitor.stores(),
        "actor": visitor.actor(),
        "now": visitor.now(),
        "kind": chosen["kind"],
        "sop_id": chosen["sop"],
    }
    waiting: tuple[FeedbackView, ...] = ()
    decided = None
    if chosen["triaged"] != "yes" and cursor is None:
        waiting = list_feedback(**asked, triaged=False, limit=MAX_LIMIT).items
    if chosen["triaged"] != "no":
        decided = list_feedback(**asked, triaged=True, cursor=cursor)
    return render_template(
        "feedback/index.html",
        to_triage=sorted(waiting, key=lambda one: one.triage_due_at),
        decided=decided,
        chosen=chosen,
        kinds=KINDS,
        outcomes=OUTCOME_WORDS,
        sees_all=visitor.actor().may_anywhere(Action.SEE_REPORTS),
        following=decided and decided.next and url_for(".index", **chosen, cursor=decided.next),
        earlier=cursor is not None and url_for(".index", **chosen),
    )


@BLUEPRINT.get("/<feedback_id>")
def report(feedback_id: str) -> ResponseReturnValue:
    """Show one report, and ask those who may for the decision."""
    return _page(_known(feedback_id), {}, refusals.NONE)


@BLUEPRINT.post("/<feedback_id>/triage")
def triage(feedback_id: str) -> ResponseReturnValue:
    """Keep the decision; it is made once."""
    try:
        decided = triage_feedback(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            feedback_id=feedback_id,
            outcome=fields.text(request.form, "outcome"),
            reason=request.form.get("reason", ""),
        )
    except REFUSED as error:
        return _page(_known(feedback_id), request.form, refusal(error))
    flash(f"{decided.id} is decided. {OUTCOME_WORDS[decided.outcome or '']}.", "done")
    if decided.outcome == "sop_change":
        return redirect(url_for(".report", feedback_id=feedback_id), 303)
    return redirect(url_for(".index"), 303)


def _known(feedback_id: str) -> FeedbackView:
    return get_feedback(visitor.stores(), actor=visitor.actor(), now=visitor.now(), feedback_id=feedback_id)


def _page(one: FeedbackView, typed: Mapping[str, str], refused: Refusal) -> ResponseReturnValue:
    actor = visitor.actor()
    may_triage = actor.may_anywhere(Action.TRIAGE) if one.sop_id is None else actor.may(Action.TRIAGE, one.department)
    page = render_template(
        "feedback/report.html",
        one=one,
        typed=typed,
        refused=refused,
        kinds=KINDS,
        choices_of_outcome=OUTCOMES,
        outcomes=OUTCOME_WORDS,
        may_triage=may_triage,
        may_draft=actor.may(Action.DRAFT, one.department),
    )
    return page, refused.status
