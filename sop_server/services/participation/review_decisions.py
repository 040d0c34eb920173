"""A periodic review and what it sets off: *retire* opens the draft that retires the SOP."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.drafts import MAX_SUMMARY, DraftKind
from sop_server.domain.facts import ReviewOutcome, Significance
from sop_server.domain.permissions import Actor
from sop_server.services.drafts.drafting import DraftInput, create_draft
from sop_server.services.participation.reviews import ReviewView, review_sop
from sop_server.services.stores import Stores


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    """The review as it was kept, and the draft that it opened; None where it opened none."""

    review: ReviewView
    draft_id: str | None


def decide_review(
    stores: Stores, *, actor: Actor, now: datetime, sop_id: str, outcome: str, note: str
) -> ReviewDecision:
    """Keep a review. One that says *retire* opens its draft first: the decision is never kept without it."""
    draft_id = None
    if outcome == ReviewOutcome.RETIRE and note.strip():
        retiring = DraftInput(change_summary=note.strip()[:MAX_SUMMARY], significance=Significance.MAJOR)
        draft_id = create_draft(stores, actor=actor, now=now, given=retiring, sop_id=sop_id, kind=DraftKind.RETIRE).id
    review = review_sop(stores, actor=actor, now=now, sop_id=sop_id, outcome=outcome, note=note)
    return ReviewDecision(review, draft_id)
