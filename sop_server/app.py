"""The application: the one place where settings, stores, pages and API are put together."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

from flask import Flask, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import FileSystemLoader
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from sop_server import api, views
from sop_server.api import problems
from sop_server.errors import (
    BusyError,
    ConflictError,
    DamagedError,
    ForbiddenError,
    GoneError,
    InvalidInputError,
    NotFoundError,
    NotSignedInError,
    SopError,
    StaleEditError,
)
from sop_server.home import open_stores, secret_key
from sop_server.resources import resource
from sop_server.services.accounts.sealing import Seal
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from sop_server.views import denials, error_pages, freshness, hosts, probes, visitor
from sop_server.views.meter import Meter

__all__ = ["create_app", "open_stores"]

LARGEST_REQUEST = 6 * 1024 * 1024

ALWAYS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The headers of every answer of the server."""

_RETRY_AFTER_SECONDS = "2"

_KINDS: tuple[tuple[type[SopError], int, str], ...] = (
    (InvalidInputError, 422, "This cannot be used as it is"),
    (NotSignedInError, 401, "Not signed in"),
    (ForbiddenError, 403, "Not yours to do"),
    (NotFoundError, 404, "Not found"),
    (GoneError, 410, "Retired"),
    (ConflictError, 409, "It has moved on"),
    (StaleEditError, 412, "Somebody changed it meanwhile"),
    (BusyError, 503, "Busy"),
    (DamagedError, 500, "Something is damaged"),
)
_REFUSALS = {
    404: ("Not found", "There is nothing at this address. Check it, or search for what you need."),
    405: ("Not possible here", "The address is right, but this cannot be done to it."),
    413: ("Too large", "What you sent is larger than 6 MiB. Nothing was kept; send less at once."),
}


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, sent over TLS alone and bound to this host where the browser came over TLS."""

    digest_method = staticmethod(hashlib.sha256)

    def get_cookie_name(self, app: Flask) -> str:
        return visitor.cookie_name(str(app.config["SESSION_COOKIE_NAME"]))

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the signature is Flask's
        return request.is_secure


def _do_nothing() -> None:
    """Have nobody to wake."""


def create_app(
    settings: Settings,
    *,
    stores: Stores | None = None,
    wake: Callable[[], None] = _do_nothing,
    meter: Meter | None = None,
) -> Flask:
    """Put the application together.

    `stores` are opened from the settings' home unless given; `wake` is called after the answer to each change, so
    that what it left to be done is done at once; `meter` is shared by the processes of one server.
    """
    app = Flask("sop_server", static_folder=None)
    app.jinja_loader = FileSystemLoader(resource("templates"))
    app.session_interface = _Sessions()
    app.config.update(
        SECRET_KEY=secret_key(settings),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        SESSION_COOKIE_NAME="sop_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=7),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the provider is Flask's own, which has it
    app.extensions["stores"] = stores if stores is not None else open_stores(settings)
    app.extensions["seal"] = Seal(secret_key(settings))
    app.extensions["proxy_door"] = settings.proxy_door
    app.jinja_env.globals["library_name"] = settings.library_name

    probes.measure(app, meter or Meter())
    hosts.register(app, settings.known_hosts)
    _answer_failures(app)
    views.register(app)
    api.register(app)
    _guard_forms(app)
    denials.register(app)
    _wake_after_changes(app, wake)
    app.after_request(freshness.tagged)
    app.after_request(_protect)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _guard_forms(app: Flask) -> None:
    """Demand the form's own token of every page; API and webhooks know their callers by token and signature."""
    csrf = CSRFProtect(app)

    @app.before_request
    def _protect_forms() -> None:
        if request.method not in {"GET", "HEAD", "OPTIONS"} and not _is_machine_door():
            csrf.protect()


def _wake_after_changes(app: Flask, wake: Callable[[], None]) -> None:
    @app.after_request
    def _wake(response: Response) -> Response:
        if request.method not in {"GET", "HEAD", "OPTIONS"} and response.status_code < HTTPStatus.BAD_REQUEST:
            response.call_on_close(wake)
        return response


def _is_machine_door() -> bool:
    return request.path.startswith(("/api/", "/webhooks/"))


def _protect(response: Response) -> Response:
    """Put the headers on every answer; what says nothing about keeping is not kept on a shared machine."""
    headers = response.headers
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    if headers.get("Content-Disposition", "").startswith("attachment"):
        headers["Content-Security-Policy"] += "; sandbox"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    headers.setdefault("Cache-Control", "no-store")
    if request.blueprint not in {"assets", "probes"}:
        response.vary.add("Authorization" if _is_machine_door() else "Cookie")
    return response


def _answer_failures(app: Flask) -> None:
    """Turn every error into an answer: problem JSON for machines, a page in plain words for people."""
    app.register_error_handler(SopError, _told)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _unforeseen)


def _told(error: SopError) -> ResponseReturnValue:
    status, title = next(
        ((status, title) for kind, status, title in _KINDS if isinstance(error, kind)), (500, "Something went wrong")
    )
    if status == HTTPStatus.UNAUTHORIZED and not _is_machine_door():
        return error_pages.to_sign_in()
    denials.remember(error)
    response = _failure(status, title, error.message, error=error)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="sop-server"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return response


def _expired(_error: CSRFError) -> ResponseReturnValue:
    return _failure(
        400,
        "The form has expired",
        "The page was open for too long, or cookies are off, so nothing was done. "
        "Go back, load the page again and repeat it.",
    )


def _refused(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    title, detail = _REFUSALS.get(error.code, (error.name, error.description or error.name))
    response = _failure(error.code, title, detail)
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> ResponseReturnValue:
    return _failure(
        500,
        "Something went wrong",
        "This error was not foreseen. Nothing more was done; try again, and tell an administrator if it stays.",
        error=error,
    )


def _failure(status: int, title: str, detail: str, *, error: Exception | None = None) -> Response:
    reference = None
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        reference = secrets.token_hex(6)
        # The addresses of the sign-in hold its links, which are secrets.
        path = request.url_rule if request.blueprint == "sign_in" else request.path
        current_app.logger.error("%s %s failed, reference %s", request.method, path, reference, exc_info=error)
    told = error if isinstance(error, SopError) else SopError(detail)
    if _is_machine_door():
        return problems.problem(status, title, told, reference=reference)
    return error_pages.error_page(status, title, told, reference=reference)
