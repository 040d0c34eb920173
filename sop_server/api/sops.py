"""Reading SOPs and their revisions."""

from collections.abc import Callable

from sop_server.api.listing import part
from sop_server.api.routes import Call, Route
from sop_server.api.schemas.base import Listing, Paging
from sop_server.api.schemas.sops import (
    InstantQuery,
    Revision,
    RevisionWithText,
    Sop,
    SopQuery,
    SopWithText,
)
from sop_server.domain import identifiers
from sop_server.domain.permissions import Action
from sop_server.errors import InvalidInputError
from sop_server.services.library import reading
from sop_server.services.library.sop_views import SopPage


def list_sops(call: Call) -> Listing[Sop]:
    """List the SOPs in force, by id."""
    query = call.query(SopQuery)
    if query.cursor is not None and identifiers.parse_sop_id(query.cursor) is None:
        raise InvalidInputError(
            "This cursor was not given by this server. Start again without one.",
            fields={"cursor": "must be the `next` of the page before"},
        )
    page = reading.list_sops(
        call.stores,
        actor=call.actor,
        now=call.now,
        at=query.at,
        department=query.department,
        limit=query.limit,
        cursor=query.cursor,
    )
    return Listing[Sop](items=[Sop.model_validate(item) for item in page.items], next=page.next)


def get_sop(call: Call, sop_id: str) -> SopWithText:
    """Read one SOP in force, now or as of an instant."""
    query = call.query(
        InstantQuery, sight=lambda: reading.get_sop(call.stores, actor=call.actor, sop_id=sop_id, now=call.now)
    )
    page = reading.get_sop(call.stores, actor=call.actor, sop_id=sop_id, now=call.now, at=query.at)
    return _with_text(page)


def list_revisions(call: Call, sop_id: str) -> Listing[Revision]:
    """List the revisions of a SOP, the newest first; a retired SOP has its history too."""
    paging = call.query(Paging, sight=_history_in_sight(call, sop_id))
    rows = reading.list_revisions(call.stores, actor=call.actor, sop_id=sop_id, now=call.now)
    return part(rows, paging, Revision.model_validate, Listing[Revision])


def get_revision(call: Call, sop_id: str, number: int) -> RevisionWithText:
    """Read one revision with its text, whatever its state."""
    found = reading.get_revision(call.stores, actor=call.actor, sop_id=sop_id, number=number, now=call.now)
    return RevisionWithText.model_validate(found)


def _history_in_sight(call: Call, sop_id: str) -> Callable[[], object]:
    return lambda: reading.list_revisions(call.stores, actor=call.actor, sop_id=sop_id, now=call.now)


def _with_text(page: SopPage) -> SopWithText:
    return SopWithText.model_validate(
        {
            **Sop.model_validate(page.summary).model_dump(),
            "path": page.path,
            "at": page.at,
            "markdown": page.markdown,
            "html": page.html,
            "outline": page.outline,
            "front_matter": page.front_matter,
            "coming": page.coming,
            "break_glass": page.break_glass,
            "next_review_at": page.next_review_at,
            "latest_revision": page.latest_revision,
        }
    )


ROUTES = (
    Route("GET", "/sops", list_sops, Listing[Sop], action=Action.READ, query=SopQuery),
    Route(
        "GET",
        "/sops/<sop_id>",
        get_sop,
        SopWithText,
        action=Action.READ,
        query=InstantQuery,
        also={410: "Retired: the id answers so for ever"},
    ),
    Route("GET", "/sops/<sop_id>/revisions", list_revisions, Listing[Revision], action=Action.READ, query=Paging),
    Route("GET", "/sops/<sop_id>/revisions/<int:number>", get_revision, RevisionWithText, action=Action.READ),
)
