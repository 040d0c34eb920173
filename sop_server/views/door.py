"""Letting somebody in: the cookie of a new session."""

from typing import TypeVar

from flask import request, session
from werkzeug.wrappers import Response

from sop_server.services.accounts.sign_in import sign_out
from sop_server.views import visitor

Answer = TypeVar("Answer", bound=Response)


def let_in(answer: Answer, token: str) -> Answer:
    """Return the answer with the cookie of a new session; the one that the browser had before is ended."""
    before = visitor.session_token()
    if before:
        sign_out(visitor.stores(), token=before, now=visitor.now())
    # A form's token from before the sign-in must not be good after it: somebody else may have planted it.
    session.clear()
    # Without an age: machines are shared, and the cookie goes when the browser is closed.
    answer.set_cookie(visitor.cookie_name(), token, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return answer
