import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.card_numbers import has_card_number


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "paid by 4111 1111 1111 1111.",
        "4111-1111-1111-1111 2026",
        "(5500005555555559)",
        "3782 822463 10005",
        "6011000990139424",
        "4222222222222",
        "4000 0000 0000 0000 006",
        "4111\N{NO-BREAK SPACE}1111\N{NO-BREAK SPACE}1111\N{NO-BREAK SPACE}1111",
    ],
)
def test_card_numbers_are_found_as_people_type_them(text: str) -> None:
    assert has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",
        "411111111111",
        "41111111111111111111",
        "case 12345678",
        "2026-03-02 09:00",
        "+63 2 8888 7777",
        "ends in 1111",
        "0000000000000000",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not has_card_number(text)


@given(st.integers(min_value=10**11, max_value=10**18 - 1))
def test_exactly_one_check_digit_makes_a_card_number(body: int) -> None:
    assert sum(has_card_number(f"{body}{check}") for check in range(10)) == 1
