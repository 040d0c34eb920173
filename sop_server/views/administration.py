"""Administration: how departments work, whether the stores agree, and who did what."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.accounts.departments import (
    MOST_APPROVALS,
    list_departments,
    list_teams,
    name_department,
    name_team,
    set_rules,
)
from sop_server.services.publication.checking import check
from sop_server.services.trail.events import AuditFilter, list_audit_events
from sop_server.services.trail.exporting import export_trail
from sop_server.services.trail.proving import recent_proof
from sop_server.views import downloads, fields, refusals, visitor
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("administration", __name__, url_prefix="/admin")


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """Name what can be administered."""
    actor = visitor.actor()
    actor.require_anywhere(Action.ADMINISTER)
    return render_template("admin/index.html", everywhere=actor.may(Action.ADMINISTER, None))


@BLUEPRINT.get("/departments")
def departments() -> ResponseReturnValue:
    """Show the departments with the approvals that their drafts need, and the teams."""
    visitor.actor().require_anywhere(Action.ADMINISTER)
    return _departments_page(refusals.NONE)


@BLUEPRINT.post("/departments")
def set_department() -> ResponseReturnValue:
    """Give a department its name and its number of approvals; it comes to be where it is new."""
    stores, actor, now, form = visitor.stores(), visitor.actor(), visitor.now(), request.form
    slug = fields.text(form, "slug")
    actor.require_anywhere(Action.ADMINISTER)
    try:
        rules = _rules(form)
        if not rules and not fields.text(form, "name"):
            raise InvalidInputError(
                "Say what to set of the department: its name, or how it decides on its drafts. Nothing was changed.",
                fields={"name": "or a rule"},
            )
        known = {one.slug: one for one in list_departments(stores, now=now)}.get(slug)
        changed = {name: value for name, value in rules.items() if known is None or getattr(known, name) != value}
        if changed:
            set_rules(stores, actor=actor, now=now, slug=slug, **changed)
        if fields.text(form, "name") and (known is None or known.name != fields.text(form, "name")):
            name_department(stores, actor=actor, now=now, slug=slug, name=form["name"])
    except REFUSED as error:
        return _departments_page(refusal(error))
    flash(f"The department “{slug}” is set.", "done")
    return redirect(url_for(".departments"), 303)


@BLUEPRINT.post("/teams")
def set_team() -> ResponseReturnValue:
    """Give a team its name and its department; it comes to be where it is new."""
    form, slug = request.form, fields.text(request.form, "team")
    try:
        name_team(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            slug=slug,
            name=form.get("team_name", ""),
            department=fields.choice(form, "team_department"),
        )
    except REFUSED as error:
        return _departments_page(refusal(error))
    flash(f"The team “{slug}” is set.", "done")
    return redirect(url_for(".departments"), 303)


@BLUEPRINT.get("/check")
def check_stores() -> ResponseReturnValue:
    """Hold library, database, index and audit chain against each other, and tell what differs."""
    visitor.actor().require(Action.ADMINISTER, None)
    return render_template("admin/check.html", found=check(visitor.stores(), now=visitor.now()))


@BLUEPRINT.post("/check")
def repair_stores() -> ResponseReturnValue:
    """Mend what follows from the record."""
    visitor.actor().require(Action.ADMINISTER, None)
    found = check(visitor.stores(), now=visitor.now(), repair=True)
    for sentence in found.mended:
        flash(sentence, "done")
    if not found.mended:
        flash("There was nothing that could be made again from the record.", "note")
    return redirect(url_for(".check_stores"), 303)


@BLUEPRINT.get("/audit")
def audit() -> ResponseReturnValue:
    """Show who did what to what, the newest first, and whether the chain holds."""
    wanted, cursor = _wanted(), fields.choice(request.args, "cursor")
    chosen: dict[str, Any] = {name: getattr(wanted, name) for name in ("actor", "action", "subject")}
    chosen |= {name: at and format_instant(at) for name, at in (("since", wanted.since), ("until", wanted.until))}
    page = list_audit_events(visitor.stores(), actor=visitor.actor(), wanted=wanted, cursor=cursor)
    return render_template(
        "admin/audit.html",
        events=page.items,
        # Whoever pages on has seen it on the first page.
        proof=recent_proof(visitor.stores(), now=visitor.now()) if cursor is None else None,
        chosen=chosen,
        wanted=wanted,
        files={"csv": url_for(".audit_csv", **chosen), "json": url_for(".audit_json", **chosen)},
        following=page.next and url_for(".audit", **chosen, cursor=page.next),
        earlier=cursor is not None and url_for(".audit", **chosen),
    )


@BLUEPRINT.get("/audit.json")
def audit_json() -> ResponseReturnValue:
    """Give the events as JSON, with the hashes that prove them."""
    return _file("json")


@BLUEPRINT.get("/audit.csv")
def audit_csv() -> ResponseReturnValue:
    """Give the events for a spreadsheet."""
    return _file("csv")


def _file(form: str) -> ResponseReturnValue:
    parts = export_trail(visitor.stores(), actor=visitor.actor(), now=visitor.now(), wanted=_wanted(), form=form)
    return downloads.sent(parts, "audit", form)


def _wanted() -> AuditFilter:
    return AuditFilter(
        actor=fields.choice(request.args, "actor"),
        action=fields.choice(request.args, "action"),
        subject=fields.choice(request.args, "subject"),
        since=fields.instant(request.args, "since"),
        until=fields.instant(request.args, "until"),
    )


def _departments_page(refused: Refusal) -> ResponseReturnValue:
    stores, actor = visitor.stores(), visitor.actor()
    page = render_template(
        "admin/departments.html",
        departments=list_departments(stores, now=visitor.now()),
        teams=list_teams(stores, actor=actor),
        most=MOST_APPROVALS,
        everywhere=actor.may(Action.ADMINISTER, None),
        refused=refused,
        typed=request.form,
    )
    return page, refused.status


def _rules(form: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says of how a department decides; what it leaves open is missing."""
    found: dict[str, Any] = {}
    needed = fields.number(form, "approvals_needed")
    if needed is not None:
        found["approvals_needed"] = needed
    for name in ("signature", "break_glass"):
        chosen = fields.choice(form, name)
        if chosen not in {None, "yes", "no"}:
            raise InvalidInputError("Choose yes or no. Nothing was changed.", fields={name: "yes or no"})
        if chosen is not None:
            found[name] = chosen == "yes"
    return found
