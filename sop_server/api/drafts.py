"""Drafts: from the first word to the decision."""

from collections.abc import Callable
from http import HTTPStatus

from flask import request

from sop_server.api import signing
from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing, Nothing
from sop_server.api.schemas.drafts import (
    Approve,
    Approved,
    Draft,
    DraftChange,
    DraftCreate,
    DraftQuery,
    RequestChanges,
)
from sop_server.domain.drafts import require_not_author
from sop_server.domain.permissions import Action
from sop_server.errors import StaleEditError
from sop_server.services.drafts import approving, draft_lists, drafting, reviewing
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput


def list_drafts(call: Call) -> Listing[Draft]:
    """List drafts, the newest first; `state` takes several values with commas between them."""
    query = call.query(DraftQuery)
    page = draft_lists.list_drafts(
        call.stores,
        actor=call.actor,
        now=call.now,
        states=None if query.state is None else [one.strip() for one in query.state.split(",")],
        sop_id=query.sop_id,
        limit=query.limit,
        cursor=query.cursor,
        texts=True,
    )
    items = [Draft.model_validate(item) for item in page.items]
    return Listing[Draft](items=items, next=page.next)


def create_draft(call: Call) -> Reply:
    """Start a draft on a SOP in force, or of a new SOP."""
    body = call.body(DraftCreate)
    given = DraftInput(
        content=body.content,
        change_summary=body.change_summary,
        significance=body.significance,
        tickets=body.tickets,
        effective_from=body.effective_from,
        base_revision=body.base_revision,
    )
    created = drafting.create_draft(
        call.stores,
        actor=call.actor,
        given=given,
        now=call.now,
        sop_id=body.sop_id,
        path=body.path,
        kind=body.kind,
        reverts=body.reverts,
    )
    return _shown(created, status=HTTPStatus.CREATED)


def get_draft(call: Call, draft_id: str) -> Reply:
    """Read one draft; its ETag guards an edit."""
    return _shown(draft_lists.get_draft(call.stores, actor=call.actor, draft_id=draft_id, now=call.now))


def edit_draft(call: Call, draft_id: str) -> Reply:
    """Save a draft; with `If-Match`, only where nobody saved it meanwhile."""
    known = draft_lists.get_draft(call.stores, actor=call.actor, draft_id=draft_id, now=call.now)
    body = call.body(DraftChange, sight=lambda: call.actor.require(Action.DRAFT, known.department))
    given = DraftInput(
        content=body.content,
        change_summary=body.change_summary,
        significance=body.significance,
        tickets=body.tickets,
        effective_from=body.effective_from,
        base_revision=body.base_revision,
    )
    saved = drafting.edit_draft(
        call.stores, actor=call.actor, draft_id=draft_id, given=given, now=call.now, version=_expected_version(known)
    )
    return _shown(saved)


def submit_draft(call: Call, draft_id: str) -> Reply:
    """Ask for approval."""
    call.body(Nothing, sight=_writer_in_sight(call, draft_id))
    return _shown(drafting.submit_draft(call.stores, actor=call.actor, draft_id=draft_id, now=call.now))


def withdraw_draft(call: Call, draft_id: str) -> Reply:
    """Give a draft up."""
    call.body(Nothing, sight=_writer_in_sight(call, draft_id))
    return _shown(drafting.withdraw_draft(call.stores, actor=call.actor, draft_id=draft_id, now=call.now))


def approve_draft(call: Call, draft_id: str) -> Approved:
    """Approve the exact text; the approval that completes what is needed publishes it."""
    body = call.body(Approve, sight=_decider_in_sight(call, draft_id))
    outcome = approving.approve(
        call.stores,
        actor=call.actor,
        draft_id=draft_id,
        content_hash=body.content_hash,
        effective_from=body.effective_from,
        comment=body.comment,
        now=call.now,
        attempt=signing.attempt(body.signature),
    )
    return Approved.model_validate(outcome)


def request_changes(call: Call, draft_id: str) -> Reply:
    """Send a draft back, with what has to change."""
    body = call.body(RequestChanges, sight=_decider_in_sight(call, draft_id))
    sent_back = approving.request_changes(
        call.stores,
        actor=call.actor,
        draft_id=draft_id,
        comment=body.comment,
        content_hash=body.content_hash,
        now=call.now,
    )
    return _shown(sent_back)


def _shown(draft: DraftView, *, status: int = HTTPStatus.OK) -> Reply:
    return Reply(Draft.model_validate(draft), status=status, tag=str(draft.version))


def _expected_version(draft: DraftView) -> int | None:
    """Return the version that an edit is bound to; raises StaleEditError where `If-Match` names another.

    The content's hash is taken for a tag too, since every answer shows it. Tags that a proxy made weak count.
    """
    if "If-Match" not in request.headers:
        return None
    wanted = request.if_match
    if wanted.contains_weak(str(draft.version)) or wanted.contains_weak(draft.content_hash):
        return draft.version
    raise StaleEditError(
        "Somebody saved this draft after you read it. Your text was not stored over theirs: "
        "keep it, read the draft again, and bring both together."
    )


def _writer_in_sight(call: Call, draft_id: str) -> Callable[[], None]:
    def look() -> None:
        known = draft_lists.get_draft(call.stores, actor=call.actor, draft_id=draft_id, now=call.now)
        call.actor.require(Action.DRAFT, known.department)

    return look


def _decider_in_sight(call: Call, draft_id: str) -> Callable[[], None]:
    def look() -> None:
        known = reviewing.review_of(call.stores, actor=call.actor, draft_id=draft_id, now=call.now)
        require_not_author(call.actor.person_id, {call.actor.person_id} if known.is_author else set())

    return look


_MOVED_ON = {409: "The draft is in another state, or another text; `content_hash` is that of the text now"}

ROUTES = (
    Route("GET", "/drafts", list_drafts, Listing[Draft], action=Action.SEE_DRAFTS, query=DraftQuery),
    Route(
        "POST",
        "/drafts",
        create_draft,
        Draft,
        action=Action.DRAFT,
        body=DraftCreate,
        status=HTTPStatus.CREATED,
        also={404: "No such SOP in force", 410: "The SOP is retired"},
    ),
    Route("GET", "/drafts/<draft_id>", get_draft, Draft, action=Action.SEE_DRAFTS),
    Route(
        "PUT",
        "/drafts/<draft_id>",
        edit_draft,
        Draft,
        action=Action.DRAFT,
        body=DraftChange,
        also={**_MOVED_ON, 412: "Somebody saved it meanwhile"},
    ),
    Route("POST", "/drafts/<draft_id>/submit", submit_draft, Draft, action=Action.DRAFT, body=Nothing, also=_MOVED_ON),
    Route(
        "POST", "/drafts/<draft_id>/withdraw", withdraw_draft, Draft, action=Action.DRAFT, body=Nothing, also=_MOVED_ON
    ),
    Route(
        "POST",
        "/drafts/<draft_id>/approve",
        approve_draft,
        Approved,
        action=Action.DECIDE,
        body=Approve,
        also={
            **_MOVED_ON,
            403: "Not allowed, or the signature is wrong",
            422: "What was sent cannot be used, or a signature is asked for and absent",
        },
    ),
    Route(
        "POST",
        "/drafts/<draft_id>/request-changes",
        request_changes,
        Draft,
        action=Action.DECIDE,
        body=RequestChanges,
        also=_MOVED_ON,
    ),
)
