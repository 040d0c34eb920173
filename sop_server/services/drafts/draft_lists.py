"""Finding drafts: one, or a list of those that the actor may see."""

from collections.abc import Collection
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.drafts import DraftState
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import InvalidInputError
from sop_server.services.drafts.draft_views import DraftView, Looking, draft_in_sight, may_see, texts_of, view, views
from sop_server.services.paging import Page, check_limit, number_after
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from sop_server.storage.database import Session
from sop_server.storage.tables import Draft


def get_draft(stores: Stores, *, actor: Actor, draft_id: str, now: datetime) -> DraftView:
    """Return a draft with its text. Raises NotFoundError for one that the actor may not see."""
    actor.require_anywhere(Action.SEE_DRAFTS)
    with stores.database.read() as session:
        return view(stores, session, draft_in_sight(session, actor, draft_id, now=now), Looking(actor, now))


def list_drafts(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    states: Collection[str] | None = None,
    sop_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    texts: bool = False,
) -> Page[DraftView]:
    """Return drafts, the newest first, with their `texts` if wanted; of all states unless some are asked for."""
    actor.require_anywhere(Action.SEE_DRAFTS)
    check_limit(limit)
    unknown = set(states or ()) - set(DraftState)
    if unknown:
        raise InvalidInputError(
            f"There is no draft state “{', '.join(sorted(unknown))}”.", fields={"state": ", ".join(DraftState)}
        )
    found: list[Draft] = []
    before = number_after(cursor)
    with stores.database.read() as session:
        while len(found) <= limit:
            rows = drafts.draft_rows(session, states=states, sop_id=sop_id, before=before, limit=limit + 1)
            found += [row for row in rows if may_see(session, actor, row, now=now)]
            if len(rows) <= limit:
                break
            before = rows[-1].id
        contents = texts_of(stores, found[:limit]) if texts else None
        shown = views(session, found[:limit], Looking(actor, now), contents=contents)
    return Page(tuple(shown), str(found[limit - 1].id) if len(found) > limit else None)


def drafts_of_sop(
    session: Session, actor: Actor, sop_id: str, *, states: Collection[str], now: datetime, limit: int
) -> tuple[DraftView, ...]:
    """Return the newest drafts of a SOP in some states, as far as the actor may see them, without their texts."""
    rows = drafts.draft_rows(session, states=states, sop_id=sop_id, before=None, limit=limit)
    seen = [row for row in rows if may_see(session, actor, row, now=now)]
    return tuple(views(session, seen, Looking(actor, now)))


def drafts_of_tickets(
    stores: Stores, *, actor: Actor, ticket_ids: Collection[int], now: datetime
) -> dict[int, list[DraftView]]:
    """Return the drafts that reference each ticket, as far as the actor may see them; the oldest first."""
    with stores.database.read() as session:
        pairs = [
            (ticket_id, draft)
            for ticket_id, draft in drafts.drafts_for_tickets(session, ticket_ids)
            if may_see(session, actor, draft, now=now)
        ]
        rows = list({draft.id: draft for _, draft in pairs}.values())
        shown = {one.id: one for one in views(session, rows, Looking(actor, now))}
    found: dict[int, list[DraftView]] = {}
    for ticket_id, draft in pairs:
        found.setdefault(ticket_id, []).append(shown[identifiers.draft_id(draft.id)])
    return found
