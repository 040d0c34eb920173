"""Coming in and going out."""

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from sop_server.errors import ForbiddenError, InvalidInputError, NotSignedInError
from sop_server.services.accounts.link_sign_in import sign_in_by_link
from sop_server.services.accounts.provider_sign_in import way_out
from sop_server.services.accounts.proxy_sign_in import sign_in_by_proxy
from sop_server.services.accounts.sign_in import actor_for_session, sign_in, sign_out
from sop_server.services.trail.sign_ins import record_failed_sign_in
from sop_server.views import fields, visitor
from sop_server.views.door import let_in
from sop_server.views.entering import second_step

BLUEPRINT = Blueprint("sign_in", __name__)


@BLUEPRINT.get("/login")
def form() -> ResponseReturnValue:
    """Ask who comes; whoever is in already goes on."""
    wanted = fields.local_address(request.args.get("next"), otherwise="/")
    token = visitor.session_token()
    if token and actor_for_session(visitor.stores(), token=token, now=visitor.now()) is not None:
        return redirect(wanted, 303)
    named = visitor.named_by_proxy()
    if named is None:
        return _form(wanted)
    # Whoever has just signed out is not let in again before they say so.
    return _form(wanted, named=named) if "left" in request.args else _by_proxy(named, wanted)


@BLUEPRINT.post("/login")
def enter() -> ResponseReturnValue:
    """Check the password and open a session."""
    email, wanted = fields.text(request.form, "email"), request.form.get("next") or request.args.get("next")
    after = fields.local_address(wanted, otherwise="/")
    try:
        token = sign_in(
            visitor.stores(),
            email=email,
            password=request.form.get("password", ""),
            address=visitor.address(),
            now=visitor.now(),
            user_agent=request.user_agent.string,
        )
    except (NotSignedInError, ForbiddenError) as error:
        throttled = isinstance(error, ForbiddenError)
        record_failed_sign_in(visitor.stores(), email=email, now=visitor.now(), throttled=throttled)
        page = render_template("sign_in/form.html", email=email, next=after, message=error.message)
        return page, 429 if throttled else 401
    return _came_in(token, after)


@BLUEPRINT.post("/logout")
def leave() -> ResponseReturnValue:
    """End the session."""
    token, there = visitor.session_token(), None
    if token:
        there = way_out(visitor.stores(), visitor.seal(), token=token)
        sign_out(visitor.stores(), token=token, now=visitor.now())
    session.clear()
    g.actor = None
    if there is None:
        named = visitor.named_by_proxy()
        if named is None:
            flash("You are signed out. The next person on this machine sees nothing of yours.", "done")
        response: Response = redirect(url_for("sign_in.form", left=named and 1), 303)
    else:
        # A page in between: browsers do not let a form lead to another site, redirected or not.
        response = Response(render_template("sign_in/signed_out.html", there=there), mimetype="text/html")
    response.delete_cookie(visitor.cookie_name(), httponly=True, samesite="Lax", secure=request.is_secure)
    # Pages of SOPs are kept by the browser to be asked about; who comes next must not go back to them.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@BLUEPRINT.get("/sign-in/<token>")
def link(token: str) -> ResponseReturnValue:
    """Ask for a password; the link itself is used by sending the form, so that a mail scanner cannot use it up."""
    return render_template("sign_in/link.html", token=token, message=None, fields={})


@BLUEPRINT.post("/sign-in/<token>")
def use_link(token: str) -> ResponseReturnValue:
    """Use the link up with the password that the person chose."""
    password = request.form.get("password", "")
    try:
        _check_same(password, request.form.get("again", ""))
        opened = sign_in_by_link(
            visitor.stores(),
            token=token,
            password=password,
            now=visitor.now(),
            address=visitor.address(),
            user_agent=request.user_agent.string,
        )
    except (InvalidInputError, NotSignedInError) as error:
        page = render_template("sign_in/link.html", token=token, message=error.message, fields=error.fields)
        return page, 422 if isinstance(error, InvalidInputError) else 401
    response = _came_in(opened, "/")
    flash("Your password is set.", "done")
    return response


def _by_proxy(named: str, wanted: str) -> ResponseReturnValue:
    """Let in whom the proxy names."""
    try:
        token = sign_in_by_proxy(
            visitor.stores(),
            email=named,
            address=visitor.address(),
            now=visitor.now(),
            user_agent=request.user_agent.string,
        )
    except NotSignedInError as error:
        return _form(wanted, message=error.message), 403
    return _came_in(token, wanted)


def _form(wanted: str, *, message: str | None = None, named: str | None = None) -> str:
    return render_template("sign_in/form.html", email="", next=wanted, message=message, named=named)


def _check_same(password: str, again: str) -> None:
    if password != again:
        raise InvalidInputError(
            "The two passwords are not the same, so none was set. Type both again.",
            fields={"again": "is not the same as the first"},
        )


def _came_in(token: str, address: str) -> Response:
    return let_in(second_step(token, address) or redirect(address, 303), token)
