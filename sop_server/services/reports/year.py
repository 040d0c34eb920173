"""The drift score over the year before an instant: at the ends of its months."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial

from sop_server.domain.drift import DriftReport, drift_of
from sop_server.domain.facts import Facts
from sop_server.domain.snapshot import known_by
from sop_server.domain.standing import narrow, standing
from sop_server.services.stores import Stores
from sop_server.storage.facts import load_facts

MONTHS = 12


def past_months(stores: Stores, facts: Facts, *, departments: Collection[str] | None) -> tuple[DriftReport, ...]:
    """Return the score at the last 11 ends of months before the snapshot's instant, oldest first.

    A past figure never changes, so each is worked out once in a process. Where there was nothing to score yet it is
    asked again: a library that is still empty may be given its history.
    """
    scope = None if departments is None else frozenset(departments)

    def at(instant: datetime) -> DriftReport:
        return drift_of(narrow(standing(known_by(facts, instant)), departments=scope))

    return tuple(
        stores.scores.get((end, scope), partial(at, end), worth=lambda report: report.score is not None)
        for end in month_ends(facts.at)
    )


def prepare(stores: Stores, *, now: datetime) -> None:
    """Work out the months of the whole library before a manager asks for them."""
    with stores.database.read() as session:
        facts = load_facts(session, now)
    past_months(stores, facts, departments=None)


def month_ends(at: datetime) -> list[datetime]:
    """Return the last instants of the 11 months before that of `at`, oldest first; months are those of UTC."""
    ends: list[datetime] = []
    start = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _month in range(MONTHS - 1):
        end = start - timedelta(microseconds=1)
        ends.append(end)
        start = end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return ends[::-1]
