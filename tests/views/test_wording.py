"""Instants and counts as people say them."""

from datetime import timedelta

import pytest

from sop_server.views.wording import count, exactly, share, span


@pytest.mark.parametrize(
    ("elapsed", "said"),
    [
        (timedelta(minutes=40), "40\N{NO-BREAK SPACE}min"),
        (timedelta(hours=47), "47\N{NO-BREAK SPACE}h"),
        (timedelta(days=12), "12\N{NO-BREAK SPACE}days"),
        (timedelta(days=95), "3\N{NO-BREAK SPACE}months"),
    ],
)
def test_a_length_of_time_is_never_broken_across_lines(elapsed: timedelta, said: str) -> None:
    assert span(elapsed) == said


def test_an_exact_length_breaks_between_its_units_alone() -> None:
    assert exactly(timedelta(days=1, hours=6, minutes=7)).split(" ") == [
        "1\N{NO-BREAK SPACE}day",
        "6\N{NO-BREAK SPACE}h",
        "7\N{NO-BREAK SPACE}min",
    ]


def test_a_number_stays_with_its_noun_and_a_share_with_its_sign() -> None:
    assert (count(1, "SOP"), count(1204, "SOP")) == ("1\N{NO-BREAK SPACE}SOP", "1,204\N{NO-BREAK SPACE}SOPs")
    assert (share(0.867), share(None)) == ("86.7\N{NO-BREAK SPACE}%", "\N{EN DASH}")
