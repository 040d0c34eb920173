import threading
import time
from datetime import UTC, datetime

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.people import clean_password
from sop_server.errors import InvalidInputError
from sop_server.services.accounts.guessing import BY_OPERATOR, refuse_guessable
from sop_server.services.accounts.link_sign_in import sign_in_by_link
from sop_server.services.accounts.passwords import HASHER, hash_password, matches, set_password
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.sign_in import actor_for_session, create_sign_in_link, sign_in
from sop_server.services.demonstration.demo_stage import PASSWORD as DEMO_PASSWORD
from sop_server.services.stores import Stores
from sop_server.storage import audit

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KNOWN = ("Asha Menon", "asha.menon@northwind.example", "Northwind procedures")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("password1234", "most used passwords"),
        ("P4ssw0rd2026", "most used passwords"),
        ("iloveyouforever", "most used passwords"),
        ("123456789012", "most used passwords"),
        ("passwordpassword", "repeats itself"),
        ("aaaaaaaaaaaa", "repeats itself"),
        ("qwertyuiop[]", "row of keys"),
        ("asha.menon@northwind.example", "your name, your address"),
        ("AshaMenon1234", "your name, your address"),
        ("Northwind2026!", "name of this library"),
        ("procedures2026", "name of this library"),
    ],
)
def test_a_password_that_is_guessed_soon_is_refused_and_says_why(password: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason) as refused:
        refuse_guessable(clean_password(password), known=KNOWN)

    assert "four words or more" in refused.value.message
    assert password not in refused.value.message


@pytest.mark.parametrize(
    "password",
    [
        "four quiet green parrots",
        "unlikely-lantern-42",
        "сорок тысяч обезьян",
        "vier 🦜 grüne Papageien",
        "hT7#kq9!vLw2",
    ],
)
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    refuse_guessable(clean_password(password), known=KNOWN)


@pytest.mark.parametrize("length", [11, 129])
def test_a_password_has_12_to_128_characters(length: int) -> None:
    words = "ab-cd-ef." * 20
    with pytest.raises(InvalidInputError, match="at least 12 characters and at most 128"):
        clean_password(words[:length])
    for taken in (12, 64, 128):
        assert clean_password(words[:taken]) == words[:taken]


def test_the_longest_password_is_looked_at_at_both_ends_alone() -> None:
    began = time.process_time()
    for password in ("ab" * 64, "a1b2" * 32, "p4ssw0rd" * 16):
        with pytest.raises(InvalidInputError):
            refuse_guessable(password, known=KNOWN)
    refuse_guessable("ab" * 40 + "four quiet green parrots", known=KNOWN)
    refuse_guessable("4@8({[<369&#!1|0$5+7%2/" * 5, known=KNOWN)

    assert time.process_time() - began < 5, "the last took seconds for its whole length"


def test_what_is_known_of_one_person_is_not_held_against_another() -> None:
    refused: list[str] = []

    def choose(name: str, password: str) -> None:
        for _ in range(20):
            try:
                refuse_guessable(password, known=(name,))
            except InvalidInputError:
                refused.append(name)

    threads = [
        threading.Thread(target=choose, args=pair)
        for pair in (("Zdzislawa Wyszynska", "wyszynskazdz"), ("Ben Castro", "quorbel vintam"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == ["Zdzislawa Wyszynska"] * 20


def test_the_password_of_the_demonstration_is_one_that_the_command_line_may_set() -> None:
    refuse_guessable(clean_password(DEMO_PASSWORD), known=("Asha Menon", "asha@northwind.example"), least=BY_OPERATOR)


def test_a_common_password_leaves_the_link_good_and_tells_the_audit_trail_nothing(stores: Stores) -> None:
    add_person(stores, actor=OPERATOR, now=NOW, email="asha@example.com", name="Asha Menon")
    link = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email="asha@example.com")

    for bad in ("password1234", "asha menon 1", "SOP library 1"):
        with pytest.raises(InvalidInputError):
            sign_in_by_link(stores, token=link, password=bad, now=NOW)
    opened = sign_in_by_link(stores, token=link, password="four quiet green parrots", now=NOW)

    assert actor_for_session(stores, token=opened, now=NOW) is not None
    with stores.database.read() as session:
        assert not any("parrots" in f"{event.subject}{event.details}" for event in audit.events(session))


def test_the_command_line_sets_no_common_password_either(stores: Stores) -> None:
    add_person(stores, actor=OPERATOR, now=NOW, email="asha@example.com", name="Asha Menon")

    with pytest.raises(InvalidInputError, match="most used"):
        set_password(stores, actor=OPERATOR, now=NOW, email="asha@example.com", password="password")


def test_keyboards_that_compose_characters_differently_type_the_same_password(stores: Stores) -> None:
    add_person(stores, actor=OPERATOR, now=NOW, email="asha@example.com", name="Asha Menon")
    set_password(stores, actor=OPERATOR, now=NOW, email="asha@example.com", password="vier gr\u00fcne \ufb01sche")

    decomposed = "vier gru\u0308ne fische"
    assert sign_in(stores, email="asha@example.com", password=decomposed, address="10.0.0.1", now=NOW)


def test_a_password_from_before_the_limit_still_signs_in() -> None:
    long = "of twenty words " * 12

    assert matches(hash_password(long), long)
    assert (HASHER.memory_cost, HASHER.time_cost, HASHER.parallelism) == (19456, 2, 1)
