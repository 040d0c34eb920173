"""What a call signs a decision with."""

from flask import current_app, request

from sop_server.api.schemas.signatures import Sign
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.signing import Attempt


def attempt(sent: Sign | None) -> Attempt | None:
    """Return what was sent to sign with, and from where; None where nothing was."""
    if sent is None:
        return None
    seal: Seal = current_app.extensions["seal"]
    return Attempt(seal, request.remote_addr or "", password=sent.password, code=sent.code)
