"""An error as a page in plain words: what happened, what was kept, what to do."""

from urllib.parse import urlencode, urlsplit

from flask import Response, current_app, flash, redirect, render_template, request
from jinja2 import TemplateError
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from sop_server.errors import SopError
from sop_server.views.fields import local_address

_TEMPLATE = "error.html"


def error_page(status: int, title: str, error: SopError, *, reference: str | None = None) -> Response:
    """Return the page of an error, and a plain one where the templates themselves are what failed."""
    try:
        text = render_template(
            _TEMPLATE,
            status=status,
            title=title,
            message=error.message,
            fields=error.fields,
            reference=reference,
        )
    except (TemplateError, TypeError, ValueError, AttributeError, LookupError, RuntimeError, SopError):
        current_app.logger.exception("The page of an error could not be rendered.")
        text = _plain(title, error.message, reference)
    return Response(text, status=status, content_type="text/html; charset=utf-8")


def to_sign_in() -> AnyResponse:
    """Send a stranger to the sign-in, and from there to where they wanted to go, or to the form that they sent."""
    if request.method in {"GET", "HEAD"}:
        wanted = request.full_path.rstrip("?")
    else:
        wanted = _came_from()
        flash(
            "You were signed out meanwhile, so nothing of what you sent was stored. Your browser may still have it:"
            " go back and copy it, then sign in.",
            "error",
        )
    query = "" if wanted == "/" else "?" + urlencode({"next": wanted})
    return redirect(f"{request.script_root}/login{query}", 303)


def _came_from() -> str:
    """Return the page of this server that a form was sent from, the first page where it is not told."""
    sent_from = urlsplit(request.referrer or "")
    if sent_from.netloc != request.host:
        return "/"
    return local_address(sent_from.path.removeprefix(request.script_root), otherwise="/")


def _plain(title: str, message: str, reference: str | None) -> str:
    told = f"<p>Reference: {escape(reference)}</p>" if reference else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<h1>{escape(title)}</h1><p>{escape(message)}</p>{told}<p><a href="/">Go to the library</a></p></html>'
    )
