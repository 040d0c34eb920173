"""The pages: each view parses, calls one service and renders."""

from flask import Flask

from sop_server.views import assets, probes, sign_in, visitor, wording


def register(app: Flask) -> None:
    """Add the pages, and what their templates may use."""
    visitor.register(app)
    assets.register(app)
    wording.register(app)
    for page in (probes, sign_in):
        app.register_blueprint(page.BLUEPRINT)
