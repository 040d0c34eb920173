"""Acknowledging, reporting and reviewing SOPs."""

from collections.abc import Callable
from http import HTTPStatus

from sop_server.api.listing import part
from sop_server.api.routes import Call, Reply, Route
from sop_server.api.schemas.base import Listing, Paging
from sop_server.api.schemas.participation import (
    Acknowledge,
    Acknowledgement,
    Feedback,
    FeedbackGive,
    FeedbackQuery,
    Review,
    ReviewGive,
    ReviewGiven,
    Triage,
)
from sop_server.domain.permissions import Action
from sop_server.services.library import reading
from sop_server.services.participation import acknowledgements, feedback, reviews
from sop_server.services.participation.review_decisions import decide_review


def acknowledge(call: Call, sop_id: str) -> Reply:
    """Say that you read and understood the revision in force."""
    body = call.body(Acknowledge, sight=_readable(call, sop_id))
    said = acknowledgements.acknowledge(
        call.stores, actor=call.actor, now=call.now, sop_id=sop_id, revision=body.revision
    )
    status = HTTPStatus.CREATED if said.new else HTTPStatus.OK
    return Reply(Acknowledgement.model_validate(said), status=status)


def list_feedback_of_sop(call: Call, sop_id: str) -> Listing[Feedback]:
    """List the reports on a SOP that you may see, the newest first."""
    query = call.query(FeedbackQuery, sight=_readable(call, sop_id))
    return _listed(call, query, sop_id=sop_id)


def list_feedback(call: Call) -> Listing[Feedback]:
    """List the reports that you may see, the newest first."""
    return _listed(call, call.query(FeedbackQuery), sop_id=None)


def give_feedback_on_sop(call: Call, sop_id: str) -> Reply:
    """Report what is wrong with a SOP."""
    return _given(call, call.body(FeedbackGive, sight=_readable(call, sop_id)), sop_id=sop_id)


def give_feedback(call: Call) -> Reply:
    """Report a case that no SOP covers."""
    return _given(call, call.body(FeedbackGive), sop_id=None)


def get_feedback(call: Call, feedback_id: str) -> Feedback:
    """Read one report."""
    found = feedback.get_feedback(call.stores, actor=call.actor, now=call.now, feedback_id=feedback_id)
    return Feedback.model_validate(found)


def triage_feedback(call: Call, feedback_id: str) -> Feedback:
    """Decide what becomes of a report, once."""
    body = call.body(Triage, sight=_triageable(call, feedback_id))
    decided = feedback.triage_feedback(
        call.stores,
        actor=call.actor,
        now=call.now,
        feedback_id=feedback_id,
        outcome=body.outcome,
        reason=body.reason,
    )
    return Feedback.model_validate(decided)


def list_reviews(call: Call, sop_id: str) -> Listing[Review]:
    """List the reviews of a SOP, the newest first."""
    paging = call.query(Paging, sight=_readable(call, sop_id))
    found = reviews.list_reviews(call.stores, actor=call.actor, now=call.now, sop_id=sop_id)
    return part(found, paging, Review.model_validate, Listing[Review])


def review_sop(call: Call, sop_id: str) -> Reply:
    """Decide whether a SOP still describes reality; one that says *retire* opens the draft that does it."""
    body = call.body(ReviewGive, sight=_reviewable(call, sop_id))
    decided = decide_review(
        call.stores, actor=call.actor, now=call.now, sop_id=sop_id, outcome=body.outcome, note=body.note
    )
    shown = Review.model_validate(decided.review).model_dump()
    return Reply(ReviewGiven.model_validate({**shown, "draft_id": decided.draft_id}), status=HTTPStatus.CREATED)


def _listed(call: Call, query: FeedbackQuery, *, sop_id: str | None) -> Listing[Feedback]:
    page = feedback.list_feedback(
        call.stores,
        actor=call.actor,
        now=call.now,
        sop_id=sop_id,
        kind=query.kind,
        triaged=query.triaged,
        limit=query.limit,
        cursor=query.cursor,
    )
    return Listing[Feedback](items=[Feedback.model_validate(item) for item in page.items], next=page.next)


def _given(call: Call, body: FeedbackGive, *, sop_id: str | None) -> Reply:
    given = feedback.give_feedback(
        call.stores,
        actor=call.actor,
        now=call.now,
        sop_id=sop_id,
        kind=body.kind,
        what_happened=body.what_happened,
        what_was_done=body.what_was_done,
        case_reference=body.case_reference,
    )
    return Reply(Feedback.model_validate(given), status=HTTPStatus.CREATED)


def _readable(call: Call, sop_id: str) -> Callable[[], object]:
    return lambda: reading.list_revisions(call.stores, actor=call.actor, sop_id=sop_id, now=call.now)


def _reviewable(call: Call, sop_id: str) -> Callable[[], None]:
    def look() -> None:
        page = reading.get_sop(call.stores, actor=call.actor, sop_id=sop_id, now=call.now)
        call.actor.require(Action.REVIEW, page.summary.department)

    return look


def _triageable(call: Call, feedback_id: str) -> Callable[[], None]:
    def look() -> None:
        found = feedback.get_feedback(call.stores, actor=call.actor, now=call.now, feedback_id=feedback_id)
        if found.sop_id is not None:
            call.actor.require(Action.TRIAGE, found.department)

    return look


ROUTES = (
    Route(
        "POST",
        "/sops/<sop_id>/acknowledgements",
        acknowledge,
        Acknowledgement,
        action=Action.ACKNOWLEDGE,
        body=Acknowledge,
        status=HTTPStatus.CREATED,
        also={409: "Another revision is in force"},
    ),
    Route(
        "GET",
        "/sops/<sop_id>/feedback",
        list_feedback_of_sop,
        Listing[Feedback],
        action=Action.READ,
        query=FeedbackQuery,
    ),
    Route(
        "POST",
        "/sops/<sop_id>/feedback",
        give_feedback_on_sop,
        Feedback,
        action=Action.REPORT,
        body=FeedbackGive,
        status=HTTPStatus.CREATED,
        also={410: "The SOP is retired"},
    ),
    Route("GET", "/feedback", list_feedback, Listing[Feedback], action=Action.READ, query=FeedbackQuery),
    Route(
        "POST",
        "/feedback",
        give_feedback,
        Feedback,
        action=Action.REPORT,
        body=FeedbackGive,
        status=HTTPStatus.CREATED,
    ),
    Route("GET", "/feedback/<feedback_id>", get_feedback, Feedback, action=Action.READ),
    Route(
        "POST",
        "/feedback/<feedback_id>/triage",
        triage_feedback,
        Feedback,
        action=Action.TRIAGE,
        body=Triage,
        also={409: "Decided already"},
    ),
    Route("GET", "/sops/<sop_id>/reviews", list_reviews, Listing[Review], action=Action.READ, query=Paging),
    Route(
        "POST",
        "/sops/<sop_id>/reviews",
        review_sop,
        ReviewGiven,
        action=Action.REVIEW,
        body=ReviewGive,
        status=HTTPStatus.CREATED,
        also={410: "Nothing is in force"},
    ),
)
