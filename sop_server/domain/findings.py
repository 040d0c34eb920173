"""What somebody must act on: each finding says why, and what to do next."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from sop_server.domain import identifiers
from sop_server.domain.coverage import coverage
from sop_server.domain.facts import ReviewOutcome
from sop_server.domain.feedback import TRIAGE_WITHIN
from sop_server.domain.golive import history
from sop_server.domain.obligations import ObligationState, ObligationStatus
from sop_server.domain.reviews import last_reviews
from sop_server.domain.staleness import StaleKind, staleness
from sop_server.domain.standing import Standing, loud_glass, obligation_place, sop_place

MISSED_OFTEN = 3
"""How often words have to be searched in vain to be a finding."""


class FindingKind(StrEnum):
    """What was found."""

    BREAK_GLASS = "break_glass"
    BREACH = "breach"
    TRIAGE = "triage"
    GO_LIVE_MOVED = "go_live_moved"
    UNDOCUMENTED = "undocumented"
    REVIEW = "review"
    NEEDS_REVISION = "needs_revision"
    DEVIATION_OF_OLD_TEXT = "deviation_of_old_text"
    DEVIATION_REPEATED = "deviation_repeated"
    DEVIATION_ENDS = "deviation_ends"
    OWNER = "owner"
    NOBODY_MAY = "nobody_may"
    NO_DEPUTY = "no_deputy"
    FEEDBACK = "feedback"
    RECERTIFICATION = "recertification"
    MISSED_SEARCH = "missed_search"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Found:
    """One finding. `key` names it over time; `subject` is the id of what it is about."""

    key: str
    kind: FindingKind
    subject: str
    department: str | None
    why: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Words that were searched `times` and found nothing."""

    words: str
    times: int


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What departures left: (role, department) that nobody has since, and the SOPs that were handed over."""

    gaps: Sequence[tuple[str, str | None]] = ()
    handed_over: Collection[str] = ()


def findings(
    of: Standing,
    *,
    missed: Iterable[Missed],
    quarantined: Iterable[tuple[str, str]],
    left: LeftBehind = LeftBehind(),
) -> list[Found]:
    """Return everything that somebody must act on, the gravest kind first.

    `quarantined` are (commit id, reason) of what stands on `main` without an approval.
    """
    found = [*_glass(of), *_quarantined(quarantined), *_obligations(of), *_moved(of), *_undocumented(of), *_stale(of)]
    found += [*_left(of, left), *_reviews(of), *_feedback(of), *_missed(missed)]
    return found


def _glass(of: Standing) -> Iterable[Found]:
    for fact in loud_glass(of):
        told = f"{fact.sop_id} r{fact.revision} was published by {fact.name} alone on {_day(fact.happened_at)}"
        due = f"{_day(fact.due_at)}, {fact.due_at:%H:%M} UTC"
        if fact.answer is not None:
            why = f"{told}; {fact.answer_name} objects, and it is not taken back: {fact.answer_reason}"
            step = "Decide on the draft that takes it back, or publish what has to stand there and withdraw that draft."
        elif of.at > fact.due_at:
            why = f"{told} and was to be confirmed by {due}: {fact.reason}"
            step = "A second approver of the department reads it, and confirms it or objects."
        else:
            why = f"{told} and has to be confirmed by {due}: {fact.reason}"
            step = "A second approver of the department reads it, and confirms it or objects."
        place = sop_place(of.facts, fact.sop_id)
        key = f"break_glass:{fact.sop_id}:r{fact.revision}"
        yield Found(key, FindingKind.BREAK_GLASS, fact.sop_id, place.department, why, step)


def _left(of: Standing, left: LeftBehind) -> Iterable[Found]:
    for role, department in left.gaps:
        where = f"the department “{department}”" if department else "what names no department"
        named = "administrator" if role == "admin" else role
        yield Found(
            f"nobody_may:{role}:{department or ''}",
            FindingKind.NOBODY_MAY,
            department or "library",
            department,
            f"Since somebody left, {where} has no {named}.",
            f"Have an administrator give somebody the role {role} there.",
        )
    for sop_id in sorted(left.handed_over):
        serving = of.in_force.get(sop_id)
        if serving is not None and not serving.deputy:
            yield Found(
                f"no_deputy:{sop_id}",
                FindingKind.NO_DEPUTY,
                sop_id,
                serving.department,
                f"{sop_id} “{serving.title}” has had no deputy since it was handed over.",
                "Name one in its front matter.",
            )


def _quarantined(commits: Iterable[tuple[str, str]]) -> Iterable[Found]:
    for oid, reason in commits:
        yield Found(
            f"quarantine:{oid}",
            FindingKind.QUARANTINE,
            oid,
            None,
            f"Commit {oid[:12]} on main was set aside: {reason}.",
            "Find out who wrote to the library past the server, and close that way.",
        )


def _obligations(of: Standing) -> Iterable[Found]:
    for status in of.obligations:
        ticket, sop_id = status.ticket, status.obligation.sop_id
        place = obligation_place(of.facts, status)
        if sop_id is None and status.open_past_go_live:
            yield Found(
                f"triage:{ticket.reference}",
                FindingKind.TRIAGE,
                identifiers.ticket_id(ticket.id),
                place.department,
                f"{ticket.reference} “{ticket.title}” is live since {_day(status.t0)} and names no SOP.",
                "Say which SOPs it makes wrong, or propose that none needs a change.",
            )
        elif sop_id is not None and status.state is ObligationState.BREACHED:
            yield Found(
                f"breach:{ticket.reference}:{sop_id}",
                FindingKind.BREACH,
                sop_id,
                place.department,
                f"{sop_id} has not reflected {ticket.reference} “{ticket.title}” since {_day(status.t0)}; "
                f"it was due on {_day(status.due_at)}.",
                "Draft the change, or have “not needed” confirmed by a second person.",
            )


def _moved(of: Standing) -> Iterable[Found]:
    """Yield the tickets whose source moved a breached go-live later, until a person says what is right."""
    late: dict[int, list[ObligationStatus]] = {}
    for status in of.obligations:
        late.setdefault(status.ticket.id, []).append(status)
    for ticket_id, statuses in late.items():
        ticket = of.facts.tickets[ticket_id]
        for (_, before), (recorded_at, after) in pairwise(history(ticket)):
            if after.t0 <= before.t0 or any(one.recorded_at >= recorded_at for one in ticket.confirmations):
                continue
            if any(_was_breached(status, before.t0, recorded_at) for status in statuses):
                yield Found(
                    f"go_live_moved:{ticket.reference}:{recorded_at.isoformat()}",
                    FindingKind.GO_LIVE_MOVED,
                    identifiers.ticket_id(ticket.id),
                    None,
                    f"{ticket.source} moved the go-live of {ticket.key} from {_day(before.t0)} to {_day(after.t0)} "
                    "after its window had passed.",
                    "Confirm the go-live on the ticket with a reason, or correct it.",
                )


def _was_breached(status: ObligationStatus, t0: datetime, at: datetime) -> bool:
    due_at = t0 + timedelta(hours=status.obligation.window_hours)
    return at > due_at and (status.stopped_at is None or status.stopped_at > due_at)


def _undocumented(of: Standing) -> Iterable[Found]:
    for row in coverage(of).undocumented:
        if of.at >= row.grace_until:
            yield Found(
                f"undocumented:{row.process_id}",
                FindingKind.UNDOCUMENTED,
                row.process_id,
                row.department,
                f"{row.process_id} “{row.name}” ({row.criticality}) has no SOP in force since {_day(row.since)}.",
                "Write its SOP, or retire the process if nobody does it any more.",
            )


def _stale(of: Standing) -> Iterable[Found]:
    kinds = {StaleKind.REVIEW: FindingKind.REVIEW, StaleKind.OWNER: FindingKind.OWNER}
    steps = {
        StaleKind.REVIEW: "Review it: confirm it, revise it, or retire it.",
        StaleKind.OWNER: "Name a new owner in its front matter.",
    }
    for item in staleness(of):
        for reason in item.reasons:
            if reason.kind in kinds:
                yield Found(
                    f"{reason.kind}:{item.sop_id}",
                    kinds[reason.kind],
                    item.sop_id,
                    item.department,
                    f"{item.sop_id} “{item.title}”: {reason.detail}",
                    steps[reason.kind],
                )


def _reviews(of: Standing) -> Iterable[Found]:
    for sop_id, review in last_reviews(of.facts.reviews, of.at).items():
        serving = of.in_force.get(sop_id)
        decided = review.outcome is not ReviewOutcome.CONFIRMED
        if serving is not None and decided and serving.effective_from <= review.happened_at:
            wish = "a revision" if review.outcome is ReviewOutcome.NEEDS_REVISION else "its retirement"
            yield Found(
                f"needs_revision:{sop_id}:{review.happened_at.isoformat()}",
                FindingKind.NEEDS_REVISION,
                sop_id,
                serving.department,
                f"The review of {sop_id} “{serving.title}” on {_day(review.happened_at)} asked for {wish}.",
                "Draft it; the review renews nothing until then.",
            )


def _feedback(of: Standing) -> Iterable[Found]:
    waiting: dict[str | None, int] = {}
    for fact in of.feedback:
        overdue = fact.happened_at + TRIAGE_WITHIN < of.at
        if overdue and (fact.triaged_at is None or fact.triaged_at > of.at):
            waiting[fact.sop_id] = waiting.get(fact.sop_id, 0) + 1
    for sop_id, count in waiting.items():
        reports = "A report" if count == 1 else f"{count} reports"
        about = "on a case that no SOP covers" if sop_id is None else f"on {sop_id}"
        yield Found(
            f"feedback:{sop_id or 'uncovered'}",
            FindingKind.FEEDBACK,
            sop_id or "feedback",
            None if sop_id is None else sop_place(of.facts, sop_id).department,
            f"{reports} {about} waited for more than seven days.",
            "Triage: change the SOP, refer it to AI tuning, or reject it with a reason.",
        )


def _missed(missed: Iterable[Missed]) -> Iterable[Found]:
    for one in missed:
        if one.times >= MISSED_OFTEN:
            yield Found(
                f"missed_search:{one.words}",
                FindingKind.MISSED_SEARCH,
                one.words,
                None,
                f"“{one.words}” was searched {one.times} times and found nothing.",
                "Write the SOP that is missing, or give an existing one these words as tags.",
            )


def _day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b %Y}"
