import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, NotSignedInError
from sop_server.services.accounts.link_sign_in import sign_in_by_link
from sop_server.services.accounts.mailed_links import ask_for_link, invite, send_due
from sop_server.services.accounts.people import add_person, deactivate_person
from sop_server.services.accounts.sign_in import token_hash
from sop_server.services.background import run_due
from sop_server.services.mailing import Mailer
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, outbox, people
from tests.mail_server import Post, mail_server

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EMAIL, PASSWORD = "asha@example.com", "four quiet green parrots"


@pytest.fixture
def post() -> Iterator[Post]:
    with mail_server() as found:
        yield found


@pytest.fixture
def mailing(stores: Stores, post: Post) -> Stores:
    add_person(stores, actor=OPERATOR, now=NOW, email=EMAIL, name="Asha Menon")
    mailer = Mailer(
        url=post.url,
        sender="sop-server@sops.example.com",
        public_url="https://sops.example.com/",
        library_name="Northwind\nprocedures",
    )
    return replace(stores, mailer=mailer)


def ask(stores: Stores, email: str = EMAIL, now: datetime = NOW) -> None:
    ask_for_link(stores, email=email, address="10.0.0.1", now=now)


def link_in(post: Post) -> str:
    (found,) = re.findall(r"https://sops\.example\.com/sign-in/([\w-]{43})", post.messages[-1].get_content())
    return str(found)


def test_whoever_forgot_the_password_gets_a_link_that_works_once(mailing: Stores, post: Post) -> None:
    ask(mailing)
    assert post.messages == [], "nothing is sent before the answer"

    told = run_due(mailing, now=NOW)

    assert "1 sign-in links were mailed." in told
    (message,) = post.messages
    assert message["To"] == EMAIL
    assert message["From"] == "Northwind procedures <sop-server@sops.example.com>"
    assert "02 March 2026, 10:00 UTC" in message.get_content()
    assert sign_in_by_link(mailing, token=link_in(post), password=PASSWORD, now=NOW)
    with pytest.raises(NotSignedInError):
        sign_in_by_link(mailing, token=link_in(post), password=PASSWORD, now=NOW)
    assert send_due(mailing, now=NOW + timedelta(minutes=5)) == 0


def test_a_link_that_was_forgotten_expires_in_an_hour_and_an_invitation_in_three_days(
    mailing: Stores, post: Post
) -> None:
    ask(mailing)
    send_due(mailing, now=NOW)
    with pytest.raises(NotSignedInError):
        sign_in_by_link(mailing, token=link_in(post), password=PASSWORD, now=NOW + timedelta(hours=1))
    invite(mailing, actor=OPERATOR, email=EMAIL, now=NOW)
    send_due(mailing, now=NOW)

    assert "You are invited" in post.messages[-1]["Subject"].replace("you are", "You are")
    assert sign_in_by_link(mailing, token=link_in(post), password=PASSWORD, now=NOW + timedelta(hours=71))


def test_nobody_learns_who_has_an_account(mailing: Stores, post: Post) -> None:
    add_person(mailing, actor=OPERATOR, now=NOW, email="gone@example.com", name="Gone")
    deactivate_person(mailing, actor=OPERATOR, now=NOW, email="gone@example.com")
    for email in ("nobody@example.com", "gone@example.com"):
        ask(mailing, email)

    assert send_due(mailing, now=NOW) == 0

    assert post.messages == []
    with mailing.database.read() as session:
        assert outbox.open_count(session) == 0


def test_many_requests_send_one_mail_and_are_refused_at_last(mailing: Stores, post: Post) -> None:
    for _ in range(10):
        ask(mailing)
    with pytest.raises(ForbiddenError, match="too many requests for a link"):
        ask(mailing)

    assert send_due(mailing, now=NOW) == 1
    assert len(post.messages) == 1


@pytest.mark.parametrize("email", ["", "no address", "a@b\r\nBcc: c@example.com", "x" * 300 + "@example.com"])
def test_what_is_no_address_is_refused(mailing: Stores, email: str) -> None:
    with pytest.raises(InvalidInputError):
        ask(mailing, email)


def test_a_mail_that_is_not_taken_is_tried_again_with_a_new_link(mailing: Stores, post: Post) -> None:
    ask(mailing)
    post.refusing = True
    assert send_due(mailing, now=NOW) == 0
    assert send_due(mailing, now=NOW) == 0, "it waits before it tries again"
    with mailing.database.read() as session:
        (item,) = outbox.due(session, now=NOW + timedelta(minutes=1), kind="sign_in_mail")
        assert item.error is not None
        assert "did not take a message" in item.error
    post.refusing = False

    assert send_due(mailing, now=NOW + timedelta(minutes=1)) == 1
    assert sign_in_by_link(mailing, token=link_in(post), password=PASSWORD, now=NOW + timedelta(minutes=2))


def test_a_server_that_is_not_there_stops_nothing_else(mailing: Stores, post: Post) -> None:
    ask(mailing)
    assert mailing.mailer is not None
    away = replace(mailing, mailer=replace(mailing.mailer, url="smtp://user:verysecret@127.0.0.1:1"))

    run_due(away, now=NOW)

    with mailing.database.read() as session:
        (item,) = outbox.due(session, now=NOW + timedelta(minutes=1), kind="sign_in_mail")
    assert "verysecret" not in (item.error or "")
    run_due(mailing, now=NOW + timedelta(days=2))
    assert post.messages == [], "after a day nobody waits for it any more"


def test_a_password_is_never_sent_to_a_server_without_tls(mailing: Stores, post: Post) -> None:
    ask(mailing)
    assert mailing.mailer is not None
    plain = mailing.mailer.url.replace("smtp://", "smtp://user:secret@")

    assert send_due(replace(mailing, mailer=replace(mailing.mailer, url=plain)), now=NOW) == 0
    assert post.messages == []


def test_two_processes_send_each_mail_once(mailing: Stores, post: Post) -> None:
    ask(mailing)
    threads = [threading.Thread(target=send_due, args=(mailing,), kwargs={"now": NOW}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(post.messages) == 1


def test_only_an_administrator_for_all_invites(mailing: Stores) -> None:
    with mailing.database.read() as session:
        person = people.person_by_email(session, EMAIL)
        assert person is not None
        asha = people.load_actor(session, person.id, NOW)
    assert isinstance(asha, Actor)
    with pytest.raises(ForbiddenError):
        invite(mailing, actor=asha, email=EMAIL, now=NOW)
    with pytest.raises(NotFoundError):
        invite(mailing, actor=OPERATOR, email="nobody@example.com", now=NOW)
    deactivate_person(mailing, actor=OPERATOR, now=NOW, email=EMAIL)
    with pytest.raises(ConflictError, match="not active"):
        invite(mailing, actor=OPERATOR, email=EMAIL, now=NOW)


def test_without_a_mail_server_nothing_is_asked_for(stores: Stores) -> None:
    with pytest.raises(ConflictError, match="Ask an administrator"):
        ask(stores)
    assert send_due(stores, now=NOW) == 0


def test_the_database_holds_no_link_that_works(mailing: Stores, post: Post) -> None:
    ask(mailing)
    invite(mailing, actor=OPERATOR, email=EMAIL, now=NOW)
    send_due(mailing, now=NOW)
    link = link_in(post)

    with mailing.database.read() as session:
        assert credentials.link_holder(session, token_hash(link), now=NOW) is not None
        assert credentials.link_holder(session, link, now=NOW) is None
        events = [f"{event.action} {event.details}" for event in audit.events(session)]
    assert {"person.invited {}", "sign_in_link.mailed {'why': 'invitation'}"} <= set(events)
    assert not any(link in event for event in events)
