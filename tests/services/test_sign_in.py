import threading
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.errors import ForbiddenError, InvalidInputError, NotFoundError, NotSignedInError
from sop_server.services.accounts import passwords
from sop_server.services.accounts.passwords import matches, set_password
from sop_server.services.accounts.people import add_person, deactivate_person
from sop_server.services.accounts.sign_in import (
    actor_for_session,
    confirm_password,
    create_sign_in_link,
    sign_in,
    sign_out,
    sign_out_everywhere,
    token_hash,
    use_sign_in_link,
)
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EMAIL = "asha@example.com"
PASSWORD = "four quiet green parrots"


@pytest.fixture
def asha(stores: Stores) -> str:
    add_person(stores, actor=OPERATOR, now=NOW, email=EMAIL, name="Asha", roles=["editor@payments"])
    set_password(stores, actor=OPERATOR, now=NOW, email=EMAIL, password=PASSWORD)
    return EMAIL


def come_in(stores: Stores, *, password: str = PASSWORD, now: datetime = NOW, address: str = "10.0.0.1") -> str:
    return sign_in(stores, email=EMAIL, password=password, address=address, now=now)


def me(stores: Stores, token: str, now: datetime = NOW) -> Actor:
    actor = actor_for_session(stores, token=token, now=now)
    assert actor is not None
    return actor


def test_a_password_opens_a_session_that_acts_as_the_person(stores: Stores, asha: str) -> None:
    token = sign_in(stores, email=" ASHA@example.com ", password=PASSWORD, address="10.0.0.1", now=NOW)

    assert me(stores, token).email == asha
    with stores.database.read() as session:
        assert credentials.session_row(session, token) is None, "the cookie itself is not stored"
        assert credentials.session_row(session, token_hash(token)) is not None
        assert not any(PASSWORD in str(event.details) for event in audit.events(session))


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong wrong wrong"),
        ("nobody@example.com", PASSWORD),
        (EMAIL, ""),
        ("", ""),
        (EMAIL, "x" * 100_000),
        ("\ud800", "\ud800" * 12),
    ],
)
def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(
    stores: Stores, asha: str, email: str, password: str
) -> None:
    with pytest.raises(NotSignedInError, match="do not belong together"):
        sign_in(stores, email=email, password=password, address="10.0.0.1", now=NOW)


def test_an_unknown_person_costs_the_same_hash_as_a_known_one() -> None:
    assert not passwords.needs_new_hash(passwords.NOBODY)
    assert not matches(None, "anything at all")
    assert passwords.NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_person_who_was_deactivated_is_out_at_once(stores: Stores, asha: str) -> None:
    token = come_in(stores)
    deactivate_person(stores, actor=OPERATOR, now=NOW, email=EMAIL)

    assert actor_for_session(stores, token=token, now=NOW) is None
    with pytest.raises(NotSignedInError):
        come_in(stores)


def test_a_session_ends_after_twelve_idle_hours(stores: Stores, asha: str) -> None:
    token = come_in(stores)

    assert me(stores, token, NOW + timedelta(hours=12))
    assert me(stores, token, NOW + timedelta(hours=23, minutes=59)), "it was seen at noon"
    assert actor_for_session(stores, token=token, now=NOW + timedelta(hours=36)) is None


def test_a_session_ends_after_seven_days_however_busy(stores: Stores, asha: str) -> None:
    token = come_in(stores)
    for step in range(1, 15):
        assert me(stores, token, NOW + timedelta(hours=12 * step))

    assert actor_for_session(stores, token=token, now=NOW + timedelta(days=7, seconds=1)) is None


def test_a_page_within_a_minute_costs_no_write(stores: Stores, asha: str) -> None:
    token = come_in(stores)
    me(stores, token, NOW + timedelta(seconds=60))
    with stores.database.read() as session:
        first = credentials.session_row(session, token_hash(token))
    me(stores, token, NOW + timedelta(seconds=61))
    with stores.database.read() as session:
        second = credentials.session_row(session, token_hash(token))

    assert first is not None
    assert second is not None
    assert (first.seen_at, second.seen_at) == (NOW, NOW + timedelta(seconds=61))


def test_a_page_is_shown_while_somebody_else_writes(stores: Stores, asha: str) -> None:
    token = come_in(stores)
    with stores.database.write():
        assert me(stores, token, NOW + timedelta(seconds=30)).email == EMAIL


def test_signing_out_ends_the_session(stores: Stores, asha: str) -> None:
    token = come_in(stores)
    sign_out(stores, token=token, now=NOW)
    sign_out(stores, token="never was", now=NOW)

    assert actor_for_session(stores, token=token, now=NOW) is None


def test_signing_out_everywhere_keeps_the_session_named(stores: Stores, asha: str) -> None:
    tokens = [come_in(stores) for _ in range(3)]

    assert sign_out_everywhere(stores, actor=me(stores, tokens[0]), now=NOW, keep=tokens[0]) == 2
    assert [actor_for_session(stores, token=token, now=NOW) is None for token in tokens] == [False, True, True]


def fail(stores: Stores, times: int, *, email: str = EMAIL, address: str = "10.0.0.1", now: datetime = NOW) -> None:
    with stores.database.write() as session:
        for _ in range(times):
            credentials.add_failure(session, email=email, address=address, at=now)


def test_ten_wrong_passwords_shut_the_address_for_a_quarter_of_an_hour(stores: Stores, asha: str) -> None:
    for _ in range(10):
        with pytest.raises(NotSignedInError):
            come_in(stores, password="wrong wrong wrong")

    with pytest.raises(ForbiddenError, match="Try again in 14 min, at 09:15 UTC"):
        come_in(stores, now=NOW + timedelta(minutes=1))
    with pytest.raises(ForbiddenError):
        come_in(stores, now=NOW + timedelta(minutes=1), address="10.9.9.9")
    assert come_in(stores, now=NOW + timedelta(minutes=15))


def test_an_e_mail_address_that_nobody_has_is_shut_the_same_way(stores: Stores, asha: str) -> None:
    fail(stores, 10, email="nobody@example.com")

    with pytest.raises(ForbiddenError):
        sign_in(stores, email="nobody@example.com", password=PASSWORD, address="10.0.0.1", now=NOW)


def test_fifty_failures_from_one_network_address_shut_it(stores: Stores, asha: str) -> None:
    for number in range(50):
        fail(stores, 1, email=f"p{number}@example.com")

    with pytest.raises(ForbiddenError):
        come_in(stores)
    assert come_in(stores, address="10.0.0.2")


def test_a_good_password_forgets_the_failures(stores: Stores, asha: str) -> None:
    fail(stores, 9)
    come_in(stores)
    fail(stores, 9)

    assert come_in(stores)


def test_a_burst_of_guesses_cannot_pass_the_limit_together(stores: Stores, asha: str) -> None:
    answers: list[type[Exception] | None] = []

    def guess() -> None:
        try:
            come_in(stores, password="wrong wrong wrong")
        except (NotSignedInError, ForbiddenError) as error:
            answers.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers.count(NotSignedInError) == 10
    assert answers.count(ForbiddenError) == 6


def test_a_sign_in_link_works_once(stores: Stores, asha: str) -> None:
    link = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=EMAIL)

    assert me(stores, use_sign_in_link(stores, token=link, now=NOW)).email == EMAIL
    with pytest.raises(NotSignedInError):
        use_sign_in_link(stores, token=link, now=NOW)


def test_of_two_who_use_one_link_at_once_one_comes_in(stores: Stores, asha: str) -> None:
    link = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=EMAIL)
    opened: list[str] = []
    start = threading.Barrier(4)

    def use() -> None:
        start.wait()
        try:
            opened.append(use_sign_in_link(stores, token=link, now=NOW))
        except NotSignedInError:
            return

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(opened) == 1


def test_a_link_expires_and_a_newer_one_replaces_it(stores: Stores, asha: str) -> None:
    old = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=EMAIL)
    new = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=EMAIL)

    with pytest.raises(NotSignedInError):
        use_sign_in_link(stores, token=old, now=NOW)
    with pytest.raises(NotSignedInError):
        use_sign_in_link(stores, token=new, now=NOW + timedelta(hours=24))
    with pytest.raises(NotFoundError):
        create_sign_in_link(stores, actor=OPERATOR, now=NOW, email="nobody@example.com")


def test_only_an_administrator_for_all_makes_links(stores: Stores, asha: str) -> None:
    with pytest.raises(ForbiddenError):
        create_sign_in_link(stores, actor=me(stores, come_in(stores)), now=NOW, email=EMAIL)


def test_a_new_password_ends_the_other_sessions(stores: Stores, asha: str) -> None:
    here, there = come_in(stores), come_in(stores)
    set_password(
        stores,
        actor=me(stores, here),
        now=NOW,
        email=EMAIL,
        password="another long password",
        current=PASSWORD,
        keep_session=token_hash(here),
    )

    assert actor_for_session(stores, token=here, now=NOW) is not None
    assert actor_for_session(stores, token=there, now=NOW) is None
    with pytest.raises(NotSignedInError):
        come_in(stores)
    assert come_in(stores, password="another long password")


def test_changing_ones_password_takes_the_current_one(stores: Stores, asha: str) -> None:
    actor = me(stores, come_in(stores))

    with pytest.raises(ForbiddenError, match="current password"):
        set_password(stores, actor=actor, now=NOW, email=EMAIL, password="another long password", current="no")


def test_nobody_sets_somebody_elses_password(stores: Stores, asha: str) -> None:
    add_person(stores, actor=OPERATOR, now=NOW, email="ada@example.com", name="Ada", roles=["admin"])

    with pytest.raises(ForbiddenError):
        set_password(
            stores,
            actor=me(stores, come_in(stores)),
            now=NOW,
            email="ada@example.com",
            password="another long password",
        )


def test_a_person_needs_twelve_characters_and_the_command_line_eight(stores: Stores, asha: str) -> None:
    actor = me(stores, come_in(stores))

    with pytest.raises(InvalidInputError, match="at least 12"):
        set_password(stores, actor=actor, now=NOW, email=EMAIL, password="short 11 ch", current=PASSWORD)
    with pytest.raises(InvalidInputError, match="at least 8"):
        set_password(stores, actor=OPERATOR, now=NOW, email=EMAIL, password="7 chars")
    set_password(stores, actor=OPERATOR, now=NOW, email=EMAIL, password="8 chars!")
    assert come_in(stores, password="8 chars!")


def test_an_approver_is_asked_for_the_password_again(stores: Stores, asha: str) -> None:
    actor = me(stores, come_in(stores))

    confirm_password(stores, actor=actor, password=PASSWORD, address="10.0.0.1", now=NOW)
    with pytest.raises(ForbiddenError, match="not your password"):
        confirm_password(stores, actor=actor, password="wrong wrong wrong", address="10.0.0.1", now=NOW)
