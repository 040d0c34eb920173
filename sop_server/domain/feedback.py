"""Whether what readers report is looked at in time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.facts import FeedbackFact, FeedbackKind

TRIAGE_WITHIN = timedelta(days=7)
PERIOD_DAYS = 90


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """How the feedback due for triage in the `days` before `at` was handled; `share` is None where none was due.

    `kinds` counts what was reported in the period. `waiting` is what nobody has triaged yet, the oldest first.
    """

    at: datetime
    days: int
    share: float | None
    due: int
    in_time: int
    late: int
    untriaged: int
    kinds: Mapping[FeedbackKind, int]
    waiting: tuple[FeedbackFact, ...]


def triaged(fact: FeedbackFact, at: datetime) -> bool:
    """Whether somebody had decided on it by the instant."""
    return fact.triaged_at is not None and fact.triaged_at <= at


def feedback(found: Iterable[FeedbackFact], *, at: datetime, days: int = PERIOD_DAYS) -> FeedbackReport:
    """Return how feedback was handled: in time is a triage at most seven days after the report."""
    since = at - timedelta(days=days)
    kinds = dict.fromkeys(FeedbackKind, 0)
    due = in_time = late = 0
    waiting: list[FeedbackFact] = []
    for fact in found:
        if fact.happened_at > at:
            continue
        done = triaged(fact, at)
        if not done:
            waiting.append(fact)
        if fact.happened_at > since:
            kinds[fact.kind] += 1
        due_at = fact.happened_at + TRIAGE_WITHIN
        if since < due_at <= at:
            due += 1
            if done and fact.triaged_at is not None and fact.triaged_at <= due_at:
                in_time += 1
            elif done:
                late += 1
    return FeedbackReport(
        at=at,
        days=days,
        share=in_time / due if due else None,
        due=due,
        in_time=in_time,
        late=late,
        untriaged=due - in_time - late,
        kinds=kinds,
        waiting=tuple(sorted(waiting, key=lambda fact: (fact.happened_at, fact.id))),
    )
