"""What approving a draft does, in words: when it holds, whom it asks, what it answers."""

from datetime import datetime, timedelta

from sop_server.domain.drafts import Decision, DraftKind
from sop_server.services.drafts.draft_views import ApprovalView, DraftView
from sop_server.services.drafts.reviewing import DraftReview, Meeting
from sop_server.views.wording import count, exactly, from_now


def consequences(review: DraftReview, *, now: datetime) -> str:
    """Return a sentence: “In force at once; asks 41 people to read again; meets jira:CHG-12 after 10 h 4 min.”."""
    draft = review.draft
    parts = [_begins(draft, now=now)]
    missing = review.needed - len(standing_approvals(draft)) - 1
    if missing > 0:
        parts.insert(0, f"needs {count(missing, 'more approval')} after yours")
    if draft.kind == DraftKind.RETIRE:
        parts.append("nobody finds it any more, its history stays")
    else:
        parts.append(_asks(review))
    parts += [_meets(meeting) for meeting in review.meets]
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def alone(review: DraftReview) -> str:
    """Return what breaking the glass does, as a sentence: it is in force at once, whatever the draft says."""
    parts = ["In force at once, without an approval", _asks(review)]
    parts += [_meets(meeting) for meeting in review.meets]
    return f"{'; '.join(part for part in parts if part)}."


def standing_approvals(draft: DraftView) -> list[ApprovalView]:
    """Return the approvals that hold for the text as it is."""
    return [one for one in draft.approvals if one.standing and one.decision == Decision.APPROVE]


def _asks(review: DraftReview) -> str:
    if review.draft.significance == "minor":
        return "asks nobody to read again"
    asked = count(review.readers, "person", "people")
    return f"asks {asked} to read it" if review.draft.base_revision is None else f"asks {asked} to read again"


def _begins(draft: DraftView, *, now: datetime) -> str:
    word = "retired" if draft.kind == DraftKind.RETIRE else "in force"
    if draft.effective_from is None or draft.effective_from <= now:
        return f"{word} at once"
    return f"{word} {from_now(draft.effective_from, now=now)}"


def _meets(meeting: Meeting) -> str:
    if meeting.exposure is None or meeting.exposure <= timedelta(0):
        return f"meets {meeting.label} before it goes live"
    return f"meets {meeting.label} after {exactly(meeting.exposure)}"
