"""Somebody leaves: what they hold, who takes it over, and the one step that does it."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.accounts.people import get_person, list_people
from sop_server.services.leaving.departing import leave, look, preview
from sop_server.services.leaving.planning import Plan, Successors
from sop_server.services.paging import MAX_LIMIT
from sop_server.views import departments, fields, refusals, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("leaving", __name__, url_prefix="/admin/people")

_IN = "to-"


@BLUEPRINT.get("/<email>/leave")
def form(email: str) -> ResponseReturnValue:
    """Ask who takes over, and show what goes to whom before anything is done."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    held = look(stores, actor=actor, now=now, email=email)
    asked = "to" in request.args or not held.needs_successor
    try:
        plan = preview(stores, actor=actor, now=now, email=email, successors=_successors()) if asked else None
    except REFUSED as error:
        return _page(email, None, refusal(error))
    return _page(email, plan, refusals.NONE)


@BLUEPRINT.post("/<email>/leave")
def carry_out(email: str) -> ResponseReturnValue:
    """Hand over and end access; doing it again does what is still to be done."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    actor.require(Action.ADMINISTER, None)
    found = get_person(stores, actor=actor, now=now, email=email)
    try:
        if "seen" not in request.form:
            raise InvalidInputError("Look at what goes to whom first. Nothing was changed.")
        done = leave(
            stores,
            actor=actor,
            now=now,
            email=email,
            successors=_successors(),
            reason=request.form.get("reason", ""),
        )
    except REFUSED as error:
        return _page(email, None, refusal(error))
    return render_template("admin/left.html", person=found, done=done, plan=done.plan, departments=departments.named())


def _successors() -> Successors:
    named = {key.removeprefix(_IN): value.strip() for key, value in request.values.items() if key.startswith(_IN)}
    return Successors(
        request.values.get("to", "").strip() or None,
        {department: email for department, email in named.items() if email},
    )


def _page(email: str, plan: Plan | None, refused: Refusal) -> ResponseReturnValue:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    actor.require(Action.ADMINISTER, None)
    person = get_person(stores, actor=actor, now=now, email=email)
    known = list_people(stores, actor=actor, now=now, limit=MAX_LIMIT).items
    page = render_template(
        "admin/leave.html",
        person=person,
        held=None if person.email == actor.email else look(stores, actor=actor, now=now, email=email),
        plan=plan,
        chosen=_successors(),
        reason=fields.text(request.values, "reason"),
        people=[one.email for one in known if one.active and one.email != person.email],
        departments=departments.named(),
        refused=refused,
    )
    return page, refused.status
