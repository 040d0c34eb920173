"""Telling the audit trail of whoever was refused, whichever door they stood at: pages, forms shown again, API."""

from http import HTTPStatus

from flask import Flask, Response, current_app, g, request

from sop_server.domain.permissions import Actor
from sop_server.errors import ForbiddenError, SopError
from sop_server.services.trail.denials import record_denial
from sop_server.views import visitor

_WHY = "denied_because"


def remember(error: SopError) -> None:
    """Keep why the request is refused, for the event that tells of it."""
    if isinstance(error, ForbiddenError):
        g.setdefault(_WHY, error.message)


def register(app: Flask) -> None:
    """Record every answer 403 that a known person gets.

    A 404 is not told: what is not a person's to know of does not exist, and anybody can ask for names of nothing. A
    401 tells of nobody.
    """
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    actor: Actor | None = g.get("actor")
    # The addresses of the sign-in hold its links, which are secrets.
    if response.status_code != HTTPStatus.FORBIDDEN or actor is None or request.blueprint == "sign_in":
        return response
    try:
        record_denial(
            visitor.stores(),
            actor=actor,
            now=visitor.now(),
            did=f"{request.method} {request.endpoint or ''}",
            subject=_subject(),
            why=g.get(_WHY, ""),
        )
    except SopError as error:
        # Refused they are all the same.
        current_app.logger.warning("A denial could not be recorded: %s", error.message)
    return response


def _subject() -> str:
    """Return what the request was about: the first name in its address, such as `SOP-0042`, or its pattern."""
    named = [str(value) for value in (request.view_args or {}).values()]
    return named[0] if named else str(request.url_rule or "-")
