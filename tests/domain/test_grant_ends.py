from datetime import UTC, datetime

import pytest

from sop_server.domain.grant_ends import check_reason, read_end
from sop_server.errors import InvalidInputError


def test_a_date_holds_to_its_last_moment_where_the_library_is() -> None:
    assert read_end("2026-12-03", zone="UTC") == datetime(2026, 12, 4, tzinfo=UTC)
    assert read_end(" 2026-12-03 ", zone="Asia/Manila") == datetime(2026, 12, 3, 16, tzinfo=UTC)
    # The night on which the clocks go back has an hour more.
    assert read_end("2026-10-25", zone="Europe/Warsaw") == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_an_instant_is_what_it_says() -> None:
    assert read_end("2026-12-03T17:00:00+01:00", zone="Asia/Manila") == datetime(2026, 12, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "soon", "2026-13-01", "03.12.2026", "2026-12-03T17:00", "9999-12-31"])
def test_what_is_no_day_is_told(typed: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_end(typed, zone="UTC")
    assert list(refused.value.fields) == ["until"]


def test_a_reason_is_one_line() -> None:
    assert check_reason("  Ben\n is  away\a ") == "Ben is away"
    for reason in (None, "", " \n ", "\a", "x" * 501, "He has 4111 1111 1111 1111."):
        with pytest.raises(InvalidInputError):
            check_reason(reason)
