"""Coming in through the identity provider: the way there, and the way back."""

import json
import secrets
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from sop_server.errors import BusyError, ForbiddenError, NotSignedInError
from sop_server.services.accounts.provider import Provider, RefusedError, Vouched
from sop_server.services.accounts.provider_sign_in import record_refusal, sign_in_by_provider
from sop_server.services.accounts.throttling import count_attempt, forget_attempts_of_network
from sop_server.views import fields, visitor
from sop_server.views.door import let_in
from sop_server.views.entering import second_step

BLUEPRINT = Blueprint("provider", __name__, url_prefix="/login/provider")

COOKIE = "sop_provider"
"""Holds, sealed, what the browser has to come back with."""

_PATIENCE = timedelta(minutes=10)
_MOST_AT_ONCE = 4
_BAD_REQUEST, _NOT_IN, _TOO_MANY, _AWAY = 400, 401, 429, 503

_LOST = (
    "This sign-in took longer than 10 minutes, was finished already, or was begun in another browser. Nothing was "
    "changed; begin again."
)
_REASONS = {
    "clock": (
        "What {name} said is not of this moment: its clock and that of this server differ by more than two minutes, "
        "or the page was open for too long. Try again, and tell an administrator if it stays so."
    ),
    "code": "{name} did not confirm the sign-in: it was used already, or took too long. Begin again.",
    "access_denied": "{name} did not let you in, or you turned back. Begin again, or ask whoever keeps it.",
}
_UNPROVEN = (
    "What {name} said cannot be relied on ({why}), so you are not signed in. Begin again; if it stays so, tell an "
    "administrator these words."
)


@BLUEPRINT.get("")
def begin() -> ResponseReturnValue:
    """Send the browser to the provider."""
    provider, after = visitor.stores().provider, fields.local_address(request.args.get("next"), otherwise="/")
    if provider is None:
        return redirect(url_for("sign_in.form", next=after), 303)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    try:
        answer = redirect(provider.address(state=state, nonce=nonce, verifier=verifier), 303)
    except BusyError as error:
        return _form(error.message, after), _AWAY
    waiting = {**_waiting(), state: [nonce, verifier, after, visitor.now().isoformat()]}
    return _keep(answer, dict(list(waiting.items())[-_MOST_AT_ONCE:]))


@BLUEPRINT.get("/callback")
def come_back() -> ResponseReturnValue:
    """Let in whom the provider vouches for."""
    provider, waiting = visitor.stores().provider, _waiting()
    begun = waiting.pop(request.args.get("state", ""), None)
    if provider is None or begun is None:
        return _form(_LOST, "/"), _BAD_REQUEST
    nonce, verifier, after, _ = begun
    try:
        answer: Response = _enter(provider, nonce=nonce, verifier=verifier, after=after)
    except RefusedError as error:
        record_refusal(visitor.stores(), issuer=provider.issuer, why=error.reason, now=visitor.now())
        told = _REASONS.get(error.reason, _UNPROVEN).format(name=provider.rules.name, why=error.reason)
        answer = Response(_form(told, after), _NOT_IN, mimetype="text/html")
    except (NotSignedInError, ForbiddenError, BusyError) as error:
        status = {NotSignedInError: _NOT_IN, ForbiddenError: _TOO_MANY, BusyError: _AWAY}[type(error)]
        answer = Response(_form(error.message, after), status, mimetype="text/html")
    return _keep(answer, waiting)


def _enter(provider: Provider, *, nonce: str, verifier: str, after: str) -> Response:
    came = sign_in_by_provider(
        visitor.stores(),
        visitor.seal(),
        rules=provider.rules,
        vouched=_vouched(provider, nonce=nonce, verifier=verifier),
        address=visitor.address(),
        now=visitor.now(),
        user_agent=request.user_agent.string,
    )
    answer = let_in(second_step(came.token, after) or redirect(after, 303), came.token)
    if came.only_administrator:
        flash(
            f"Your groups at {provider.rules.name} do not make you an administrator any more. You stay one because "
            "nobody else is: make somebody else an administrator.",
            "note",
        )
    return answer


def _vouched(provider: Provider, *, nonce: str, verifier: str) -> Vouched:
    """Take what the browser brought to the provider; what proves nothing is counted against the network."""
    stores, address, now = visitor.stores(), visitor.address(), visitor.now()
    if "error" in request.args or "code" not in request.args:
        raise RefusedError("access_denied" if request.args.get("error") == "access_denied" else "error")
    count_attempt(stores, email=address, address=address, now=now, what="provider")
    found = provider.vouch(
        code=request.args["code"], iss=request.args.get("iss"), nonce=nonce, verifier=verifier, now=now
    )
    forget_attempts_of_network(stores, address=address, what="provider")
    return found


def _form(message: str, after: str) -> str:
    return render_template("sign_in/form.html", email="", next=after, message=message)


def _waiting() -> dict[str, list[str]]:
    """Return the sign-ins that this browser began and did not finish, by their state."""
    text = visitor.seal().open(request.cookies.get(visitor.cookie_name(COOKIE), ""))
    begun: dict[str, list[str]] = json.loads(text) if text else {}
    since = visitor.now() - _PATIENCE
    return {state: kept for state, kept in begun.items() if datetime.fromisoformat(kept[-1]) > since}


def _keep(answer: Response, waiting: dict[str, list[str]]) -> Response:
    name = visitor.cookie_name(COOKIE)
    if not waiting:
        answer.delete_cookie(name, httponly=True, samesite="Lax", secure=request.is_secure)
        return answer
    answer.set_cookie(
        name,
        visitor.seal().close(json.dumps(waiting)),
        max_age=_PATIENCE,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return answer
