"""The pages: each view parses, calls one service and renders."""

from flask import Flask

from sop_server.views import assets, probes, visitor, wording


def register(app: Flask) -> None:
    """Add the pages, and what their templates may use."""
    visitor.register(app)
    assets.register(app)
    wording.register(app)
    app.register_blueprint(probes.BLUEPRINT)
