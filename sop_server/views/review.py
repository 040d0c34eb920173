"""Drafts: which there are, what one of them changes, and the decision on it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.domain.permissions import Action
from sop_server.domain.signatures import Meaning
from sop_server.errors import ConflictError, InvalidInputError
from sop_server.services.accounts.signing import ways_to_sign
from sop_server.services.drafts import approving
from sop_server.services.drafts.draft_lists import get_draft, list_drafts
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import submit_draft, withdraw_draft
from sop_server.services.drafts.reviewing import review_of
from sop_server.services.library.comparing import sides
from sop_server.views import fields, signing, visitor, wording
from sop_server.views.change_views import ChangeView, switch
from sop_server.views.consequences import alone, consequences, standing_approvals
from sop_server.views.refusals import NONE, REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("review", __name__)

_WORDS = {
    DraftState.DRAFT: "Being written",
    DraftState.IN_REVIEW: "In review",
    DraftState.CHANGES_REQUESTED: "Changes requested",
    DraftState.APPROVED: "Approved",
    DraftState.PUBLISHED: "Published",
    DraftState.WITHDRAWN: "Withdrawn",
}
_OPEN = (DraftState.CHANGES_REQUESTED, DraftState.DRAFT, DraftState.IN_REVIEW, DraftState.APPROVED)


@BLUEPRINT.get("/drafts/")
def index() -> ResponseReturnValue:
    """List drafts: mine first, then the others by state."""
    actor, state = visitor.actor(), fields.choice(request.args, "state")
    page = list_drafts(
        visitor.stores(),
        actor=actor,
        now=visitor.now(),
        states=[state] if state else _OPEN,
        cursor=fields.choice(request.args, "cursor"),
    )
    mine = [one for one in page.items if actor.email in {one.author, *one.authors}]
    others = [(name, [one for one in page.items if one.state == name and one not in mine]) for name in DraftState]
    return render_template(
        "drafts/index.html",
        mine=mine,
        others=[(name, found) for name, found in others if found],
        states=[(name, _WORDS[name]) for name in DraftState],
        words=_WORDS,
        together=actor.may_anywhere(Action.DECIDE)
        and any(one.hand_over and one.state == DraftState.IN_REVIEW for one in page.items),
        state=state,
        following=page.next and url_for(".index", state=state, cursor=page.next),
        earlier="cursor" in request.args and url_for(".index", state=state),
    )


@BLUEPRINT.get("/drafts/<draft_id>")
def draft(draft_id: str) -> ResponseReturnValue:
    """Show what a draft changes, who decided what, and what approving it does."""
    return page(draft_id)


@BLUEPRINT.post("/drafts/<draft_id>/submit")
def submit(draft_id: str) -> ResponseReturnValue:
    """Ask for approval."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    try:
        submit_draft(stores, actor=actor, draft_id=draft_id, now=now)
    except (InvalidInputError, ConflictError) as error:
        return page(draft_id, refusal(error))
    asked = review_of(stores, actor=actor, draft_id=draft_id, now=now).approvers
    flash(f"Submitted. Asked to approve: {', '.join(asked) or 'nobody yet; an administrator has to name one'}.", "done")
    return _to(draft_id)


@BLUEPRINT.post("/drafts/<draft_id>/withdraw")
def withdraw(draft_id: str) -> ResponseReturnValue:
    """Give a draft up."""
    try:
        withdraw_draft(visitor.stores(), actor=visitor.actor(), draft_id=draft_id, now=visitor.now())
    except ConflictError as error:
        return page(draft_id, refusal(error))
    flash("Withdrawn. Its text stays here.", "done")
    return _to(draft_id)


@BLUEPRINT.post("/drafts/<draft_id>/approve")
def approve(draft_id: str) -> ResponseReturnValue:
    """Approve the text that the page showed; another one is shown instead of being approved."""
    try:
        done = approving.approve(
            visitor.stores(),
            actor=visitor.actor(),
            draft_id=draft_id,
            content_hash=request.form.get("content_hash", ""),
            now=visitor.now(),
            effective_from=fields.instant(request.form, "effective_from"),
            comment=request.form.get("comment", ""),
            attempt=signing.attempt(),
        )
    except REFUSED as error:
        return page(draft_id, refusal(error))
    if done.revision is None:
        flash("Approved. Another approval is needed before it comes into force.", "done")
        return _to(draft_id)
    approved = get_draft(visitor.stores(), actor=visitor.actor(), draft_id=draft_id, now=visitor.now())
    flash(f"Approved: {_begins(done, approved)}.", "done")
    return redirect(url_for("library.sop", sop_id=done.sop_id), 303) if done.in_force else _to(draft_id)


@BLUEPRINT.post("/drafts/<draft_id>/request-changes")
def request_changes(draft_id: str) -> ResponseReturnValue:
    """Send a draft back with what has to change."""
    try:
        approving.request_changes(
            visitor.stores(),
            actor=visitor.actor(),
            draft_id=draft_id,
            comment=request.form.get("comment", ""),
            now=visitor.now(),
            content_hash=request.form.get("content_hash"),
        )
    except (InvalidInputError, ConflictError) as error:
        return page(draft_id, refusal(error))
    flash("Sent back. The author sees what you ask for.", "done")
    return _to(draft_id)


def _begins(done: approving.Approved, draft: DraftView) -> str:
    retires = draft.kind == DraftKind.RETIRE
    if done.in_force:
        return f"{done.sop_id} is retired now" if retires else f"r{done.revision} is in force now"
    when = wording.from_now(done.effective_from, now=visitor.now())
    return f"{done.sop_id} is retired {when}" if retires else f"r{done.revision} is coming {when}"


def _to(draft_id: str) -> Response:
    return redirect(url_for(".draft", draft_id=draft_id), 303)


def page(draft_id: str, refused: Refusal = NONE) -> ResponseReturnValue:
    """Return the page of a draft, with what was refused of a decision on it."""
    found = review_of(visitor.stores(), actor=visitor.actor(), draft_id=draft_id, now=visitor.now())
    chosen = ChangeView.of(request.args.get("view"))
    signs = found.signature is not None and (found.may_decide or found.may_break_glass)
    told = render_template(
        "drafts/review.html",
        review=found,
        draft=found.draft,
        chosen=chosen,
        switch=switch(chosen, lambda view: url_for("review.draft", draft_id=draft_id, view=view)),
        pairs=sides(found.lines) if chosen is ChangeView.SIDES else [],
        consequences=consequences(found, now=visitor.now()),
        approved_by=standing_approvals(found.draft),
        alone=alone(found),
        declares=Meaning.BREAK_GLASS,
        ways=ways_to_sign(visitor.stores(), actor=visitor.actor(), now=visitor.now()) if signs else None,
        refused=refused,
        typed=request.form,
    )
    return told, refused.status
