"""Whether the SOPs in force were looked at in time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.facts import ReviewFact, ReviewOutcome, RevisionFact
from sop_server.domain.revisions import major_among
from sop_server.domain.standing import Standing

_DAY = timedelta(days=1)
_DAYS_UNTIL_WORTHLESS = 90


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """When a SOP is to be reviewed: `counted_from` the later of its last confirmed review and its last major revision.

    `last` is its last review whatever it decided; `last.bulk` says that it was one of many, or nothing but a date.
    """

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    counted_from: datetime
    due_at: datetime
    days_overdue: float
    last: ReviewFact | None


def last_confirmed(reviews: Iterable[ReviewFact], at: datetime) -> Mapping[str, ReviewFact]:
    """Return by SOP the last review by the instant that confirmed it."""
    return last_reviews((review for review in reviews if review.outcome == ReviewOutcome.CONFIRMED), at)


def last_reviews(reviews: Iterable[ReviewFact], at: datetime) -> Mapping[str, ReviewFact]:
    """Return by SOP the last review by the instant."""
    last: dict[str, ReviewFact] = {}
    for review in reviews:
        if review.happened_at > at:
            continue
        known = last.get(review.sop_id)
        if known is None or review.happened_at >= known.happened_at:
            last[review.sop_id] = review
    return last


def counted_from(order: Sequence[RevisionFact], confirmed: ReviewFact | None, at: datetime) -> datetime | None:
    """Return the instant from which the review interval of a SOP runs; None before its first revision.

    `order` are its revisions that are served at some instant.
    """
    major = major_among(order, at)
    if major is None:
        return None
    if confirmed is None:
        return major.effective_from
    return max(major.effective_from, confirmed.happened_at)


def review_due_at(
    order: Sequence[RevisionFact], serving: RevisionFact, confirmed: ReviewFact | None, at: datetime
) -> datetime:
    """Return when a SOP with `serving` in force is to be reviewed; `order` as for `counted_from`."""
    start = counted_from(order, confirmed, at) or serving.effective_from
    return start + timedelta(days=serving.review_every_days)


def reviews_due(of: Standing) -> tuple[ReviewDue, ...]:
    """Return when each SOP in force is to be reviewed, the most urgent first."""
    confirmed = last_confirmed(of.facts.reviews, of.at)
    last = last_reviews(of.facts.reviews, of.at)
    rows: list[ReviewDue] = []
    for sop_id, serving in of.in_force.items():
        due_at = review_due_at(of.orders[sop_id], serving, confirmed.get(sop_id), of.at)
        rows.append(
            ReviewDue(
                sop_id=sop_id,
                title=serving.title,
                department=serving.department,
                owner=serving.owner,
                counted_from=due_at - timedelta(days=serving.review_every_days),
                due_at=due_at,
                days_overdue=_days_overdue(due_at, of.at),
                last=last.get(sop_id),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.due_at, row.sop_id)))


def review_share(of: Standing) -> float | None:
    """Return the weighted mean over the SOPs in force of clip(1 - days overdue / 90); None without SOPs."""
    confirmed = last_confirmed(of.facts.reviews, of.at)
    total = lost = 0.0
    for sop_id, serving in of.in_force.items():
        weight = of.weights[sop_id]
        total += weight
        due_at = review_due_at(of.orders[sop_id], serving, confirmed.get(sop_id), of.at)
        if due_at < of.at:
            lost += weight * min(1.0, _days_overdue(due_at, of.at) / _DAYS_UNTIL_WORTHLESS)
    return 1 - lost / total if total else None


def _days_overdue(due_at: datetime, at: datetime) -> float:
    return max(0.0, (at - due_at) / _DAY)
