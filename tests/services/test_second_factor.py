import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.errors import ConflictError, ForbiddenError, NotFoundError, NotSignedInError
from sop_server.services.accounts import second_factor as factor
from sop_server.services.accounts.entering import (
    HALF_LIFE,
    enter_with_code,
    key_to_set_up,
    set_up_and_enter,
    step_after,
)
from sop_server.services.accounts.link_sign_in import sign_in_by_link
from sop_server.services.accounts.own_account import my_sessions
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.sign_in import Step, actor_for_session, create_sign_in_link, sign_in
from sop_server.services.stores import Stores
from sop_server.storage import audit, second_factors

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)
SEAL = Seal("a secret for the tests alone")
EMAIL, PASSWORD, ADDRESS = "asha@example.com", "four quiet green parrots", "10.0.0.1"


@pytest.fixture
def asha(stores: Stores) -> Actor:
    add_person(stores, actor=OPERATOR, now=NOW, email=EMAIL, name="Asha", roles=["approver@payments"])
    set_password(stores, actor=OPERATOR, now=NOW, email=EMAIL, password=PASSWORD)
    actor = actor_for_session(stores, token=come_in(stores), now=NOW)
    assert actor is not None
    return actor


def come_in(stores: Stores, now: datetime = NOW, address: str = ADDRESS) -> str:
    return sign_in(stores, email=EMAIL, password=PASSWORD, address=address, now=now)


class Phone:
    def __init__(self, key: str) -> None:
        self._key = pyotp.TOTP(key)

    def code(self, at: datetime) -> str:
        return self._key.at(at)

    def wrong(self, at: datetime) -> str:
        near = {self.code(at + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
        return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


def set_up(stores: Stores, asha: Actor) -> tuple[Phone, tuple[str, ...]]:
    factor.begin(stores, SEAL, actor=asha, now=NOW, password=PASSWORD, address=ADDRESS)
    key = factor.waiting_key(stores, SEAL, actor=asha)
    assert key is not None
    phone = Phone(key.text)
    codes = factor.confirm(
        stores, SEAL, actor=asha, now=NOW, code=phone.code(NOW), address=ADDRESS, session_token="none"
    )
    return phone, codes


def enter(stores: Stores, token: str, code: str, now: datetime = LATER, address: str = ADDRESS) -> str:
    return enter_with_code(stores, SEAL, token=token, code=code, address=address, now=now)


def test_the_password_alone_opens_nothing_where_a_phone_is_set_up(stores: Stores, asha: Actor) -> None:
    phone, _codes = set_up(stores, asha)
    half = come_in(stores, LATER)

    assert step_after(stores, token=half, now=LATER) is Step.CODE
    assert actor_for_session(stores, token=half, now=LATER) is None

    opened = enter(stores, half, phone.code(LATER))

    assert opened != half
    assert actor_for_session(stores, token=half, now=LATER) is None
    assert actor_for_session(stores, token=opened, now=LATER) == asha
    assert len(my_sessions(stores, actor=asha, now=LATER, token=opened)) == 1


def test_turning_it_on_ends_the_other_sessions(stores: Stores, asha: Actor) -> None:
    elsewhere = come_in(stores)
    set_up(stores, asha)

    assert actor_for_session(stores, token=elsewhere, now=NOW) is None


@pytest.mark.parametrize(("drift", "good"), [(-60, "no"), (-30, "yes"), (0, "yes"), (30, "yes"), (60, "no")])
def test_a_clock_may_be_one_step_off_and_no_more(stores: Stores, asha: Actor, drift: int, good: str) -> None:
    phone, _codes = set_up(stores, asha)
    half, code = come_in(stores, LATER), phone.code(LATER + timedelta(seconds=drift))

    if good == "yes":
        assert enter(stores, half, f" {code[:3]} {code[3:]} ")
    else:
        with pytest.raises(NotSignedInError):
            enter(stores, half, code)


def test_a_code_is_never_taken_twice_nor_one_from_before_it(stores: Stores, asha: Actor) -> None:
    phone, _codes = set_up(stores, asha)
    with pytest.raises(NotSignedInError):
        enter(stores, come_in(stores), phone.code(NOW), now=NOW)  # the one that turned it on
    enter(stores, come_in(stores, LATER), phone.code(LATER))

    for code in (phone.code(LATER), phone.code(LATER - timedelta(seconds=30))):
        with pytest.raises(NotSignedInError, match="used already"):
            enter(stores, come_in(stores, LATER), code)


def test_of_two_who_send_one_code_at_once_one_comes_in(stores: Stores, asha: Actor) -> None:
    phone, codes = set_up(stores, asha)
    for code in (phone.code(LATER), codes[0]):
        halves = [come_in(stores, LATER) for _ in range(3)]
        opened: list[str] = []

        def use(half: str, code: str = code, opened: list[str] = opened) -> None:
            try:
                opened.append(enter(stores, half, code))
            except NotSignedInError:
                return

        threads = [threading.Thread(target=use, args=(half,)) for half in halves]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 1


def test_a_half_session_is_good_for_one_entry_within_ten_minutes(stores: Stores, asha: Actor) -> None:
    _phone, codes = set_up(stores, asha)
    half = come_in(stores, LATER)
    with pytest.raises(NotSignedInError, match="Sign in again"):
        enter(stores, half, codes[0], now=LATER + HALF_LIFE + timedelta(seconds=1))
    enter(stores, half, codes[0])

    for token in (half, "never was", ""):
        with pytest.raises(NotSignedInError, match="Sign in again"):
            enter(stores, token, codes[1])


def test_each_recovery_code_works_once_and_is_nobody_elses(stores: Stores, asha: Actor) -> None:
    _phone, codes = set_up(stores, asha)
    assert len(set(codes)) == 10

    assert enter(stores, come_in(stores, LATER), codes[3].upper().replace("-", " "))
    with pytest.raises(NotSignedInError):
        enter(stores, come_in(stores, LATER), codes[3])

    assert factor.second_factor(stores, actor=asha).codes_left == 9
    with stores.database.write() as session:
        assert factor.take_code(session, SEAL, person_id=asha.person_id + 1, code=codes[4], now=NOW) is None


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "\u0661\u0662\u0663" * 2, "x" * 10_000, "\x00"])
def test_what_is_no_code_is_refused(stores: Stores, asha: Actor, code: str) -> None:
    set_up(stores, asha)

    with pytest.raises(NotSignedInError):
        enter(stores, come_in(stores, LATER), code)


def test_guesses_of_the_code_are_throttled_and_a_right_password_gives_no_new_ones(stores: Stores, asha: Actor) -> None:
    phone, codes = set_up(stores, asha)
    for _ in range(10):
        with pytest.raises(NotSignedInError):
            enter(stores, come_in(stores, LATER, "203.0.113.7"), phone.wrong(LATER), address="203.0.113.7")

    with pytest.raises(ForbiddenError, match="too many sign-ins with a wrong code"):
        enter(stores, come_in(stores, LATER, "203.0.113.7"), codes[0], address="203.0.113.7")
    assert enter(stores, come_in(stores, LATER), phone.code(LATER)), "its person comes in from where they always do"


def test_a_link_is_no_way_around_it(stores: Stores, asha: Actor) -> None:
    phone, _codes = set_up(stores, asha)
    link = create_sign_in_link(stores, actor=OPERATOR, now=LATER, email=EMAIL)

    half = sign_in_by_link(stores, token=link, password="another quiet long one", now=LATER)

    assert actor_for_session(stores, token=half, now=LATER) is None
    assert enter(stores, half, phone.code(LATER))


def test_setting_it_up_takes_the_password(stores: Stores, asha: Actor) -> None:
    with pytest.raises(ForbiddenError, match="not your password"):
        factor.begin(stores, SEAL, actor=asha, now=NOW, password="a guess", address=ADDRESS)
    assert factor.waiting_key(stores, SEAL, actor=asha) is None


def test_a_key_counts_once_its_first_code_was_right(stores: Stores, asha: Actor) -> None:
    factor.begin(stores, SEAL, actor=asha, now=NOW, password=PASSWORD, address=ADDRESS)
    key = factor.waiting_key(stores, SEAL, actor=asha)
    assert key is not None
    with pytest.raises(ForbiddenError) as refused:
        factor.confirm(
            stores, SEAL, actor=asha, now=NOW, code=Phone(key.text).wrong(NOW), address=ADDRESS, session_token=""
        )

    assert list(refused.value.fields) == ["code"]
    assert actor_for_session(stores, token=come_in(stores), now=NOW) is not None


def test_it_is_set_up_once(stores: Stores, asha: Actor) -> None:
    phone, _codes = set_up(stores, asha)

    with pytest.raises(ConflictError):
        factor.begin(stores, SEAL, actor=asha, now=LATER, password=PASSWORD, address=ADDRESS)
    with pytest.raises(ConflictError):
        factor.confirm(stores, SEAL, actor=asha, now=LATER, code=phone.code(LATER), address=ADDRESS, session_token="")


def test_turning_it_off_takes_password_and_code(stores: Stores, asha: Actor) -> None:
    phone, codes = set_up(stores, asha)

    def end(password: str, code: str) -> None:
        factor.end(stores, SEAL, actor=asha, now=LATER, password=password, code=code, address=ADDRESS)

    with pytest.raises(ForbiddenError):
        end("a guess", codes[0])
    with pytest.raises(ForbiddenError):
        end(PASSWORD, phone.wrong(LATER))
    end(PASSWORD, phone.code(LATER))

    assert actor_for_session(stores, token=come_in(stores, LATER), now=LATER) is not None
    assert factor.second_factor(stores, actor=asha) == factor.SecondFactor(None, 0, demanded=False)


def test_new_recovery_codes_make_the_former_ones_useless(stores: Stores, asha: Actor) -> None:
    phone, former = set_up(stores, asha)
    codes = factor.renew_codes(
        stores, SEAL, actor=asha, now=LATER, password=PASSWORD, code=phone.code(LATER), address=ADDRESS
    )

    with pytest.raises(NotSignedInError):
        enter(stores, come_in(stores, LATER), former[0])
    assert enter(stores, come_in(stores, LATER), codes[0])


def test_an_administrator_resets_it_for_others_and_never_for_themselves(stores: Stores, asha: Actor) -> None:
    set_up(stores, asha)
    ada = replace(asha, person_id=asha.person_id + 100, email="ada@example.com", grants=frozenset())
    with pytest.raises(ForbiddenError):
        factor.reset(stores, actor=ada, now=LATER, email=EMAIL)
    with pytest.raises(NotFoundError):
        factor.reset(stores, actor=OPERATOR, now=LATER, email="nobody@example.com")

    factor.reset(stores, actor=OPERATOR, now=LATER, email=EMAIL)

    assert actor_for_session(stores, token=come_in(stores, LATER), now=LATER) is not None
    with pytest.raises(ConflictError):
        factor.reset(stores, actor=OPERATOR, now=LATER, email=EMAIL)


def demanding(stores: Stores, *roles: str) -> Stores:
    return replace(stores, policy=Policy(second_factor_for=frozenset(roles)))


def test_whose_role_demands_it_sets_it_up_before_they_are_in(stores: Stores, asha: Actor) -> None:
    strict = demanding(stores, "approver")
    half = come_in(strict)
    assert step_after(strict, token=half, now=NOW) is Step.SET_UP
    assert actor_for_session(strict, token=half, now=NOW) is None
    key = key_to_set_up(strict, SEAL, token=half, now=NOW)
    assert key_to_set_up(strict, SEAL, token=half, now=NOW) == key

    phone = Phone(key.text)
    with pytest.raises(ForbiddenError):
        set_up_and_enter(strict, SEAL, token=half, code=phone.wrong(NOW), address=ADDRESS, now=NOW)
    opened, codes = set_up_and_enter(strict, SEAL, token=half, code=phone.code(NOW), address=ADDRESS, now=NOW)

    assert actor_for_session(strict, token=opened, now=NOW) == asha
    assert len(codes) == 10
    with pytest.raises(NotSignedInError):
        set_up_and_enter(strict, SEAL, token=half, code=phone.code(NOW), address=ADDRESS, now=NOW)
    with pytest.raises(ForbiddenError, match="Your role demands"):
        factor.end(strict, SEAL, actor=asha, now=LATER, password=PASSWORD, code=codes[0], address=ADDRESS)


@pytest.mark.parametrize(("roles", "step"), [(("admin",), None), (("everybody",), Step.SET_UP), ((), None)])
def test_it_is_demanded_of_the_roles_named(
    stores: Stores, asha: Actor, roles: tuple[str, ...], step: Step | None
) -> None:
    strict = demanding(stores, *roles)

    assert step_after(strict, token=come_in(strict), now=NOW) is step


def test_nobody_sets_up_the_phone_of_somebody_who_has_one(stores: Stores, asha: Actor) -> None:
    set_up(stores, asha)
    half = come_in(stores, LATER)

    with pytest.raises(NotSignedInError):
        key_to_set_up(stores, SEAL, token=half, now=LATER)


def test_neither_database_nor_audit_trail_gives_a_key_or_a_code_away(stores: Stores, asha: Actor) -> None:
    factor.begin(stores, SEAL, actor=asha, now=NOW, password=PASSWORD, address=ADDRESS)
    key = factor.waiting_key(stores, SEAL, actor=asha)
    assert key is not None
    codes = factor.confirm(
        stores, SEAL, actor=asha, now=NOW, code=Phone(key.text).code(NOW), address=ADDRESS, session_token=""
    )
    enter(stores, come_in(stores, LATER), codes[0])

    with stores.database.read() as session:
        row = second_factors.key_row(session, asha.person_id)
        events = list(audit.events(session))
    assert row is not None
    assert key.text not in row.sealed_key
    told = " ".join(f"{event.action} {event.details}" for event in events)
    assert "second_factor.set_up" in told
    assert "paper" in told
    assert not any(secret in told for secret in (key.text, *codes))
    assert Seal("another secret key").open(row.sealed_key) is None
    middle = len(row.sealed_key) // 2
    other = "A" if row.sealed_key[middle] != "A" else "B"
    assert SEAL.open(row.sealed_key) is not None
    assert SEAL.open(row.sealed_key[:middle] + other + row.sealed_key[middle + 1 :]) is None


def test_with_another_secret_key_a_recovery_code_still_lets_in(stores: Stores, asha: Actor) -> None:
    phone, codes = set_up(stores, asha)
    half, other = come_in(stores, LATER), Seal("another secret key")

    with pytest.raises(ForbiddenError, match="secret key was changed"):
        enter_with_code(stores, other, token=half, code=phone.code(LATER), address=ADDRESS, now=LATER)
    assert enter_with_code(stores, other, token=half, code=codes[0], address=ADDRESS, now=LATER)
