"""The door of the API: a bearer token first, for everything that is there and for everything that is not."""

from datetime import datetime

from flask import Flask, current_app, g, request

from sop_server.domain.permissions import Actor, Scope
from sop_server.errors import ForbiddenError, NotSignedInError
from sop_server.services.accounts.tokens import actor_for_token
from sop_server.services.stores import Stores

ROOT = "/api/"
PREFIX = "/api/v1"
SCHEMA_PATH = f"{PREFIX}/openapi.json"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def register(app: Flask) -> None:
    """Know the caller before every call."""
    app.before_request(_recognise)


def stores() -> Stores:
    """Return what the application works on."""
    found: Stores = current_app.extensions["stores"]
    return found


def now() -> datetime:
    """Return the present instant, the same one throughout a call."""
    if "now" not in g:
        g.now = stores().clock()
    instant: datetime = g.now
    return instant


def actor() -> Actor:
    """Return the person for whom the call acts."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise NotSignedInError("Send a token as `Authorization: Bearer <token>`; an administrator makes one.")
    return found


def _recognise() -> None:
    if not request.path.startswith(ROOT) or (request.path == SCHEMA_PATH and request.method in _SAFE):
        return
    # Cookies never count here: another site could send them along.
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotSignedInError("Send a token as `Authorization: Bearer <token>`; an administrator makes one.")
    g.actor = actor_for_token(stores(), token=token.strip(), now=now())
    if g.actor is None:
        raise NotSignedInError("This token is not known or was revoked. Ask an administrator for a new one.")
    if g.actor.scope is Scope.READ and request.method not in _SAFE:
        raise ForbiddenError("This token may only read. Use one with the scope “write” to change something.")
