"""The names under which the server is reached: links are built from them, so that no request may make one up."""

from collections.abc import Collection

from flask import Flask, request
from werkzeug.exceptions import BadRequest

_PROBES = "probes"


def register(app: Flask, known: Collection[str]) -> None:
    """Refuse requests for other names than `known`, any well-formed one where there is none.

    Whoever watches the server asks for it by its address, so the probes answer under any name.
    """

    @app.before_request
    def _look() -> None:
        host = request.host
        if not host and request.headers.get("Host"):
            raise BadRequest("The name of the server in this request cannot be read. Check the address.")
        if known and request.blueprint != _PROBES and _name(host) not in known:
            raise BadRequest("This server is not known by that name. Use the address that you were given.")


def _name(host: str) -> str:
    """Return a host without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
