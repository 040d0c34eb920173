"""When a page that a browser holds is still the page: what it shows, and all that stands in its frame."""

from collections.abc import Callable
from typing import cast

from flask import Response, current_app, session
from flask_wtf.csrf import generate_csrf

from sop_server import __version__
from sop_server.domain.roles import format_grant
from sop_server.views import freshness, visitor

_FLASHES = "_flashes"


def unchanged(*shown: object) -> Response | None:
    """Return the 304 where the browser holds what would be sent, else None.

    Besides `shown` a page tells the hour (its times are relative), the person, and a message that waits; its forms hold
    the token of this sign-in.
    """
    if session.get(_FLASHES):
        return None
    generate_csrf()
    actor = visitor.actor()
    # In an order of their own: a set of texts is iterated differently by each process of the server.
    roles = sorted(format_grant(grant) for grant in actor.grants)
    asset = cast("Callable[[str], str]", current_app.jinja_env.globals["asset"])
    hour = visitor.now().replace(minute=0, second=0, microsecond=0)
    return freshness.unchanged(
        __version__, asset("app.css"), actor.email, actor.name, roles, session.get("csrf_token"), hour, *shown
    )
