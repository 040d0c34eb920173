"""The people of the library, as administrators see them: who they are, what they may do, how they come in."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.grant_ends import read_end
from sop_server.domain.permissions import Action, Role
from sop_server.domain.roles import format_grant, parse_grant
from sop_server.errors import ConflictError, InvalidInputError, NotFoundError
from sop_server.services.accounts import people, second_factor
from sop_server.services.accounts.departments import list_departments, list_teams
from sop_server.services.accounts.mailed_links import invite
from sop_server.services.accounts.person_views import PersonView
from sop_server.services.accounts.provider_accounts import provider_standing, undo_link
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.accounts.tokens import create_token, list_tokens, revoke_token
from sop_server.views import departments, fields, refusals, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("people", __name__, url_prefix="/admin/people")

_HELD = {
    "reader": "reads, acknowledges, reports problems",
    "editor": "writes drafts, keeps tickets, reviews, triages",
    "approver": "approves drafts of others, confirms what is not needed",
    "manager": "keeps processes and go-lives, sees all reports",
    "admin": "keeps people, tokens and settings; nothing editorial",
}


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """List everybody by address."""
    words, cursor = fields.choice(request.args, "q"), fields.choice(request.args, "cursor")
    page = people.list_people(visitor.stores(), actor=visitor.actor(), now=visitor.now(), words=words, cursor=cursor)
    return render_template(
        "admin/people.html",
        people=page.items,
        words=words,
        following=page.next and url_for(".index", q=words, cursor=page.next),
        earlier=cursor is not None and url_for(".index", q=words),
    )


@BLUEPRINT.get("/new")
def new() -> ResponseReturnValue:
    """Ask for a new person."""
    visitor.actor().require_anywhere(Action.ADMINISTER)
    return _new_form({}, refusals.NONE)


@BLUEPRINT.post("/new")
def add() -> ResponseReturnValue:
    """Add a person; one who exists is not changed by it."""
    form, email = request.form, fields.text(request.form, "email").lower()
    try:
        _refuse_known(email)
        added = people.add_person(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            email=email,
            name=form.get("name", ""),
            roles=fields.names(form, "roles"),
            teams=fields.names(form, "teams"),
        )
    except REFUSED as error:
        return _new_form(form, refusal(error))
    flash(
        f"{added.person.name} is added. Make a sign-in link and hand it over: it lets them choose a password.", "done"
    )
    return _to(added.person.email)


@BLUEPRINT.get("/<email>")
def person(email: str) -> ResponseReturnValue:
    """Show one person with everything that can be done."""
    return _page(email, refusals.NONE)


@BLUEPRINT.post("/<email>/name")
def rename(email: str) -> ResponseReturnValue:
    """Correct the name."""
    return _done(
        email,
        lambda given: people.rename_person(**given, name=request.form.get("name", "")),
        "{name} is the name from now on.",
    )


@BLUEPRINT.post("/<email>/roles")
def grant_role(email: str) -> ResponseReturnValue:
    """Give a role, for one department or for all."""
    return _done(
        email,
        lambda given: people.grant_role(
            **given, role=_role(request.form), until=_until(), reason=fields.choice(request.form, "reason")
        ),
        "{name} has the role from now on.",
    )


@BLUEPRINT.post("/<email>/roles/until")
def set_end(email: str) -> ResponseReturnValue:
    """Say until when a role is held, or that it has no end."""
    form = request.form
    return _done(
        email,
        lambda given: people.set_end(
            **given, role=fields.text(form, "held"), until=_until(), reason=form.get("reason", "")
        ),
        "The end of the role is set. {name} is told on their own page.",
    )


@BLUEPRINT.post("/<email>/roles/end")
def end_role(email: str) -> ResponseReturnValue:
    """End a role."""
    role = fields.text(request.form, "held")
    return _done(email, lambda given: people.end_role(**given, role=role), "{name} is no longer " + f"“{role}”.")


@BLUEPRINT.post("/<email>/teams")
def join_team(email: str) -> ResponseReturnValue:
    """Put the person into a team."""
    team = fields.text(request.form, "team")
    return _done(
        email,
        lambda given: people.join_team(**given, team=team),
        "{name} is in the team from now on, and reads for it.",
    )


@BLUEPRINT.post("/<email>/teams/leave")
def leave_team(email: str) -> ResponseReturnValue:
    """Take the person out of a team."""
    team = fields.text(request.form, "member_of")
    return _done(email, lambda given: people.leave_team(**given, team=team), "{name} has left the team.")


@BLUEPRINT.post("/<email>/deactivate")
def deactivate(email: str) -> ResponseReturnValue:
    """Let the person do nothing any more."""
    return _done(
        email,
        lambda given: people.deactivate_person(**given),
        "{name} can do nothing any more, on no device. What they did keeps their name.",
    )


@BLUEPRINT.post("/<email>/reactivate")
def reactivate(email: str) -> ResponseReturnValue:
    """Let the person in again."""
    return _done(email, lambda given: people.reactivate_person(**given), "{name} may come in again.")


@BLUEPRINT.post("/<email>/link")
def make_link(email: str) -> ResponseReturnValue:
    """Make a one-time sign-in link. It is in this answer alone, and never in a cookie, so there is no redirect."""
    token = create_sign_in_link(visitor.stores(), actor=visitor.actor(), now=visitor.now(), email=email)
    return _page(email, refusals.NONE, link=url_for("sign_in.link", token=token, _external=True))


@BLUEPRINT.post("/<email>/invitation")
def send_invitation(email: str) -> ResponseReturnValue:
    """Have a sign-in link sent by mail."""
    try:
        invite(visitor.stores(), actor=visitor.actor(), email=email, now=visitor.now())
    except REFUSED as error:
        return _page(email, refusal(error))
    flash("The mail is on its way. Its link signs in once, within 72 hours; earlier links end when it is sent.", "done")
    return _to(email)


@BLUEPRINT.post("/<email>/second-factor/reset")
def reset_second_factor(email: str) -> ResponseReturnValue:
    """Take the second factor of somebody who lost it away."""
    try:
        second_factor.reset(visitor.stores(), actor=visitor.actor(), now=visitor.now(), email=email)
    except REFUSED as error:
        return _page(email, refusal(error))
    flash("The second factor is reset, and every browser is signed out. A new one is set up after the sign-in.", "done")
    return _to(email)


@BLUEPRINT.post("/<email>/provider/undo")
def undo_provider_link(email: str) -> ResponseReturnValue:
    """Undo the link with an account of the identity provider."""
    try:
        name = undo_link(visitor.stores(), actor=visitor.actor(), now=visitor.now(), email=email)
    except REFUSED as error:
        return _page(email, refusal(error))
    flash(f"The link of {name} is undone, and every browser is signed out. The next sign-in there links anew.", "done")
    return _to(email)


@BLUEPRINT.post("/<email>/tokens")
def make_token(email: str) -> ResponseReturnValue:
    """Make an API token. It is in this answer alone, and never in a cookie, so there is no redirect."""
    try:
        token = create_token(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            email=email,
            scope=fields.text(request.form, "scope"),
        )
    except REFUSED as error:
        return _page(email, refusal(error))
    return _page(email, refusals.NONE, token=token)


@BLUEPRINT.post("/<email>/tokens/<int:token_id>/revoke")
def revoke(email: str, token_id: int) -> ResponseReturnValue:
    """Make a token useless."""
    visitor.actor().require(Action.ADMINISTER, None)
    revoke_token(visitor.stores(), actor=visitor.actor(), now=visitor.now(), token_id=token_id)
    flash(f"Token {token_id} is revoked. Whatever uses it is refused from now on.", "done")
    return _to(email)


def _done(email: str, change: Callable[[dict[str, Any]], PersonView], words: str) -> ResponseReturnValue:
    """Make one change to a person, and go back to their page, or show it with what was wrong."""
    given = {"stores": visitor.stores(), "actor": visitor.actor(), "now": visitor.now(), "email": email}
    try:
        changed = change(given)
    except REFUSED as error:
        return _page(email, refusal(error))
    flash(words.replace("{name}", changed.name), "done")
    return _to(email)


def _role(form: Mapping[str, str]) -> str:
    department = fields.text(form, "department")
    role = fields.text(form, "role")
    if department and department not in {one.slug for one in list_departments(visitor.stores(), now=visitor.now())}:
        # A role brings its department into being elsewhere; here a slip of the pen would give a role over nothing.
        raise InvalidInputError(
            f"There is no department “{department}”. Choose one of the list, or make it under Departments and teams"
            " first. Nothing was changed.",
            fields={"department": "is not known"},
        )
    return format_grant(parse_grant(f"{role}@{department}" if department else role))


def _until() -> datetime | None:
    typed = fields.text(request.form, "until")
    return read_end(typed, zone=visitor.stores().policy.timezone) if typed else None


def _refuse_known(email: str) -> None:
    visitor.actor().require_anywhere(Action.ADMINISTER)
    try:
        known = people.get_person(visitor.stores(), actor=visitor.actor(), now=visitor.now(), email=email)
    except NotFoundError:
        return
    raise ConflictError(
        f"{known.name} has this address already. Nothing was changed; open the person and give them what is missing.",
        fields={"email": "belongs to somebody already"},
    )


def _new_form(typed: Mapping[str, str], refused: Refusal) -> ResponseReturnValue:
    teams = [one.slug for one in list_teams(visitor.stores(), actor=visitor.actor())]
    page = render_template("admin/new_person.html", typed=typed, refused=refused, held=_HELD, teams=teams)
    return page, refused.status


def _page(email: str, refused: Refusal, *, link: str | None = None, token: str | None = None) -> ResponseReturnValue:
    stores, actor = visitor.stores(), visitor.actor()
    actor.require_anywhere(Action.ADMINISTER)
    everywhere = actor.may(Action.ADMINISTER, None)
    found = people.get_person(stores, actor=actor, now=visitor.now(), email=email)
    page = render_template(
        "admin/person.html",
        person=found,
        tokens=list_tokens(stores, actor=actor, email=found.email) if everywhere else (),
        everywhere=everywhere,
        mails=stores.mailer is not None,
        second_factor=everywhere and second_factor.has_second_factor(stores, actor=actor, email=found.email),
        provider=provider_standing(stores, actor=actor, now=visitor.now(), email=found.email),
        departments=departments.named(),
        teams=[one.slug for one in list_teams(stores, actor=actor)],
        roles=[(role.value, f"{role.value}: {_HELD[role]}") for role in Role],
        refused=refused,
        typed=request.form,
        link=link,
        token=token,
    )
    return page, refused.status


def _to(email: str) -> ResponseReturnValue:
    return redirect(url_for(".person", email=email), 303)
