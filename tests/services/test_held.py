"""What is held about a person: all of it, no secret, nobody else's, and for a time alone."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from sop_server.domain.doers import OPERATOR
from sop_server.errors import ForbiddenError, NotFoundError
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.sign_in import actor_for_session, create_sign_in_link, use_sign_in_link
from sop_server.services.accounts.tokens import create_token
from sop_server.services.participation.feedback import give_feedback, triage_feedback
from sop_server.services.privacy.retention import forget_old
from sop_server.services.privacy.telling import held_about
from sop_server.services.stores import Stores
from sop_server.storage import audit
from sop_server.storage.tables import SignInFailure, SignInLink, Table, WebSession
from tests.services.leaver import ASHA, Play, made


@pytest.fixture
def play(stores: Stores) -> Play:
    play = made(stores)
    now = play.story.now
    set_password(stores, actor=OPERATOR, now=now, email=ASHA, password="seven parrots dance")
    create_token(stores, actor=play.story.ada, now=now, email=ASHA)
    given = give_feedback(
        stores, actor=play.story.rita, now=now, sop_id="SOP-0001", kind="outdated", what_happened="It is wrong."
    )
    triage_feedback(
        stores, actor=play.story.asha, now=now, feedback_id=given.id, outcome="rejected", reason="It is right."
    )
    return play


def come_in(play: Play) -> str:
    link = create_sign_in_link(play.stores, actor=OPERATOR, now=play.story.now, email=ASHA)
    return use_sign_in_link(play.stores, token=link, now=play.story.now, address="203.0.113.7", user_agent="Firefox/1")


def test_everything_about_a_person_is_told_to_them_and_no_secret(play: Play) -> None:
    come_in(play)
    text = held_about(play.stores, actor=play.story.asha, now=play.story.now, email=ASHA)
    found = json.loads(text)

    assert found["person"]["name"] == "Asha"
    assert {"person_state", "role_grant", "api_token", "web_session", "draft", "draft_commit"} <= found[
        "records"
    ].keys()
    assert found["records"]["web_session"][0]["address"] == "203.0.113.7"
    assert "SOP-0001 r1" in found["sops"]
    assert {one["action"] for one in found["events"]} >= {"person.added", "draft.created"}
    with play.stores.database.read() as session:
        for table in Table.metadata.sorted_tables:
            for column in table.columns:
                if re.search(r"(token|code|password)_hash$|^sealed", column.name):
                    for secret in session.scalars(select(column)):
                        assert secret is None or secret not in text
        told = next(audit.events(session, action="export."))
    assert (told.actor, told.subject) == (ASHA, "held.json")


def test_what_somebody_decided_about_others_does_not_tell_of_the_others(play: Play) -> None:
    text = held_about(play.stores, actor=play.story.asha, now=play.story.now, email=ASHA)

    (triaged,) = json.loads(text)["records"]["feedback"]
    assert "triaged_at" in triaged
    assert "It is wrong." not in text
    assert "rita" not in text.lower()


def test_only_an_administrator_is_told_about_others(play: Play) -> None:
    for actor in (play.story.ben, play.story.mia, play.story.rita):
        with pytest.raises(ForbiddenError):
            held_about(play.stores, actor=actor, now=play.story.now, email=ASHA)
    assert "Asha" in held_about(play.stores, actor=play.story.ada, now=play.story.now, email=ASHA)
    with pytest.raises(NotFoundError):
        held_about(play.stores, actor=play.story.ada, now=play.story.now, email="nobody@example.com")


def test_sign_ins_are_kept_for_a_time_alone_and_forgetting_twice_changes_nothing(play: Play) -> None:
    stores = replace(play.stores, policy=replace(play.stores.policy, session_longest=timedelta(days=365)))
    token = come_in(play)
    came_in = play.story.now
    with stores.database.write() as session:
        session.add(SignInFailure(email=ASHA, address="203.0.113.0", at=came_in))

    def counts() -> tuple[int, ...]:
        with stores.database.read() as session:
            return tuple(
                session.scalar(select(func.count()).select_from(table)) or 0
                for table in (WebSession, SignInLink, SignInFailure)
            )

    before = counts()
    assert forget_old(stores, now=came_in + timedelta(minutes=1)) == 0
    assert counts() == before
    assert forget_old(stores, now=came_in + timedelta(minutes=20)) == 1
    later = came_in + timedelta(days=91)
    with stores.database.write() as session:
        for row in session.scalars(select(WebSession)):
            row.seen_at = later
    assert forget_old(stores, now=later) > 0
    with stores.database.read() as session:
        (row,) = session.scalars(select(WebSession))
        assert (row.address, row.browser, row.ended_at) == ("", "", None)
    assert actor_for_session(stores, token=token, now=later) is not None
    assert forget_old(stores, now=later) == 0
    assert forget_old(stores, now=later + timedelta(days=40)) == 1
    assert counts() == (0, 0, 0)
