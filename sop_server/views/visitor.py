"""Who looks at a page: the person of the session cookie, and what the frame tells about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, current_app, g, request

from sop_server.domain.permissions import Action, Actor
from sop_server.domain.proxy_door import ProxyDoor
from sop_server.errors import NotSignedInError
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.sign_in import actor_for_session, sign_out
from sop_server.services.stores import Stores

COOKIE = "sop_session"
"""What the cookie of a session is called where there is no TLS; `cookie_name` says what it is called now."""

OPEN_TO_STRANGERS = frozenset({"assets", "probes", "sign_in", "entering", "forgotten", "provider"})
"""The blueprints whose pages need no sign-in; every other page does, one that does not exist too."""

_OTHER_DOORS = ("/api/", "/webhooks/")


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person as the frame shows them."""

    name: str
    email: str
    initials: str
    can_write: bool
    can_see_drafts: bool
    can_see_reports: bool
    is_manager: bool
    is_admin: bool


def visitor_of(actor: Actor) -> Visitor:
    """Return what the frame shows of a person."""
    words = [word for word in actor.name.replace("-", " ").split() if word[0].isalnum()] or [actor.email]
    initials = words[0][0] if len(words) == 1 else words[0][0] + words[-1][0]
    return Visitor(
        name=actor.name,
        email=actor.email,
        initials=initials.upper(),
        can_write=actor.may_anywhere(Action.DRAFT),
        can_see_drafts=actor.may_anywhere(Action.SEE_DRAFTS),
        can_see_reports=actor.may_anywhere(Action.SEE_REPORTS),
        is_manager=actor.may_anywhere(Action.SCORE),
        is_admin=actor.may_anywhere(Action.ADMINISTER),
    )


def stores() -> Stores:
    """Return what the application works on."""
    found: Stores = current_app.extensions["stores"]
    return found


def seal() -> Seal:
    """Return what the keys of second factors are sealed with."""
    found: Seal = current_app.extensions["seal"]
    return found


def cookie_name(name: str = COOKIE) -> str:
    """Return what a cookie is called: over TLS with the prefix that binds it to this host, so that no other sets it."""
    return f"__Host-{name}" if request.is_secure else name


def session_token() -> str:
    """Return the token of the session cookie, empty where there is none."""
    return request.cookies.get(cookie_name(), "")


def address() -> str:
    """Return the network address of the browser."""
    return request.remote_addr or ""


def named_by_proxy() -> str | None:
    """Return whom a proxy names that is believed; None where none does.

    What counts is who is at the other end of the connection, never what a header says of where a request came from.
    """
    door: ProxyDoor | None = current_app.extensions["proxy_door"]
    if door is None:
        return None
    before = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    if not door.admits(before.get("REMOTE_ADDR") or ""):
        return None
    return request.headers.get(door.header, "").strip().lower() or None


def now() -> datetime:
    """Return the present instant, the same one throughout a request."""
    if "now" not in g:
        g.now = stores().clock()
    instant: datetime = g.now
    return instant


def actor() -> Actor:
    """Return the signed-in person; raises NotSignedInError for a stranger."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise NotSignedInError("Sign in to see this page; it comes right after.")
    return found


def register(app: Flask) -> None:
    """Know the person before every page, and let strangers see the open ones alone."""
    app.before_request(_recognise)
    app.context_processor(_frame)


def _recognise() -> None:
    if request.path.startswith(_OTHER_DOORS):
        return
    open_page = request.blueprint in OPEN_TO_STRANGERS
    token = session_token()
    # Style sheets and probes cost no look at the database.
    if token and request.blueprint not in {"assets", "probes"}:
        g.actor = _unless_another_came(token, actor_for_session(stores(), token=token, now=now()))
    if not open_page:
        actor()


def _unless_another_came(token: str, found: Actor | None) -> Actor | None:
    """Return who a session says it is, None where the proxy names somebody else: then the session ends."""
    named = named_by_proxy()
    if found is None or named is None or named == found.email:
        return found
    sign_out(stores(), token=token, now=now())
    return None


def _frame() -> dict[str, Any]:
    found: Actor | None = g.get("actor")
    provider = stores().provider
    return {
        "me": None if found is None else visitor_of(found),
        "now": now(),
        "provider_name": None if provider is None else provider.rules.name,
    }
