from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.instants import check_go_live, format_instant, hours, parse_instant, parse_interval
from sop_server.errors import InvalidInputError

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03T09:30:00+01:00",
        "2026-11-03T09:30:00+0100",
        "2026-11-03T09:30+01",
        "2026-11-03 09:30:00+01:00",
        "2026-11-03T09:30:00 01:00",
        "2026-11-03T08:30:00Z",
        "2026-11-03t08:30:00z",
        " 20261103T083000Z ",
    ],
)
def test_every_way_of_writing_an_offset_gives_the_same_instant(text: str) -> None:
    instant = parse_instant(text, field="at")
    assert instant == datetime(2026, 11, 3, 8, 30, tzinfo=UTC)
    assert instant.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-11-03T09:30:00", "2026-11-03", "2026-11-03 09:30"])
def test_an_instant_without_offset_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_instant(text, field="effective_at")
    assert "offset" in refused.value.fields["effective_at"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-03T09:30:00Z",
        "2026-11-03T25:30:00Z",
        "٢٠٢٦-11-03T09:30:00Z",
        "0001-01-01T00:00:00+12:00",
        "9999-12-31T23:59:59-12:00",
        "2026-11-03T09:30:00Z" + "0" * 60,
    ],
)
def test_garbage_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_instant(text, field="at")
    assert set(refused.value.fields) == {"at"}


def test_an_instant_is_written_in_utc_with_microseconds_only_where_there_are_some() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert format_instant(datetime(2026, 11, 3, 14, 0, tzinfo=india)) == "2026-11-03T08:30:00Z"
    assert format_instant(datetime(2026, 11, 3, 8, 30, 0, 250, tzinfo=UTC)) == "2026-11-03T08:30:00.000250Z"


def test_a_datetime_without_offset_is_never_written() -> None:
    with pytest.raises(ValueError, match="offset"):
        format_instant(datetime(2026, 11, 3))  # noqa: DTZ001 - the mistake under test


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants naive bounds
def test_what_is_written_is_read_back(instant: datetime) -> None:
    assert parse_instant(format_instant(instant), field="at") == instant


def test_a_go_live_between_2000_and_five_years_ahead_is_taken_as_it_is() -> None:
    for instant in (datetime(2000, 1, 1, tzinfo=UTC), NOW, NOW + timedelta(days=1826)):
        assert check_go_live(instant, now=NOW, field="effective_at") == instant


@pytest.mark.parametrize(
    ("instant", "what"),
    [
        (datetime(9999, 12, 31, tzinfo=UTC), "five years ahead"),
        (NOW + timedelta(days=1826, seconds=1), "five years ahead"),
        (datetime(1999, 12, 31, 23, 59, tzinfo=UTC), "2000"),
    ],
)
def test_a_go_live_that_cannot_be_meant_is_refused_with_what_and_where(instant: datetime, what: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_go_live(instant, now=NOW, field="planned_end")
    assert what in refused.value.message
    assert format_instant(instant) in refused.value.message
    assert set(refused.value.fields) == {"planned_end"}


def test_hours_are_fractions() -> None:
    assert hours(timedelta(days=1, minutes=30)) == 24.5


@pytest.mark.parametrize(
    ("text", "days"),
    [("180 days", 180), ("1 day", 1), ("2 weeks", 14), ("6 months", 180), ("1 Year", 365), (" 90days ", 90)],
)
def test_an_interval_is_a_number_of_days(text: str, days: int) -> None:
    assert parse_interval(text) == days


@pytest.mark.parametrize(
    "text", ["", "180", "0 days", "-1 days", "soon", "1.5 years", "101 years", "9999999 days", "٣ days"]
)
def test_an_interval_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_interval(text)
