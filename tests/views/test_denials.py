"""Who was refused, and who could not sign in, as the audit trail tells it; and the secrets that it never tells."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from sop_server.domain.audit_chain import TrailEvent
from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.accounts.tokens import create_token
from sop_server.services.stores import Stores
from sop_server.services.trail.denials import MOST_IN_A_MINUTE, record_denial
from sop_server.storage import audit
from tests.views.browser import Browser, Clock
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]
PASSWORD = "quiet harbour lantern"
WRONG = "loud harbour lantern"


def told(stores: Stores, action: str = "") -> list[TrailEvent]:
    with stores.database.read() as session:
        return list(audit.events(session, action=action, limit=10_000))[::-1]


def denials(stores: Stores) -> list[tuple[str, str, object]]:
    return [(one.actor, one.subject, one.details["did"]) for one in told(stores, "access.denied")]


def test_a_page_that_is_refused_is_told_with_who_what_and_why(as_person: AsPerson, cast: Cast, stores: Stores) -> None:
    assert as_person(cast.reader).get("/admin/people/ben@example.com").status_code == 403

    (event,) = told(stores, "access.denied")

    assert (event.actor, event.subject) == (cast.reader.email, "ben@example.com")
    assert event.details["did"].startswith("GET people.")
    assert event.details["why"].startswith("You may not administer people")


def test_a_form_that_is_refused_and_shown_again_is_told(
    as_person: AsPerson, cast: Cast, stores: Stores, publish: Publish
) -> None:
    sop = publish()

    refused = as_person(cast.manager).post("/admin/departments", slug="payments", approvals_needed="2")

    assert refused.status_code == 403
    assert denials(stores) == [(cast.manager.email, "/admin/departments", "POST administration.set_department")]
    assert sop.startswith("SOP-")


def test_the_author_who_approves_their_own_draft_is_told(app: Flask, cast: Cast, stores: Stores) -> None:
    token = create_token(stores, actor=OPERATOR, now=NOW, email=cast.approver.email)
    author = create_token(stores, actor=OPERATOR, now=NOW, email=cast.editor.email)
    client = app.test_client()
    headers = {"Authorization": f"Bearer {author}"}
    body = {"content": sop_text(), "change_summary": "First.", "significance": "major"}
    draft = client.post("/api/v1/drafts", json=body, headers=headers).get_json()
    client.post(f"/api/v1/drafts/{draft['id']}/submit", headers=headers)

    sent = client.post(
        f"/api/v1/drafts/{draft['id']}/approve", json={"content_hash": draft["content_hash"]}, headers=headers
    )
    assert sent.status_code == 403
    assert client.post("/api/v1/drafts", json={}, headers={"Authorization": f"Bearer {token}"}).status_code == 403

    assert denials(stores) == [
        (cast.editor.email, draft["id"], "POST api.approve_draft"),
        (cast.approver.email, "/api/v1/drafts", "POST api.create_draft"),
    ]


def test_a_token_that_may_only_read_is_told_when_it_writes(app: Flask, cast: Cast, stores: Stores) -> None:
    token = create_token(stores, actor=OPERATOR, now=NOW, email=cast.editor.email, scope="read")

    sent = app.test_client().post("/api/v1/drafts", headers={"Authorization": f"Bearer {token}"})

    assert sent.status_code == 403
    assert denials(stores) == [(cast.editor.email, "/api/v1/drafts", "POST api.create_draft")]
    assert token not in str([one.details for one in told(stores)])


def test_what_does_not_exist_for_somebody_and_strangers_are_not_told(
    as_person: AsPerson, cast: Cast, stores: Stores, stranger: Browser, publish: Publish
) -> None:
    sop = publish()
    before = len(told(stores))

    assert as_person(cast.payments_reader).get(f"/sops/{sop}").status_code == 404
    assert stranger.get("/admin/audit").status_code == 303
    assert stranger.get("/api/v1/audit-events").status_code == 401

    assert denials(stores) == []
    assert [one.action for one in told(stores)[before:]] == ["sign_in_link.made", "sign_in_link.used"]


def test_the_same_denial_is_told_once_a_minute(as_person: AsPerson, cast: Cast, stores: Stores, clock: Clock) -> None:
    reader, manager = as_person(cast.reader), as_person(cast.manager)
    for _ in range(20):
        assert reader.get("/admin/audit").status_code == 403
    manager.get("/admin/audit")
    reader.get("/admin/check")
    assert [one[:2] for one in denials(stores)] == [
        (cast.reader.email, "/admin/audit"),
        (cast.manager.email, "/admin/audit"),
        (cast.reader.email, "/admin/check"),
    ]

    clock.now += timedelta(seconds=61)
    reader.get("/admin/audit")

    assert len(denials(stores)) == 4


def test_a_script_cannot_bury_the_events_of_others(cast: Cast, stores: Stores) -> None:
    for number in range(MOST_IN_A_MINUTE + 20):
        record_denial(stores, actor=cast.reader, now=NOW, did="GET x", subject=f"{number}" * 500, why="w" * 5000)
    assert record_denial(stores, actor=cast.manager, now=NOW, did="GET x", subject="s", why="")

    found = told(stores, "access.denied")
    assert len(found) == MOST_IN_A_MINUTE + 1
    assert max(len(one.subject) + len(one.details["why"]) for one in found) <= 400
    later = NOW + timedelta(seconds=61)
    assert record_denial(stores, actor=cast.reader, now=later, did="GET x", subject="s", why="")


def test_a_second_reason_for_the_same_refusal_is_told_too(cast: Cast, stores: Stores) -> None:
    def denied(why: str) -> bool:
        return record_denial(stores, actor=cast.reader, now=NOW, did="POST approve", subject="DRF-0001", why=why)

    assert denied("It is in another state.")
    assert denied(f"This is not the password of {cast.reader.email}.")
    assert not denied(f"This is not the password of {cast.reader.email}.")


def test_the_same_denial_at_the_same_instant_is_told_once(cast: Cast, stores: Stores) -> None:
    def refuse(_: int) -> bool:
        return record_denial(stores, actor=cast.reader, now=NOW, did="GET x", subject="s", why="")

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(refuse, range(12))) == 1


def test_a_refusal_that_cannot_be_recorded_stays_a_refusal(
    app: Flask, as_person: AsPerson, cast: Cast, stores: Stores
) -> None:
    reader = as_person(cast.reader)
    with stores.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )

    assert reader.get("/admin/audit").status_code == 403


def signed_in(stranger: Browser, email: str, password: str) -> int:
    return stranger.post("/login", email=email, password=password).status_code


@pytest.fixture
def with_password(stores: Stores, cast: Cast) -> Actor:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.editor.email, password=PASSWORD)
    return replace(cast.editor)


def test_a_failed_sign_in_of_somebody_known_is_told(stranger: Browser, stores: Stores, with_password: Actor) -> None:
    assert signed_in(stranger, f" {with_password.email.upper()} ", WRONG) == 401
    assert signed_in(stranger, "nobody@example.com", WRONG) == 401
    assert signed_in(stranger, with_password.email, PASSWORD) == 303

    assert [(one.actor, one.action) for one in told(stores)[-2:]] == [
        (with_password.email, "sign_in.failed"),
        (with_password.email, "session.opened"),
    ]
    assert not any("nobody" in one.actor for one in told(stores))


def test_throttled_sign_ins_are_told_once_a_minute(
    stranger: Browser, stores: Stores, with_password: Actor, clock: Clock
) -> None:
    answers = [signed_in(stranger, with_password.email, WRONG) for _ in range(14)]
    assert answers == [401] * 10 + [429] * 4
    clock.now += timedelta(seconds=61)
    assert signed_in(stranger, with_password.email, PASSWORD) == 429

    assert len(told(stores, "sign_in.failed")) == 10
    assert len(told(stores, "sign_in.throttled")) == 2


def test_no_event_of_a_busy_day_holds_a_secret(  # noqa: PLR0917 - a day needs everybody
    app: Flask,
    as_person: AsPerson,
    cast: Cast,
    stores: Stores,
    stranger: Browser,
    publish: Publish,
    with_password: Actor,
) -> None:
    publish()
    admin, reader = as_person(cast.admin), as_person(cast.reader)
    link = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=cast.manager.email)
    signed_in(stranger, with_password.email, WRONG)
    signed_in(stranger, with_password.email, PASSWORD)
    stranger.post("/me/password", current=WRONG, password="another fine lantern", again="another fine lantern")
    stranger.post("/me/password", current=PASSWORD, password="another fine lantern", again="another fine lantern")
    Browser(app).post(f"/sign-in/{link}", password="one more lantern yet", again="not the same")
    reader.post(f"/sign-in/{link}", password="one more lantern yet", again="one more lantern yet")
    shown = admin.post(f"/admin/people/{cast.editor.email}/tokens", scope="write").text
    tokens = set(re.findall(r"sop_[A-Za-z0-9_-]{40}", shown + admin.get(f"/admin/people/{cast.editor.email}").text))
    token = create_token(stores, actor=OPERATOR, now=NOW, email=cast.reader.email)
    client = app.test_client()
    client.get(f"/api/v1/audit-events?token={token}", headers={"Authorization": f"Bearer {token}"})
    reader.get(f"/admin/audit?password={PASSWORD}&next={token}")
    reader.post(f"/admin/people/{cast.editor.email}/link")
    admin.post(f"/admin/people/{cast.editor.email}/link")
    admin.get(f"/admin/audit.csv?password={PASSWORD}")
    as_person(cast.manager).get(f"/reports/window.csv?token={token}")
    cookies = {one.cookie() for one in (admin, reader, stranger)}

    secrets = {PASSWORD, WRONG, "another fine", "one more lantern", link, token, *tokens, *cookies} - {None}
    everything = "\n".join(f"{one.actor} {one.action} {one.subject} {one.details}" for one in told(stores))

    assert {"access.denied", "sign_in.failed", "token.made", "export.made", "password.set"} <= {
        one.action for one in told(stores)
    }
    assert len(secrets) >= 9
    assert [one for one in secrets if one is not None and one in everything] == []
