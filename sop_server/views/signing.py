"""What a form signs a decision with."""

from flask import request

from sop_server.services.accounts.signing import Attempt
from sop_server.views import visitor


def attempt() -> Attempt:
    """Return what was typed to sign with, and from where."""
    form = request.form
    return Attempt(visitor.seal(), visitor.address(), password=form.get("password", ""), code=form.get("code", ""))
