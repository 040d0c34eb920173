"""Keys in the place of addresses: every one found, in any shape of JSON, and nothing else touched."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.person_keys import UNKNOWN, addresses_in, keys_in, new_key, sealed, unsealed

ASHA, BEN = "P-AAAAAAAAAAAAAAAA", "P-BBBBBBBBBBBBBBBB"
KEYS = {"asha@example.com": ASHA, "ben.o@example.co.uk": BEN}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("asha@example.com", ASHA),
        ("Asha@Example.com", ASHA),
        ("asked asha@example.com, who said yes.", f"asked {ASHA}, who said yes."),
        ("“ben.o@example.co.uk”. And <asha@example.com>", f"“{BEN}”. And <{ASHA}>"),
        ("/admin/people/asha@example.com/roles", f"/admin/people/{ASHA}/roles"),
        ("?actor=asha@example.com&x=1", f"?actor={ASHA}&x=1"),
        ("mallory@example.com", UNKNOWN),
        ("root@localhost wrote", f"{UNKNOWN} wrote"),
        ("approver@payments", "approver@payments"),
        ("approver@payments.example", UNKNOWN),
        ("@sum(1)", "@sum(1)"),
        ("SOP-0042", "SOP-0042"),
        ({"a": ["asha@example.com", 1, None, True], "b": {"c": "x"}}, {"a": [ASHA, 1, None, True], "b": {"c": "x"}}),
    ],
)
def test_an_address_becomes_its_key_and_one_that_nobody_has_becomes_nothing(told: object, kept: object) -> None:
    assert sealed(told, KEYS) == kept


def test_whoever_is_looked_up_is_everybody_that_may_be_named() -> None:
    found = set(addresses_in([{"a": "Asha@example.com"}, "to ben.o@example.co.uk and root@localhost"]))
    assert {"asha@example.com", "ben.o@example.co.uk", "root@localhost"} <= found


def test_a_key_becomes_the_present_address_or_somebody_forgotten_and_other_text_stays() -> None:
    people = {ASHA: "asha.new@example.com", BEN: None}
    told = {"by": ASHA, "also": [f"{BEN} and P-CCCCCCCCCCCCCCCC", "P-7"]}
    assert set(keys_in(told)) == {ASHA, BEN, "P-CCCCCCCCCCCCCCCC"}
    assert unsealed(told, people) == {
        "by": "asha.new@example.com",
        "also": [f"somebody forgotten ({BEN}) and P-CCCCCCCCCCCCCCCC", "P-7"],
    }


def test_keys_are_random_and_known_again() -> None:
    made = {new_key() for _ in range(1000)}
    assert len(made) == 1000
    assert all(list(keys_in(f"by {key}.")) == [key] for key in made)


def test_a_long_text_is_read_in_time_that_grows_with_its_length_alone() -> None:
    begun = time.process_time()
    for text in ("a" * 200_000 + " @", "a." * 100_000 + "@", "@a." * 70_000, "a@" * 100_000):
        sealed(text, KEYS)
        list(addresses_in(text))
    assert time.process_time() - begun < 10


@given(st.text(alphabet="ab@.- \n<>/“”é", max_size=60))
def test_no_address_of_a_person_comes_through(noise: str) -> None:
    told = f"{noise} asha@example.com {noise}"
    assert "asha@example.com" not in str(sealed(told, KEYS))
