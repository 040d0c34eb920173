"""Deviations from SOPs: the register, one of them, and the forms in which they are proposed and decided."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from sop_server.domain.deviations import LONGEST, OFTEN, DeviationInput, DeviationState
from sop_server.domain.identifiers import normalise_sop_id
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action
from sop_server.errors import ConflictError, NotFoundError
from sop_server.services.deviations import deciding, proposing, register
from sop_server.services.deviations.deviation_views import DeviationView
from sop_server.services.deviations.register import DeviationFilter
from sop_server.services.library.reading import get_sop
from sop_server.views import departments, downloads, fields, refusals, visitor, wording
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("deviations", __name__)

STATES = {state.value: state.value.replace("_", " ") for state in DeviationState}
_COLUMNS = (
    *("id", "sop_id", "sop_title", "department", "state", "step", "instead", "why", "reference", "teams", "control"),
    *("starts_at", "stops_at", "follows", "in_row", "proposed_by", "decided_by", "decided_at", "ended_because"),
)


@BLUEPRINT.get("/deviations/")
def index() -> ResponseReturnValue:
    """List deviations, the newest first, with how much is done otherwise in all."""
    stores, actor, now, wanted = visitor.stores(), visitor.actor(), visitor.now(), _wanted()
    cursor = fields.choice(request.args, "cursor")
    page = register.list_deviations(stores, actor=actor, now=now, wanted=wanted, cursor=cursor)
    chosen: dict[str, Any] = {"state": wanted.state, "department": wanted.department, "sop": wanted.sop_id}
    return render_template(
        "deviations/index.html",
        found=page.items,
        figures=register.deviation_figures(stores, actor=actor, now=now, department=wanted.department),
        chosen=chosen,
        states=STATES,
        departments=departments.named(),
        file=url_for(".as_csv", **chosen),
        following=page.next and url_for(".index", **chosen, cursor=page.next),
        earlier=cursor is not None and url_for(".index", **chosen),
    )


@BLUEPRINT.get("/deviations/deviations.csv")
def as_csv() -> ResponseReturnValue:
    """Give the register for a spreadsheet."""
    found = register.every_deviation(visitor.stores(), actor=visitor.actor(), now=visitor.now(), wanted=_wanted())
    return downloads.csv_file("deviations", _COLUMNS, [_cells(one) for one in found])


@BLUEPRINT.get("/deviations/<deviation_id>")
def deviation(deviation_id: str) -> ResponseReturnValue:
    """Show one deviation, and ask those who may for the decision."""
    return _page(deviation_id)


@BLUEPRINT.get("/sops/<sop_id>/deviations/new")
def new(sop_id: str) -> ResponseReturnValue:
    """Ask what is to be done otherwise, for how long and why; `follows` names the one that ends."""
    return _form(sop_id, _taken_up(sop_id, request.args.get("follows", "")), refusals.NONE)


@BLUEPRINT.post("/sops/<sop_id>/deviations")
def propose(sop_id: str) -> ResponseReturnValue:
    """Keep a proposal; what was typed stays in the form where it cannot be used."""
    try:
        made = proposing.propose_deviation(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            sop_id=sop_id,
            given=_given(),
            follows=fields.choice(request.form, "follows"),
        )
    except REFUSED as error:
        return _form(sop_id, _typed(), refusal(error))
    flash("Proposed. It holds once somebody else approved it; until then the SOP holds as it is written.", "done")
    return _to(made.id)


@BLUEPRINT.get("/deviations/<deviation_id>/edit")
def edit(deviation_id: str) -> ResponseReturnValue:
    """Show the proposal to write anew."""
    return _edit_form(_editable(deviation_id), None, refusals.NONE)


@BLUEPRINT.post("/deviations/<deviation_id>/edit")
def save(deviation_id: str) -> ResponseReturnValue:
    """Keep another wording."""
    try:
        proposing.edit_deviation(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            deviation_id=deviation_id,
            content_hash=request.form.get("content_hash", ""),
            given=_given(),
        )
    except REFUSED as error:
        known = _known(deviation_id)
        visitor.actor().require(Action.PROPOSE_DEVIATION, known.department)
        return _edit_form(known, _typed(), refusal(error))
    flash("Saved. Whoever read it before has to read it again to approve it.", "done")
    return _to(deviation_id)


@BLUEPRINT.post("/deviations/<deviation_id>/withdraw")
def withdraw(deviation_id: str) -> ResponseReturnValue:
    """Take a proposal back."""
    try:
        proposing.withdraw_deviation(
            visitor.stores(), actor=visitor.actor(), now=visitor.now(), deviation_id=deviation_id
        )
    except REFUSED as error:
        return _page(deviation_id, refusal(error))
    flash("Withdrawn. The SOP holds as it is written.", "done")
    return _to(deviation_id)


@BLUEPRINT.post("/deviations/<deviation_id>/approve")
def approve(deviation_id: str) -> ResponseReturnValue:
    """Permit what the page showed; anything else is shown instead of being approved."""
    try:
        done = deciding.approve_deviation(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            deviation_id=deviation_id,
            content_hash=request.form.get("content_hash", ""),
        )
    except REFUSED as error:
        return _page(deviation_id, refusal(error))
    begins = "It holds now" if done.starts_at <= visitor.now() else f"It begins {_when(done.starts_at)}"
    flash(f"Approved. {begins}, and ends by itself {_when(done.ends_at)}.", "done")
    return _to(deviation_id)


@BLUEPRINT.post("/deviations/<deviation_id>/refuse")
def refuse(deviation_id: str) -> ResponseReturnValue:
    """Say no, and why."""
    return _with_reason(deviation_id, deciding.refuse_deviation, "Refused. The SOP holds as it is written.")


@BLUEPRINT.post("/deviations/<deviation_id>/end")
def end(deviation_id: str) -> ResponseReturnValue:
    """End one before its time, and say why."""
    return _with_reason(deviation_id, deciding.end_deviation, "Ended. From now on the SOP holds as it is written.")


def _with_reason(deviation_id: str, decide: Any, said: str) -> ResponseReturnValue:
    try:
        decide(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            deviation_id=deviation_id,
            reason=request.form.get("reason", ""),
        )
    except REFUSED as error:
        return _page(deviation_id, refusal(error))
    flash(said, "done")
    return _to(deviation_id)


def _wanted() -> DeviationFilter:
    typed = fields.choice(request.args, "sop")
    return DeviationFilter(
        state=fields.choice(request.args, "state"),
        department=fields.choice(request.args, "department"),
        sop_id=typed and (normalise_sop_id(typed) or typed),
    )


def _known(deviation_id: str) -> DeviationView:
    return register.get_deviation(visitor.stores(), actor=visitor.actor(), now=visitor.now(), deviation_id=deviation_id)


def _editable(deviation_id: str) -> DeviationView:
    known = _known(deviation_id)
    visitor.actor().require(Action.PROPOSE_DEVIATION, known.department)
    if known.state is not DeviationState.PROPOSED:
        raise ConflictError(
            f"{known.id} is {STATES[known.state]}, so it cannot be edited any more. End it, and propose another one."
        )
    return known


def _page(deviation_id: str, refused: Refusal = refusals.NONE) -> ResponseReturnValue:
    one, actor = _known(deviation_id), visitor.actor()
    page = render_template(
        "deviations/deviation.html",
        one=one,
        refused=refused,
        typed=request.form,
        often=OFTEN,
        may_decide=one.may_be_decided_by(actor),
        may_edit=one.may_be_edited_by(actor),
        may_end=one.may_be_ended_by(actor),
        may_follow=one.decided_at is not None and actor.may(Action.PROPOSE_DEVIATION, one.department),
        sees_wordings=actor.may(Action.SEE_DRAFTS, one.department),
        departments=departments.named(),
    )
    return page, refused.status


def _form(sop_id: str, typed: Mapping[str, Any], refused: Refusal) -> ResponseReturnValue:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    proposing.deviable(stores, actor=actor, now=now, sop_id=sop_id)
    sop = get_sop(stores, actor=actor, sop_id=sop_id, now=now).summary
    return _rendered(sop.sop_id, sop.title, sop.audience, typed, refused, known=None)


def _edit_form(known: DeviationView, typed: Mapping[str, Any] | None, refused: Refusal) -> ResponseReturnValue:
    sop = get_sop(visitor.stores(), actor=visitor.actor(), sop_id=known.sop_id, now=visitor.now()).summary
    shown = _as_typed(known) if typed is None else {**typed, "content_hash": known.content_hash}
    return _rendered(sop.sop_id, sop.title, sop.audience, shown, refused, known=known)


def _rendered(
    sop_id: str,
    title: str,
    audience: tuple[str, ...],
    typed: Mapping[str, Any],
    refused: Refusal,
    *,
    known: DeviationView | None,
) -> ResponseReturnValue:
    page = render_template(
        "deviations/form.html",
        sop_id=sop_id,
        title=title,
        audience=audience,
        typed=typed,
        refused=refused,
        known=known,
        longest=LONGEST.days,
    )
    return page, refused.status


def _given() -> DeviationInput:
    form = request.form
    return DeviationInput(
        step=fields.text(form, "step"),
        instead=form.get("instead", ""),
        why=form.get("why", ""),
        reference=fields.text(form, "reference"),
        teams=form.getlist("teams"),
        control=form.get("control", ""),
        begins_at=fields.instant(form, "begins_at"),
        ends_at=fields.instant(form, "ends_at"),
    )


def _typed() -> dict[str, Any]:
    return {**request.form, "teams": request.form.getlist("teams")}


def _as_typed(known: DeviationView) -> dict[str, Any]:
    times = {name: _field_time(getattr(known, name)) for name in ("begins_at", "ends_at")}
    return {**_wording(known), **times, "content_hash": known.content_hash}


def _taken_up(sop_id: str, follows: str) -> dict[str, Any]:
    """Return what the next one begins with: the words of the one that it follows, from the end of that on."""
    try:
        known = _known(follows) if follows else None
    except NotFoundError:
        known = None
    if known is None or known.sop_id != sop_id:
        return {"follows": follows}
    begins = _field_time(known.ends_at) if known.ends_at > visitor.now() else ""
    return {**_wording(known), "begins_at": begins, "follows": known.id}


def _wording(known: DeviationView) -> dict[str, Any]:
    return {name: getattr(known, name) for name in ("step", "instead", "why", "reference", "teams", "control")}


def _field_time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M")


def _when(instant: Any) -> str:
    return wording.from_now(instant, now=visitor.now())


def _to(deviation_id: str) -> Response:
    return redirect(url_for(".deviation", deviation_id=deviation_id), 303)


def _cells(one: DeviationView) -> list[object]:
    instants = {
        name: None if (value := getattr(one, name)) is None else format_instant(value)
        for name in ("starts_at", "stops_at", "decided_at")
    }
    cells = {name: getattr(one, name) for name in _COLUMNS} | instants
    return [*({**cells, "state": one.state.value, "teams": ", ".join(one.teams)}.values())]
