"""Re-certification: campaigns in which every role is confirmed or removed, and the report that an auditor reads."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.grant_ends import read_end
from sop_server.domain.identifiers import MAX_DIGITS
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.accounts.expiring import ending_soon
from sop_server.services.accounts.recertification_views import (
    ItemFilter,
    ItemView,
    get_recertification,
    list_items,
    list_recertifications,
)
from sop_server.services.accounts.recertifications import decide, open_recertification
from sop_server.views import departments, downloads, fields, refusals, visitor, wording
from sop_server.views.refusals import REFUSED, Refusal, refusal

BLUEPRINT = Blueprint("recertifications", __name__, url_prefix="/admin/recertifications")

_COLUMNS = (
    "department",
    "person",
    "email",
    "role",
    "held since",
    "until",
    "given by",
    "outcome",
    "in bulk",
    "decided at",
    "decided by",
    "note",
)
_FILTERS = ("department", "q", "show")
_IN_VIEW = 100
_AT_ONCE = 200


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """List the campaigns, and the roles that soon end by themselves."""
    return _index(refusals.NONE)


@BLUEPRINT.post("/")
def begin() -> ResponseReturnValue:
    """Open a campaign for a department or for all."""
    actor, form = visitor.actor(), request.form
    actor.require_anywhere(Action.ADMINISTER)
    try:
        begun = open_recertification(
            visitor.stores(),
            actor=actor,
            now=visitor.now(),
            department=fields.choice(form, "department"),
            due_at=_due(),
            note=fields.choice(form, "note"),
        )
    except REFUSED as error:
        return _index(refusal(error))
    flash(f"{wording.count(begun.figures.total, 'role')} are to be confirmed or removed.", "done")
    return redirect(url_for(".recertification", recertification_id=begun.id), 303)


@BLUEPRINT.get("/<recertification_id>")
def recertification(recertification_id: str) -> ResponseReturnValue:
    """Show a campaign: who was asked, and each role with what became of it."""
    return _page(recertification_id, refusals.NONE)


@BLUEPRINT.post("/<recertification_id>/decisions")
def settle(recertification_id: str) -> ResponseReturnValue:
    """Keep or remove a role, or keep all that were in view."""
    form = request.form
    try:
        decided = decide(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            recertification_id=recertification_id,
            items=[
                int(one)
                for one in form.getlist("item")[:_AT_ONCE]
                if one.isascii() and one.isdigit() and len(one) <= MAX_DIGITS
            ],
            verdict=fields.text(form, "decision"),
            note=form.get("note"),
        )
    except REFUSED as error:
        return _page(recertification_id, refusal(error))
    if decided.done:
        kept = "kept" if form["decision"] == "keep" else "removed, and ended at once"
        flash(f"{wording.count(decided.done, 'role')} {'is' if decided.done == 1 else 'are'} {kept}.", "done")
    for sentence in decided.passed_over[:5]:
        flash(sentence, "note")
    if len(decided.passed_over) > 5:  # noqa: PLR2004 - as many as can be read
        flash(f"And {len(decided.passed_over) - 5} more were passed over.", "note")
    chosen: dict[str, Any] = {name: fields.choice(form, name) for name in (*_FILTERS, "cursor")}
    return redirect(url_for(".recertification", recertification_id=recertification_id, **chosen), 303)


@BLUEPRINT.get("/<recertification_id>.csv")
def as_csv(recertification_id: str) -> ResponseReturnValue:
    """Give the whole campaign as a table."""
    get_recertification(
        visitor.stores(), actor=visitor.actor(), now=visitor.now(), recertification_id=recertification_id
    )
    return downloads.csv_file(f"{recertification_id}", _COLUMNS, [_row(one) for one in _all(recertification_id)])


def _due() -> datetime:
    typed = fields.text(request.form, "due_at")
    if not typed:
        raise InvalidInputError(
            "Say by when the roles are to be decided. Nothing was opened.", fields={"due_at": "must be a day to come"}
        )
    return read_end(typed, zone=visitor.stores().policy.timezone, field="due_at")


def _all(recertification_id: str) -> Iterator[ItemView]:
    cursor: str | None = None
    while True:
        page = list_items(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            recertification_id=recertification_id,
            wanted=ItemFilter(),
            limit=_AT_ONCE,
            cursor=cursor,
        )
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


def _row(one: ItemView) -> Sequence[object]:
    return (
        one.department or "all",
        one.name,
        one.email,
        one.role,
        format_instant(one.since),
        "" if one.until is None else format_instant(one.until),
        one.granted_by_name or "",
        "not decided" if one.outcome is None else one.outcome.value,
        "yes" if one.bulk else "",
        "" if one.decided_at is None else format_instant(one.decided_at),
        one.decided_by_name or "",
        one.note or "",
    )


def _index(refused: Refusal) -> ResponseReturnValue:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    reach = actor.reach(Action.ADMINISTER)
    named = departments.named()
    page = render_template(
        "admin/recertifications.html",
        campaigns=list_recertifications(stores, actor=actor, now=now),
        ending=ending_soon(stores, actor=actor, now=now),
        opens=actor.may_anywhere(Action.ADMINISTER),
        everywhere=reach is None,
        to_open=[(slug, name) for slug, name in named.items() if reach is None or slug in reach],
        named=named,
        schedule=stores.policy.recertification,
        days=stores.policy.recertification_days,
        refused=refused,
        typed=request.form,
    )
    return page, refused.status


def _page(recertification_id: str, refused: Refusal) -> ResponseReturnValue:
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    given = request.form if request.method == "POST" else request.args
    campaign = get_recertification(stores, actor=actor, now=now, recertification_id=recertification_id)
    chosen: dict[str, Any] = {name: fields.choice(given, name) for name in _FILTERS}
    running = campaign.closed_at is None
    if chosen["show"] is None:
        chosen["show"] = "left" if running and campaign.figures.left else "all"
    cursor = fields.choice(given, "cursor")
    wanted = ItemFilter(chosen["department"], chosen["q"], undecided=chosen["show"] == "left")
    page = list_items(
        stores,
        actor=actor,
        now=now,
        recertification_id=recertification_id,
        wanted=wanted,
        limit=_IN_VIEW,
        cursor=cursor,
    )
    shown = render_template(
        "admin/recertification.html",
        campaign=campaign,
        running=running,
        items=page.items,
        mine=[one.id for one in page.items if one.refusal is None],
        chosen=chosen,
        cursor=cursor,
        following=page.next and url_for(".recertification", recertification_id=campaign.id, **chosen, cursor=page.next),
        earlier=cursor and url_for(".recertification", recertification_id=campaign.id, **chosen),
        named=departments.named(),
        refused=refused,
        typed=request.form,
    )
    return shown, refused.status
