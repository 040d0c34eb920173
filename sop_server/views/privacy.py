"""What is held about people: as a file for them, and erased when their access has ended."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.permissions import Action
from sop_server.services.accounts.people import get_person
from sop_server.services.privacy.erasing import erase, look
from sop_server.services.privacy.telling import held_about
from sop_server.views import refusals, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("privacy", __name__)

_MOST_TOLD = 20


@BLUEPRINT.get("/me/held.json")
def my_data() -> ResponseReturnValue:
    """Give somebody everything that is held about them."""
    return _file(visitor.actor().email)


@BLUEPRINT.get("/admin/people/<email>/held.json")
def their_data(email: str) -> ResponseReturnValue:
    """Give an administrator everything that is held about one person, to hand over to them."""
    visitor.actor().require(Action.ADMINISTER, None)
    return _file(email)


@BLUEPRINT.get("/admin/people/<email>/erase")
def form(email: str) -> ResponseReturnValue:
    """Say what is erased, what stays, and what a person has to look at."""
    return _page(email, refusals.NONE)


@BLUEPRINT.post("/admin/people/<email>/erase")
def carry_out(email: str) -> ResponseReturnValue:
    """Erase the person whose address was typed once more."""
    try:
        done = erase(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            email=email,
            typed=request.form.get("typed", ""),
        )
    except REFUSED as error:
        return _page(email, refusal(error))
    flash(f"Erased. What is left is called “former colleague {done.key}”.", "done")
    if done.mentions:
        flash(f"{len(done.mentions)} texts that people typed still name them; they were listed before.", "note")
    return redirect(url_for("people.index"), 303)


def _file(email: str) -> Response:
    text = held_about(visitor.stores(), actor=visitor.actor(), now=visitor.now(), email=email)
    answer = Response(text, content_type="application/json")
    answer.headers["Content-Disposition"] = "attachment; filename=held.json"
    return answer


def _page(email: str, refused: Refusal) -> ResponseReturnValue:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    actor.require(Action.ADMINISTER, None)
    person = get_person(stores, actor=actor, now=now, email=email)
    try:
        found = look(stores, actor=actor, now=now, email=email)
    except REFUSED as error:
        found, refused = None, refusal(error)
    page = render_template(
        "admin/erase.html",
        person=person,
        found=found,
        shown=found.mentions[:_MOST_TOLD] if found else (),
        refused=refused,
    )
    return page, refused.status
