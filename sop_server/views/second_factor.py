"""One's own second factor: turning it on and off, and new recovery codes."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.errors import ConflictError
from sop_server.services.accounts import second_factor as factor
from sop_server.services.accounts.proving import proof_of
from sop_server.views import refusals, visitor
from sop_server.views.qr_code import qr_code
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("second_factor", __name__, url_prefix="/me/second-factor")


@BLUEPRINT.get("")
def page() -> ResponseReturnValue:
    """Show how it stands and what can be done."""
    return _page(refusals.NONE)


@BLUEPRINT.post("/begin")
def begin() -> ResponseReturnValue:
    """Make a key for the phone."""
    try:
        factor.begin(
            visitor.stores(),
            visitor.seal(),
            actor=visitor.actor(),
            now=visitor.now(),
            password=request.form.get("password", ""),
            address=visitor.address(),
            session_token=visitor.session_token(),
        )
    except REFUSED as error:
        return _page(refusal(error))
    return redirect(url_for(".page"), 303)


@BLUEPRINT.post("/confirm")
def confirm() -> ResponseReturnValue:
    """Turn it on with the first code; the recovery codes are in this answer alone, so there is no redirect."""
    try:
        codes = factor.confirm(
            visitor.stores(),
            visitor.seal(),
            actor=visitor.actor(),
            now=visitor.now(),
            code=request.form.get("code", ""),
            address=visitor.address(),
            session_token=visitor.session_token(),
        )
    except REFUSED as error:
        return _page(refusal(error))
    return _page(refusals.NONE, codes=codes)


@BLUEPRINT.post("/prove")
def prove() -> ResponseReturnValue:
    """Take password and code for what the button says."""
    wanted = {"codes": _renew, "end": _end}.get(request.form.get("then", ""))
    if wanted is None:
        return _page(refusal(ConflictError("Nothing was chosen, so nothing was changed. Press one of the buttons.")))
    return wanted()


def _proof() -> dict[str, str]:
    """Return what the form proves that it is still the person: password and code, and where they were typed."""
    return {
        "password": request.form.get("password", ""),
        "code": request.form.get("code", ""),
        "address": visitor.address(),
        "session_token": visitor.session_token(),
    }


def _renew() -> ResponseReturnValue:
    """Make new recovery codes; they are in this answer alone, so there is no redirect."""
    try:
        codes = factor.renew_codes(
            visitor.stores(),
            visitor.seal(),
            actor=visitor.actor(),
            now=visitor.now(),
            **_proof(),
        )
    except REFUSED as error:
        return _page(refusal(error))
    return _page(refusals.NONE, codes=codes)


def _end() -> ResponseReturnValue:
    """Turn it off."""
    try:
        factor.end(
            visitor.stores(),
            visitor.seal(),
            actor=visitor.actor(),
            now=visitor.now(),
            **_proof(),
        )
    except REFUSED as error:
        return _page(refusal(error))
    flash("The second factor is off.", "done")
    return redirect(url_for("me.account"), 303)


def _page(refused: Refusal, *, codes: Sequence[str] = ()) -> ResponseReturnValue:
    stores, actor = visitor.stores(), visitor.actor()
    key = factor.waiting_key(stores, visitor.seal(), actor=actor)
    shown = render_template(
        "me/second_factor.html",
        stands=factor.second_factor(stores, actor=actor),
        proof=proof_of(stores, actor=actor, session_token=visitor.session_token(), now=visitor.now()).value,
        key=key and key.text,
        picture=key and qr_code(key.address),
        codes=codes,
        refused=refused,
    )
    return shown, refused.status
