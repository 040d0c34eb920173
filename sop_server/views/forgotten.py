"""“I forgot my password”: a link by mail, and the same answer whoever asks for whom."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError
from sop_server.services.accounts.mailed_links import ask_for_link
from sop_server.views import fields, visitor

BLUEPRINT = Blueprint("forgotten", __name__, url_prefix="/login/forgotten")

_STATUSES = {InvalidInputError: 422, ForbiddenError: 429, ConflictError: 409}


@BLUEPRINT.get("")
def form() -> ResponseReturnValue:
    """Ask for the address, or say whom to ask where no mail is sent."""
    return _page()


@BLUEPRINT.post("")
def ask() -> ResponseReturnValue:
    """Have the link sent."""
    email = fields.text(request.form, "email")
    try:
        ask_for_link(visitor.stores(), email=email, address=visitor.address(), now=visitor.now())
    except (InvalidInputError, ForbiddenError, ConflictError) as error:
        return _page(email=email, message=error.message), _STATUSES[type(error)]
    return _page(email=email, asked=True)


def _page(*, email: str = "", message: str | None = None, asked: bool = False) -> str:
    mails = visitor.stores().mailer is not None
    return render_template("sign_in/forgotten.html", email=email, message=message, asked=asked, mails=mails)
