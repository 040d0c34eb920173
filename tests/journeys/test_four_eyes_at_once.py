"""Two processes of four threads are asked for decisions at the same instant: no two eyes are counted as four."""

from collections import Counter
from datetime import UTC, datetime

from sop_server import home
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.departments import set_rules
from sop_server.settings import load_settings
from tests.journeys.conftest import Door, Server, text
from tests.journeys.test_together import at_once, calling, deciding

TIMES = 8
SECOND = ("approver", "second_approver")


def test_one_person_who_approves_eight_times_at_once_is_one_approver(server: Server) -> None:
    stores = home.open_stores(load_settings(home=server.home))
    set_rules(stores, actor=OPERATOR, now=datetime.now(UTC), slug="payments", approvals_needed=2)
    home.close_stores(stores)
    draft = server.doors["editor"].draft(text("Chargebacks", department="payments"))
    again = server.run("token", "create", "payments_approver@example.com").stdout.strip()
    doors = [server.doors["payments_approver"], Door(server.address, again)]

    answers = at_once([deciding(doors[number % 2], draft) for number in range(TIMES)])

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: TIMES - 1}
    assert next(answer.json() for answer in answers if answer.ok)["revision"] is None
    assert server.doors["editor"]("GET", f"/drafts/{draft['id']}")["state"] == "in_review"
    assert server.doors["approver"].approve(draft)["revision"] == 1


def test_an_author_among_many_approvers_at_once_is_refused_and_one_revision_is_published(server: Server) -> None:
    names = ["approver", "second_approver", "care_approver"] * 2
    draft = server.doors["care_editor"].draft(text("Vouchers"))

    answers = at_once(
        [deciding(server.doors[name], draft) for name in names] + [deciding(server.doors["care_editor"], draft)] * 2
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: len(names) - 1, 403: 2}
    assert [
        one["revision"] for one in server.doors["reader"]("GET", f"/sops/{draft['sop_id']}/revisions")["items"]
    ] == [1]


def test_a_token_that_may_only_read_approves_nothing(server: Server) -> None:
    draft = server.doors["care_editor"].draft(text("Gift cards"))
    reading = server.run("token", "create", "approver@example.com", "--scope", "read").stdout.strip()

    refused = Door(server.address, reading).refusal(
        "POST", f"/drafts/{draft['id']}/approve", 403, json={"content_hash": draft["content_hash"]}
    )

    assert "may only read" in refused["detail"]
    assert server.doors["care_editor"]("GET", f"/drafts/{draft['id']}")["approvals"] == []


def test_of_many_who_publish_alone_and_approve_at_once_one_does(server: Server) -> None:
    draft = server.doors["care_editor"].draft(text("Returns"))
    why = "The only procedure sends parcels to a closed warehouse."
    alone = {"content_hash": draft["content_hash"], "reason": why}
    path = f"/drafts/{draft['id']}/break-glass"
    names = ["approver", "second_approver", "care_approver"]

    answers = at_once(
        [calling(server.doors[name], "POST", path, json=alone) for name in names]
        + [deciding(server.doors[name], draft) for name in names]
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    (revision,) = server.doors["reader"]("GET", f"/sops/{draft['sop_id']}/revisions")["items"]
    assert (revision["break_glass"] is None) == (len(revision["approvals"]) == 1)


def test_of_many_second_persons_at_once_one_answers(server: Server) -> None:
    draft = server.doors["care_editor"].draft(text("Parcels"))
    why = "The only procedure sends parcels to a closed warehouse."
    done = server.doors["care_approver"](
        "POST", f"/drafts/{draft['id']}/break-glass", json={"content_hash": draft["content_hash"], "reason": why}
    )
    path = f"/sops/{done['sop_id']}/revisions/1"
    confirming = [calling(server.doors[name], "POST", f"{path}/confirm", json={}) for name in SECOND]
    objecting = [calling(server.doors[name], "POST", f"{path}/object", json={"reason": why}) for name in SECOND]
    not_theirs = calling(server.doors["care_approver"], "POST", f"{path}/confirm", json={})

    answers = at_once([*confirming, *objecting, not_theirs])

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 3, 403: 1}
    told = server.doors["reader"]("GET", path)["break_glass"]
    opened = server.doors["editor"]("GET", f"/drafts?sop_id={done['sop_id']}&state=in_review")["items"]
    assert len(opened) == (1 if told["state"] == "objected" else 0)
