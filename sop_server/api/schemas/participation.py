"""What people do with SOPs in force: acknowledge, report, review."""

from typing import Annotated

from pydantic import AliasChoices, Field

from sop_server.api.schemas.base import Input, Instant, Number, Output, Paging, ShortText, Text


class Acknowledge(Input):
    """The revision that was read and understood."""

    revision: Number


class Acknowledgement(Output):
    """One person's "read and understood" of one revision; `new` is false where it was said before."""

    sop_id: str
    revision: int
    acknowledged_at: Instant
    new: bool


class FeedbackGive(Input):
    """What is wrong: *outdated*, *unclear*, *edge_case* or *ai_bypassed*. Never the number of a card."""

    kind: ShortText
    what_happened: Text
    what_was_done: Text = ""
    case_reference: Annotated[Text, Field(validation_alias=AliasChoices("case_reference", "case_ref"))] = ""


class Triage(Input):
    """What becomes of a report: *sop_change*, *ai_tuning* or *rejected*, the last with a reason."""

    outcome: ShortText
    reason: Text = ""


class FeedbackQuery(Paging):
    """Which reports."""

    kind: ShortText | None = None
    triaged: bool | None = None


class Feedback(Output):
    """A reader's report and its triage."""

    id: str
    sop_id: str | None
    sop_title: str | None
    department: str | None
    revision: int | None
    kind: str
    case_reference: str
    what_happened: str
    what_was_done: str
    reporter: str
    reporter_name: str
    reported_at: Instant
    triage_due_at: Instant
    outcome: str | None
    reason: str | None
    triaged_by: str | None
    triaged_at: Instant | None


class ReviewGive(Input):
    """Whether a SOP still describes reality: *confirmed*, *needs_revision* or *retire*, with a note."""

    outcome: ShortText
    note: Text


class Review(Output):
    """One review; `renews` where it starts the interval anew."""

    sop_id: str
    revision: int
    outcome: str
    note: str
    person: str | None
    person_name: str | None
    reviewed_at: Instant
    bulk: bool
    renews: bool


class ReviewGiven(Review):
    """A review just given; one that says *retire* opened the draft that does it."""

    draft_id: str | None


class ToRead(Output):
    """A SOP that somebody has to read; `major` is the revision that asks."""

    sop_id: str
    title: str
    department: str | None
    revision: int
    major: int
    change_summary: str
    last_read: int | None
    due_at: Instant
    overdue: bool
