"""Finding a procedure."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.facts import FeedbackKind
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.library.searching import Found, Query, search
from sop_server.services.participation.acknowledgements import to_read
from sop_server.services.participation.feedback import give_feedback
from sop_server.views import departments, fields, sop_actions, visitor
from sop_server.views.addresses import to
from sop_server.views.facets import groups, shown_filters

BLUEPRINT = Blueprint("search", __name__)

_PAGE = 20
_NEAREST = 3
_BEGINNING = 4


@BLUEPRINT.get("/search")
def results() -> ResponseReturnValue:
    """Show what fits; the id of a SOP typed alone leads there."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    query = _query()
    found = search(stores, actor=actor, query=query, now=now)
    if found.direct is not None and len(request.args) == 1:
        return sop_actions.to_sop(found.direct)
    nearest = () if found.items else _nearest(query, found.did_you_mean)
    return render_template(
        "search/results.html",
        q=query.text,
        query=query,
        found=found,
        nearest=nearest,
        groups=groups(found, query, departments.named()),
        filters=shown_filters(query, departments.named()),
        unread={
            one.sop_id for one in to_read(stores, actor=actor, now=now, among=[hit.sop.sop_id for hit in found.items])
        },
        names=departments.named(),
        following=found.next_offset and to(".results", {**request.args, "from": found.next_offset}),
        earlier=query.offset and to(".results", {**request.args, "from": max(0, query.offset - _PAGE)}),
        suggested=found.did_you_mean and to(".results", {**request.args, "q": found.did_you_mean}),
        row=departments.row(),
    )


@BLUEPRINT.get("/search/missing")
def missing() -> ResponseReturnValue:
    """Ask what nobody wrote down yet."""
    visitor.actor().require_anywhere(Action.REPORT)
    return render_template("search/missing.html", typed={"words": fields.text(request.args, "q")}, error=None)


@BLUEPRINT.post("/search/missing")
def report_missing() -> ResponseReturnValue:
    """Keep that a procedure is missing, for whoever triages feedback."""
    visitor.actor().require_anywhere(Action.REPORT)
    words = fields.text(request.form, "words")
    try:
        give_feedback(
            visitor.stores(),
            actor=visitor.actor(),
            now=visitor.now(),
            sop_id=None,
            kind=FeedbackKind.EDGE_CASE,
            what_happened=_missing(words, request.form.get("what_happened", "")),
            case_reference=fields.text(request.form, "case_reference"),
        )
    except InvalidInputError as error:
        return render_template("search/missing.html", typed=request.form, error=error), 422
    flash("Thank you. It is with the owners, who write it or say where it stands.", "done")
    return redirect(url_for("home.index"), 303)


def _missing(words: str, case: str) -> str:
    if not words:
        raise InvalidInputError("Say what you looked for.", fields={"words": "must not be empty"})
    return f"No SOP for: {words}\n\n{case.strip()}".strip()


def _query() -> Query:
    stale = {"yes": True, "no": False}.get(request.args.get("stale", ""))
    return Query(
        text=request.args.get("q", "").strip(),
        department=fields.choice(request.args, "department"),
        process=fields.choice(request.args, "process"),
        system=fields.choice(request.args, "system"),
        tag=fields.choice(request.args, "tag"),
        stale=stale,
        at=fields.instant(request.args, "at"),
        limit=_PAGE,
        offset=fields.number(request.args, "from") or 0,
    )


def _nearest(query: Query, suggestion: str | None) -> tuple[Found, ...]:
    """Return three that are near: by the words as they were meant, without the filters, by how the words begin."""
    stores, actor, now = visitor.stores(), visitor.actor(), visitor.now()
    beginnings = [f"{word[:_BEGINNING]}*" for word in sorted(query.text.split(), key=len, reverse=True)[:2]]
    for text in [suggestion, query.text, *beginnings]:
        if text:
            # As of this instant: what finds nothing here was not typed by anybody, and is not kept as missing.
            found = search(stores, actor=actor, query=Query(text=text, limit=_NEAREST, at=now), now=now)
            if found.items:
                return found.items
    return ()
