from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.errors import NotFoundError, NotSignedInError
from sop_server.services.accounts.own_account import my_sessions
from sop_server.services.accounts.passwords import matches, set_password
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.sign_in import actor_for_session, end_session, sign_in, token_hash
from sop_server.services.stores import Stores
from sop_server.storage import audit

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "four quiet green parrots"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def come_in(stores: Stores, name: str = "asha", *, user_agent: str = FIREFOX) -> str:
    email = f"{name}@example.com"
    add_person(stores, actor=OPERATOR, now=NOW, email=email, name=name.title())
    set_password(stores, actor=OPERATOR, now=NOW, email=email, password=PASSWORD, keep_session=None)
    return again(stores, name, user_agent=user_agent)


def again(stores: Stores, name: str = "asha", *, user_agent: str = FIREFOX) -> str:
    return sign_in(
        stores, email=f"{name}@example.com", password=PASSWORD, address="10.0.0.7", now=NOW, user_agent=user_agent
    )


def me(stores: Stores, token: str) -> Actor:
    actor = actor_for_session(stores, token=token, now=NOW)
    assert actor is not None
    return actor


def test_a_person_sees_where_they_are_signed_in(stores: Stores) -> None:
    come_in(stores)
    here = again(stores, user_agent="")
    found = my_sessions(stores, actor=me(stores, here), now=NOW, token=here)

    assert sorted((one.browser, one.address, one.here) for one in found) == [
        ("", "10.0.0.7", True),
        ("Firefox on Linux", "10.0.0.7", False),
    ]
    assert not any(one.key == token_hash(here) for one in found)


def test_a_person_ends_one_browser_and_no_other(stores: Stores) -> None:
    there = come_in(stores)
    here = again(stores)
    (other,) = [one for one in my_sessions(stores, actor=me(stores, here), now=NOW, token=here) if not one.here]

    end_session(stores, actor=me(stores, here), now=NOW, key=other.key)

    assert actor_for_session(stores, token=there, now=NOW) is None
    assert actor_for_session(stores, token=here, now=NOW) is not None
    with pytest.raises(NotFoundError):
        end_session(stores, actor=me(stores, here), now=NOW, key=other.key)
    with stores.database.read() as session:
        assert next(audit.events(session)).action == "session.ended"


def test_nobody_ends_the_browser_of_somebody_else(stores: Stores) -> None:
    asha, ben = come_in(stores), come_in(stores, "ben")
    (hers,) = my_sessions(stores, actor=me(stores, asha), now=NOW, token=asha)

    with pytest.raises(NotFoundError):
        end_session(stores, actor=me(stores, ben), now=NOW, key=hers.key)
    assert me(stores, asha)


def test_the_installation_says_how_long_a_browser_stays_signed_in(stores: Stores) -> None:
    token = come_in(stores)
    short = Stores(
        home=stores.home,
        database=stores.database,
        library=stores.library,
        search=stores.search,
        policy=Policy(session_idle=timedelta(minutes=30), session_longest=timedelta(hours=1)),
    )

    assert actor_for_session(short, token=token, now=NOW + timedelta(minutes=30))
    assert actor_for_session(short, token=token, now=NOW + timedelta(minutes=60))
    assert actor_for_session(short, token=token, now=NOW + timedelta(minutes=61)) is None


def test_a_password_that_was_changed_meanwhile_opens_no_session(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_in(stores)
    place = "sop_server.services.accounts.sign_in.matches"

    def slow(password_hash: str | None, password: str) -> bool:
        right = matches(password_hash, password)
        monkeypatch.setattr(place, matches)
        set_password(stores, actor=OPERATOR, now=NOW, email="asha@example.com", password="another long password")
        return right

    monkeypatch.setattr(place, slow)

    with pytest.raises(NotSignedInError):
        again(stores)
