"""The JSON API: each view parses, calls one service and answers with one schema."""

from flask import Flask

from sop_server.api import door


def register(app: Flask) -> None:
    """Add the calls under `/api/v1`."""
    door.register(app)
