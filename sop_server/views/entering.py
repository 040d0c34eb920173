"""The second step of a sign-in: the code of the phone, or setting the phone up where a role demands it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from sop_server.errors import ForbiddenError, NotSignedInError
from sop_server.services.accounts.entering import enter_with_code, key_to_set_up, set_up_and_enter, step_after
from sop_server.services.accounts.sign_in import Step
from sop_server.views import fields, visitor
from sop_server.views.door import let_in
from sop_server.views.qr_code import qr_code

BLUEPRINT = Blueprint("entering", __name__, url_prefix="/login")

_TOO_MANY, _NOT_IN = 429, 401


def second_step(token: str, after: str) -> Response | None:
    """Return the way to what a session waits for, None where its person is in already."""
    step = step_after(visitor.stores(), token=token, now=visitor.now())
    if step is None:
        return None
    return redirect(url_for("entering.code" if step is Step.CODE else "entering.set_up", next=after), 303)


@BLUEPRINT.get("/code")
def code() -> ResponseReturnValue:
    """Ask for the code."""
    if step_after(visitor.stores(), token=_token(), now=visitor.now()) is not Step.CODE:
        return _to_sign_in()
    return render_template("sign_in/code.html", next=_after(), message=None, fields={})


@BLUEPRINT.post("/code")
def take_code() -> ResponseReturnValue:
    """Take the code and let the person in."""
    try:
        opened = enter_with_code(
            visitor.stores(),
            visitor.seal(),
            token=_token(),
            code=request.form.get("code", ""),
            address=visitor.address(),
            now=visitor.now(),
            user_agent=request.user_agent.string,
        )
    except (NotSignedInError, ForbiddenError) as error:
        page = render_template("sign_in/code.html", next=_after(), message=error.message, fields=error.fields)
        return page, _NOT_IN if isinstance(error, NotSignedInError) else _TOO_MANY
    return let_in(redirect(_after(), 303), opened)


@BLUEPRINT.get("/set-up")
def set_up() -> ResponseReturnValue:
    """Show the key to be put into a phone."""
    if step_after(visitor.stores(), token=_token(), now=visitor.now()) is not Step.SET_UP:
        return _to_sign_in()
    return _set_up_page(None)


@BLUEPRINT.post("/set-up")
def finish_set_up() -> ResponseReturnValue:
    """Take the first code, let the person in and show the recovery codes, once."""
    try:
        opened, codes = set_up_and_enter(
            visitor.stores(),
            visitor.seal(),
            token=_token(),
            code=request.form.get("code", ""),
            address=visitor.address(),
            now=visitor.now(),
            user_agent=request.user_agent.string,
        )
    except NotSignedInError:
        return _to_sign_in()
    except ForbiddenError as error:
        return _set_up_page(error)
    page = render_template("sign_in/recovery_codes.html", codes=codes, next=_after())
    return let_in(Response(page, mimetype="text/html"), opened)


def _set_up_page(error: ForbiddenError | None) -> ResponseReturnValue:
    key = key_to_set_up(visitor.stores(), visitor.seal(), token=_token(), now=visitor.now())
    page = render_template(
        "sign_in/set_up.html",
        key=key.text,
        picture=qr_code(key.address),
        next=_after(),
        message=error and error.message,
        fields=error.fields if error else {},
    )
    return page, 200 if error is None else 403 if error.fields else _TOO_MANY


def _to_sign_in() -> ResponseReturnValue:
    return redirect(url_for("sign_in.form", next=_after()), 303)


def _after() -> str:
    return fields.local_address(request.form.get("next") or request.args.get("next"), otherwise="/")


def _token() -> str:
    return visitor.session_token()
