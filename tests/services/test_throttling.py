import statistics
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ForbiddenError, NotSignedInError
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.sign_in import sign_in
from sop_server.services.accounts.throttling import WINDOW, count_attempt
from sop_server.services.stores import Stores
from sop_server.storage import credentials
from sop_server.storage.database import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EMAIL = "asha@example.com"
PASSWORD = "four quiet green parrots"
OFFICE, ELSEWHERE = "10.0.0.1", "203.0.113.7"


@pytest.fixture
def asha(stores: Stores) -> str:
    add_person(stores, actor=OPERATOR, now=NOW, email=EMAIL, name="Asha")
    set_password(stores, actor=OPERATOR, now=NOW, email=EMAIL, password=PASSWORD)
    return EMAIL


def come_in(stores: Stores, *, address: str = OFFICE, password: str = PASSWORD, now: datetime = NOW) -> str:
    return sign_in(stores, email=EMAIL, password=password, address=address, now=now)


def guess(stores: Stores, times: int, *, address: str, now: datetime = NOW, email: str = EMAIL) -> list[str]:
    told = []
    for _ in range(times):
        try:
            count_attempt(stores, email=email, address=address, now=now)
            told.append("looked at")
        except ForbiddenError as error:
            told.append(error.message)
    return told


def test_whoever_guesses_elsewhere_does_not_keep_the_person_out(stores: Stores, asha: str) -> None:
    come_in(stores, address=OFFICE)
    for minute in range(0, 60, 5):
        guess(stores, 10, address=ELSEWHERE, now=NOW + timedelta(minutes=minute))

        assert come_in(stores, address=OFFICE, now=NOW + timedelta(minutes=minute))
        with pytest.raises(ForbiddenError):
            come_in(stores, address=ELSEWHERE, now=NOW + timedelta(minutes=minute))


def test_a_right_password_does_not_give_the_guesser_new_guesses(stores: Stores, asha: str) -> None:
    come_in(stores, address=OFFICE)
    guess(stores, 10, address=ELSEWHERE)
    come_in(stores, address=OFFICE)

    assert "too many" in guess(stores, 1, address=ELSEWHERE)[0]


def test_a_familiar_network_has_no_endless_guesses_either(stores: Stores, asha: str) -> None:
    come_in(stores, address=OFFICE)

    told = guess(stores, 11, address=OFFICE)

    assert told[:10] == ["looked at"] * 10
    assert "Try again in 15 min" in told[10]


def test_an_ipv6_guesser_cannot_change_the_address_for_each_guess(stores: Stores) -> None:
    for number in range(50):
        assert guess(stores, 1, address=f"2001:db8::{number:x}", email=f"p{number}@example.com") == ["looked at"]

    assert guess(stores, 1, address="2001:db8::ffff", email="p@example.com") != ["looked at"]


def test_the_same_is_told_of_an_account_that_nobody_has(stores: Stores, asha: str) -> None:
    known = guess(stores, 12, address=ELSEWHERE)

    assert guess(stores, 12, address="203.0.113.8", email="nobody@example.com") == known


def test_an_account_that_nobody_has_takes_as_long(stores: Stores, asha: str) -> None:
    def median(email: str) -> float:
        taken = []
        for number in range(9):
            began = time.perf_counter()
            with pytest.raises(NotSignedInError):
                sign_in(stores, email=email, password="wrong wrong wrong", address=f"10.1.{number}.1", now=NOW)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    known, unknown = median(EMAIL), median("nobody@example.com")

    assert 0.5 < known / unknown < 2


def test_what_was_counted_is_deleted_after_the_window(stores: Stores, asha: str) -> None:
    guess(stores, 10, address=ELSEWHERE)
    guess(stores, 1, address=ELSEWHERE, now=NOW + WINDOW)

    with stores.database.read() as session:
        assert len(credentials.failures(session, since=NOW - WINDOW)) == 1


def test_processes_count_together(stores: Stores, asha: str) -> None:
    other = Database(stores.database.url)
    elsewhere = Stores(
        home=Path(stores.home), database=other, library=stores.library, search=stores.search, policy=stores.policy
    )
    told: list[str] = []
    threads = [
        threading.Thread(target=lambda one=one: told.extend(guess(one, 8, address=ELSEWHERE)))
        for one in (stores, elsewhere)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()

    assert told.count("looked at") == 10


def test_each_kind_of_secret_has_a_count_of_its_own(stores: Stores, asha: str) -> None:
    guess(stores, 10, address=OFFICE)

    count_attempt(stores, email=EMAIL, address=OFFICE, now=NOW, what="code")
