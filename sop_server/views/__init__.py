"""The pages: each view parses, calls one service and renders."""

from flask import Flask

from sop_server.views import (
    assets,
    history,
    home,
    library,
    participation,
    probes,
    review,
    search,
    sign_in,
    taking_back,
    visitor,
    wording,
    writing,
)


def register(app: Flask) -> None:
    """Add the pages, and what their templates may use."""
    visitor.register(app)
    assets.register(app)
    wording.register(app)
    for page in (probes, sign_in, home, library, history, participation, search, writing, taking_back, review):
        app.register_blueprint(page.BLUEPRINT)
