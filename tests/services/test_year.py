from datetime import UTC, datetime
from typing import NoReturn

import pytest

from sop_server.domain.facts import Facts
from sop_server.services.kept import Kept
from sop_server.services.reports.year import month_ends, past_months
from sop_server.services.stores import Stores

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def test_the_year_before_is_the_last_instants_of_eleven_months() -> None:
    ends = month_ends(NOON)
    assert [(end.year, end.month, end.day) for end in ends[-3:]] == [(2025, 12, 31), (2026, 1, 31), (2026, 2, 28)]
    assert len(ends) == 11
    assert all((end.hour, end.minute, end.second, end.microsecond) == (23, 59, 59, 999_999) for end in ends)


def test_a_month_with_nothing_to_score_is_asked_again(stores: Stores) -> None:
    found = past_months(stores, Facts(at=NOON), departments=None)
    assert [report.score for report in found] == [None] * 11
    key = (month_ends(NOON)[0], None)
    with pytest.raises(LookupError):
        stores.scores.get(key, _asked_again)


def _asked_again() -> NoReturn:
    raise LookupError


def test_what_is_kept_is_made_once_and_the_longest_unused_goes_first() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    kept: Kept[int, int] = Kept(2)
    for number in (1, 2, 1, 3, 1, 2):
        assert kept.get(number, lambda number=number: make(number)) == number  # type: ignore[misc]
    assert made == [1, 2, 3, 2]


def test_what_is_not_worth_keeping_is_made_each_time() -> None:
    kept: Kept[str, int] = Kept(2)
    answers = iter([1, 2])
    assert kept.get("key", lambda: next(answers), worth=lambda value: value > 1) == 1
    assert kept.get("key", lambda: next(answers), worth=lambda value: value > 1) == 2
    assert kept.get("key", lambda: next(answers)) == 2
