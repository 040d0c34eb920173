"""One's own account, and what one has to read."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.grant_ends import read_begin, read_end
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.accounts.absences import come_back, my_absence, say_away
from sop_server.services.accounts.own_account import change_password, my_sessions
from sop_server.services.accounts.people import get_person
from sop_server.services.accounts.provider_accounts import provider_standing
from sop_server.services.accounts.second_factor import second_factor
from sop_server.services.accounts.sign_in import end_session, sign_out_everywhere
from sop_server.services.accounts.tokens import list_tokens, revoke_token
from sop_server.services.participation.acknowledgements import to_read
from sop_server.services.reports.needs import owner_home
from sop_server.views import fields, refusals, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("me", __name__, url_prefix="/me")


@BLUEPRINT.get("")
def account() -> ResponseReturnValue:
    """Show who one is here: name, roles, teams, tokens, browsers."""
    return _page(refusals.NONE)


@BLUEPRINT.post("/password")
def password() -> ResponseReturnValue:
    """Set one's own password; other browsers are signed out by it."""
    form = request.form
    try:
        if form.get("password", "") != form.get("again", ""):
            raise InvalidInputError(
                "The two new passwords are not the same, so nothing was changed. Type both again.",
                fields={"again": "is not the same as the first"},
            )
        change_password(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            current=form.get("current", ""),
            password=form.get("password", ""),
            address=visitor.address(),
            token=_token(),
        )
    except REFUSED as error:
        return _page(refusal(error))
    flash("Your password is changed. All your other browsers are signed out.", "done")
    return redirect(url_for(".account"), 303)


@BLUEPRINT.post("/away")
def away() -> ResponseReturnValue:
    """Say from when until when one is away."""
    form, stores, now = request.form, visitor.stores(), visitor.now()
    try:
        zone = stores.policy.timezone
        first = read_begin(fields.text(form, "from"), zone=zone) if fields.text(form, "from") else now
        absence = say_away(
            stores,
            actor=visitor.actor(),
            now=now,
            begins_at=first,
            ends_at=read_end(fields.text(form, "until"), zone=zone),
            note=form.get("note"),
        )
    except REFUSED as error:
        return _page(refusal(error))
    begun = "You are away" if absence.begins_at <= now else "You will be away"
    flash(f"{begun}. The deputies of your SOPs are shown instead; nobody gets a right by it.", "done")
    return redirect(url_for(".account"), 303)


@BLUEPRINT.post("/away/end")
def back() -> ResponseReturnValue:
    """Say that one is here."""
    gone = come_back(visitor.stores(), actor=visitor.actor(), now=visitor.now())
    flash("Welcome back: you look after your SOPs again." if gone else "You were not away.", "done")
    return redirect(url_for(".account"), 303)


@BLUEPRINT.post("/sessions/end")
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere else."""
    ended = sign_out_everywhere(visitor.stores(), actor=visitor.actor(), now=visitor.now(), keep=_token())
    flash("You were signed in nowhere else." if not ended else "Your other browsers are signed out.", "done")
    return redirect(url_for(".account"), 303)


@BLUEPRINT.post("/sessions/<key>/end")
def end_one_session(key: str) -> ResponseReturnValue:
    """Sign one browser out; where it is this one, the sign-in comes next."""
    end_session(visitor.stores(), actor=visitor.actor(), now=visitor.now(), key=key)
    flash("The browser is signed out.", "done")
    return redirect(url_for(".account"), 303)


@BLUEPRINT.post("/tokens/<int:token_id>/revoke")
def revoke(token_id: int) -> ResponseReturnValue:
    """Make a token of one's own useless."""
    revoke_token(visitor.stores(), actor=visitor.actor(), now=visitor.now(), token_id=token_id)
    flash(f"Token {token_id} is revoked. Whatever uses it is refused from now on.", "done")
    return redirect(url_for(".account"), 303)


@BLUEPRINT.get("/needs")
def needs() -> ResponseReturnValue:
    """Tell how many things wait for the person: what the bell of every page shows."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    decides = any(actor.may_anywhere(one) for one in (Action.SEE_DRAFTS, Action.SCORE, Action.RECERTIFY))
    waiting = len(owner_home(stores, actor=actor, now=now).needs) if decides else 0
    return jsonify(count=waiting + len(to_read(stores, actor=actor, now=now)))


@BLUEPRINT.get("/reading")
def reading() -> ResponseReturnValue:
    """List everything that one has to read, what is due first at the top."""
    found = to_read(visitor.stores(), actor=visitor.actor(), now=visitor.now())
    return render_template("me/reading.html", found=found, teams=sorted(visitor.actor().teams))


def _token() -> str:
    return visitor.session_token()


def _page(refused: Refusal) -> ResponseReturnValue:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    page = render_template(
        "me/account.html",
        person=get_person(stores, actor=actor, now=now, email=actor.email),
        tokens=list_tokens(stores, actor=actor, email=actor.email),
        sessions=my_sessions(stores, actor=actor, now=now, token=_token()),
        factor=second_factor(stores, actor=actor),
        provider=provider_standing(stores, actor=actor, now=now, email=actor.email),
        absence=my_absence(stores, actor=actor, now=now),
        typed=request.form,
        reading=len(to_read(stores, actor=actor, now=now)),
        refused=refused,
    )
    return page, refused.status
