"""Calls about oneself."""

from sop_server.api.listing import part
from sop_server.api.routes import Call, Route
from sop_server.api.schemas.base import Listing, Paging
from sop_server.api.schemas.me import Me
from sop_server.api.schemas.participation import Feedback, FeedbackQuery, ToRead
from sop_server.domain.roles import format_grant
from sop_server.services.participation import acknowledgements, feedback


def get_me(call: Call) -> Me:
    """Tell for whom the token acts, and what they may do."""
    actor = call.actor
    return Me(
        email=actor.email,
        name=actor.name,
        roles=sorted(format_grant(grant) for grant in actor.grants),
        teams=sorted(actor.teams),
        scope=actor.scope.value,
    )


def list_to_read(call: Call) -> Listing[ToRead]:
    """List what your teams have to read and you have not, what is due first at the top."""
    paging = call.query(Paging)
    found = acknowledgements.to_read(call.stores, actor=call.actor, now=call.now)
    return part(found, paging, ToRead.model_validate, Listing[ToRead])


def list_my_feedback(call: Call) -> Listing[Feedback]:
    """List what you reported, the newest first."""
    query = call.query(FeedbackQuery)
    page = feedback.list_feedback(
        call.stores,
        actor=call.actor,
        now=call.now,
        kind=query.kind,
        triaged=query.triaged,
        mine=True,
        limit=query.limit,
        cursor=query.cursor,
    )
    return Listing[Feedback](items=[Feedback.model_validate(item) for item in page.items], next=page.next)


ROUTES = (
    Route("GET", "/me", get_me, Me),
    Route("GET", "/me/to-read", list_to_read, Listing[ToRead], query=Paging),
    Route("GET", "/me/feedback", list_my_feedback, Listing[Feedback], query=FeedbackQuery),
)
