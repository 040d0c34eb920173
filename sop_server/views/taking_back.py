"""Taking back: a SOP that nobody needs any more, or a revision that was a mistake. Both are drafts like any other."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.drafts import DraftKind
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.drafts.drafting import create_draft
from sop_server.services.library.reading import get_revision, get_sop
from sop_server.services.library.sop_views import SopSummary
from sop_server.views import draft_form, fields, visitor
from sop_server.views.draft_form import Typed
from sop_server.views.refusals import NONE, Refusal, refusal

BLUEPRINT = Blueprint("taking_back", __name__)


@BLUEPRINT.get("/sops/<sop_id>/retire")
def retire(sop_id: str) -> ResponseReturnValue:
    """Ask why nobody needs it any more."""
    sop = _writable(sop_id)
    return _form(sop, Typed(content=None, significance="major"), back_to=None)


@BLUEPRINT.post("/sops/<sop_id>/retire")
def begin_retirement(sop_id: str) -> ResponseReturnValue:
    """Open the draft that retires it."""
    sop, typed = _writable(sop_id), draft_form.typed(request.form)
    try:
        draft = create_draft(
            visitor.stores(),
            actor=visitor.actor(),
            given=typed.given(now=visitor.now()),
            now=visitor.now(),
            sop_id=sop_id,
            kind=DraftKind.RETIRE,
        )
    except InvalidInputError as error:
        return _form(sop, typed, back_to=None, refused=refusal(error))
    flash("This draft retires the SOP once it is submitted and approved. Until then nothing changes.", "done")
    return redirect(url_for("review.draft", draft_id=draft.id), 303)


@BLUEPRINT.get("/sops/<sop_id>/undo")
def undo(sop_id: str) -> ResponseReturnValue:
    """Ask why an earlier revision is to come back."""
    sop, number = _writable(sop_id), fields.number(request.args, "revision") or 0
    earlier = get_revision(visitor.stores(), actor=visitor.actor(), sop_id=sop_id, number=number, now=visitor.now())
    typed = Typed(content=None, change_summary=f"Back to what r{number} said: ", significance="major")
    return _form(sop, typed, back_to=earlier.revision)


@BLUEPRINT.post("/sops/<sop_id>/undo")
def begin_undo(sop_id: str) -> ResponseReturnValue:
    """Open the draft that takes back what came after an earlier revision."""
    sop, number = _writable(sop_id), fields.number(request.form, "revision") or 0
    typed = draft_form.typed(request.form)
    try:
        draft = create_draft(
            visitor.stores(),
            actor=visitor.actor(),
            given=typed.given(now=visitor.now()),
            now=visitor.now(),
            sop_id=sop_id,
            # What is taken back begins with the revision after the one that comes back.
            reverts=number + 1,
        )
    except InvalidInputError as error:
        return _form(sop, typed, back_to=number, refused=refusal(error))
    flash(f"The draft has the text of r{number}. Look at it, then submit it.", "done")
    return redirect(url_for("review.draft", draft_id=draft.id), 303)


def _writable(sop_id: str) -> SopSummary:
    sop = get_sop(visitor.stores(), actor=visitor.actor(), sop_id=sop_id, now=visitor.now()).summary
    visitor.actor().require(Action.DRAFT, sop.department)
    return sop


def _form(sop: SopSummary, typed: Typed, *, back_to: int | None, refused: Refusal = NONE) -> ResponseReturnValue:
    page = render_template("drafts/taking_back.html", sop=sop, typed=typed, back_to=back_to, refused=refused)
    return page, refused.status
