"""Writing: a new SOP, or a draft on one that is in force."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.drafts import EDITABLE
from sop_server.domain.permissions import Action
from sop_server.errors import BusyError, ConflictError, DamagedError, GoneError, SopError, StaleEditError
from sop_server.services.changes.obligations import open_obligations
from sop_server.services.drafts.draft_lists import get_draft, list_drafts
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import create_draft, edit_draft, submit_draft
from sop_server.services.drafts.previewing import Preview
from sop_server.services.drafts.previewing import preview as preview_of
from sop_server.services.drafts.reviewing import review_of
from sop_server.services.library.reading import get_sop
from sop_server.services.participation.acknowledgements import audience_size
from sop_server.views import draft_form, fields, visitor
from sop_server.views.draft_form import Typed
from sop_server.views.refusals import NONE, REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("writing", __name__)

_KEPT = (*REFUSED, GoneError, BusyError, DamagedError)
"""Whatever the server says of a text, it stands in the form again."""

_STATUSES: Mapping[type[SopError], int] = {GoneError: 410, BusyError: 503, DamagedError: 500}


@BLUEPRINT.get("/sops/new")
def new() -> ResponseReturnValue:
    """Begin a new SOP with a text that shows how one is written."""
    visitor.actor().require_anywhere(Action.DRAFT)
    typed = draft_form.of_new(
        visitor.actor(),
        title=fields.text(request.args, "title"),
        department=fields.text(request.args, "department"),
        process=fields.text(request.args, "process"),
        tickets=_named_tickets(),
    )
    return _editor(typed)


@BLUEPRINT.post("/sops/new")
def create() -> ResponseReturnValue:
    """Keep the first state of a new SOP."""
    return _create(None)


@BLUEPRINT.get("/sops/<sop_id>/edit")
def edit(sop_id: str) -> ResponseReturnValue:
    """Begin a draft on what is in force, or go on with one's own."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    page = get_sop(stores, actor=actor, sop_id=sop_id, now=now)
    actor.require(Action.DRAFT, page.summary.department)
    mine = [
        one
        for one in list_drafts(stores, actor=actor, now=now, states=EDITABLE, sop_id=sop_id).items
        if one.author == actor.email and one.kind == "edit"
    ]
    if mine and "anew" not in request.args:
        return redirect(url_for(".draft", draft_id=mine[0].id), 303)
    typed = Typed(content=page.markdown, tickets=_named_tickets(), base_revision=str(page.summary.revision))
    return _editor(typed, sop_id=sop_id)


@BLUEPRINT.post("/sops/<sop_id>/edit")
def start(sop_id: str) -> ResponseReturnValue:
    """Keep the first state of a draft."""
    return _create(sop_id)


@BLUEPRINT.get("/drafts/<draft_id>/edit")
def draft(draft_id: str) -> ResponseReturnValue:
    """Go on with a draft; where another revision collides with it, both texts stand in the editor."""
    actor, now = visitor.actor(), visitor.now()
    found = review_of(visitor.stores(), actor=actor, draft_id=draft_id, now=now)
    actor.require(Action.DRAFT, found.draft.department)
    if found.draft.state not in EDITABLE:
        return redirect(url_for("review.draft", draft_id=draft_id), 303)
    typed = draft_form.of_draft(found.draft, now=now, merge=found.merge, onto=found.overtaken_by)
    return _editor(typed, draft=found.draft, approvers=found.approvers)


@BLUEPRINT.post("/drafts/<draft_id>/edit")
def save(draft_id: str) -> ResponseReturnValue:
    """Keep a new state of a draft; what was typed is lost in no case."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    typed = draft_form.typed(request.form)
    known = get_draft(stores, actor=actor, draft_id=draft_id, now=now)
    if request.form.get("do") == "preview":
        return _editor(typed, draft=known)
    try:
        saved = edit_draft(
            stores,
            actor=actor,
            draft_id=draft_id,
            given=typed.given(now=now, had=known.effective_from),
            now=now,
            version=fields.number(request.form, "version"),
        )
    except StaleEditError as error:
        newest = draft_form.newest(typed, known)
        return _editor(newest, draft=known, refused=_refusal(error), theirs=known.content)
    except _KEPT as error:
        return _editor(typed, draft=known, refused=_refusal(error))
    return _after_saving(saved)


@BLUEPRINT.post("/drafts/preview")
def preview() -> ResponseReturnValue:
    """Give the text as it would be read, for the page that shows it while somebody types."""
    found = preview_of(
        visitor.stores(),
        actor=visitor.actor(),
        content=request.form.get("content", ""),
        now=visitor.now(),
        sop_id=fields.choice(request.form, "sop_id"),
    )
    return jsonify(html=render_template("drafts/_preview.html", preview=found))


def _create(sop_id: str | None) -> ResponseReturnValue:
    typed = draft_form.typed(request.form)
    if request.form.get("do") == "preview":
        return _editor(typed, sop_id=sop_id)
    try:
        saved = create_draft(
            visitor.stores(),
            actor=visitor.actor(),
            given=typed.given(now=visitor.now()),
            now=visitor.now(),
            sop_id=sop_id,
        )
    except _KEPT as error:
        return _editor(typed, sop_id=sop_id, refused=_refusal(error))
    return _after_saving(saved)


def _after_saving(saved: DraftView) -> ResponseReturnValue:
    if request.form.get("do") != "submit":
        flash("The draft is saved. Nobody is asked yet.", "done")
        return redirect(url_for(".draft", draft_id=saved.id), 303)
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    if saved.state != "in_review":
        try:
            submit_draft(stores, actor=actor, draft_id=saved.id, now=now)
        except ConflictError as error:
            flash(error.message, "error")
            return redirect(url_for(".draft", draft_id=saved.id), 303)
        except _KEPT as error:
            typed = draft_form.of_draft(saved, now=now)
            return _editor(typed, draft=saved, refused=_refusal(error))
    asked = review_of(stores, actor=actor, draft_id=saved.id, now=now).approvers
    flash(f"Submitted. Asked to approve: {', '.join(asked) or 'nobody yet; an administrator has to name one'}.", "done")
    return redirect(url_for("review.draft", draft_id=saved.id), 303)


def _editor(
    typed: Typed,
    *,
    sop_id: str | None = None,
    draft: DraftView | None = None,
    refused: Refusal = NONE,
    theirs: str | None = None,
    approvers: Sequence[str] = (),
) -> ResponseReturnValue:
    """Show the editor with what was typed; `theirs` is the text that somebody saved meanwhile."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    about = draft.sop_id if draft is not None else sop_id
    in_force = about is not None and (draft is None or draft.base_revision is not None)
    waiting = open_obligations(stores, actor=actor, now=now)
    page = render_template(
        "drafts/editor.html",
        typed=typed,
        sop_id=about,
        draft=draft,
        refused=refused,
        preview=_preview(typed, about),
        theirs=theirs,
        approvers=approvers,
        readers=audience_size(stores, actor=actor, now=now, sop_id=about) if about is not None and in_force else None,
        open_here=list(dict.fromkeys(one.ticket_label for one in waiting if about and one.sop_id == about)),
        open_labels=list(dict.fromkeys(one.ticket_label for one in waiting)),
    )
    return page, refused.status


def _refusal(error: SopError) -> Refusal:
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            if kind is DamagedError:
                current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
            return Refusal(error.message, error.fields, status)
    return refusal(error)


def _preview(typed: Typed, sop_id: str | None) -> Preview:
    return preview_of(
        visitor.stores(), actor=visitor.actor(), content=typed.content or "", now=visitor.now(), sop_id=sop_id
    )


def _named_tickets() -> str:
    return ", ".join(request.args.getlist("ticket") + request.args.getlist("tickets"))
