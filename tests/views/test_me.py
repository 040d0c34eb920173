import re
from collections.abc import Callable

import pytest
from flask import Flask

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.passwords import set_password
from sop_server.services.accounts.sign_in import session_key, token_hash
from sop_server.services.accounts.tokens import actor_for_token, create_token
from sop_server.services.stores import Stores
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

OLD, NEW = "four words of mine", "four other words of mine"


@pytest.fixture
def rita(stores: Stores, cast: Cast, as_person: AsPerson) -> Browser:
    set_password(stores, actor=OPERATOR, now=NOW, email=cast.reader.email, password=OLD)
    return as_person(cast.reader)


def test_the_account_shows_what_one_may_do(rita: Browser) -> None:
    page = words(rita.get("/me"))

    assert "Rita Lopez rita@example.com" in page
    assert "reader@customer-care" in page
    assert "customer-care-tier2" in page
    assert "This one" in page


def test_a_new_password_signs_all_other_browsers_out(
    rita: Browser, app: Flask, as_person: AsPerson, cast: Cast
) -> None:
    other = as_person(cast.reader)

    sent = rita.post("/me/password", current=OLD, password=NEW, again=NEW)

    assert sent.status_code == 303
    assert "Your password is changed" in words(rita.get(sent.location))
    assert other.get("/me").status_code == 303
    assert Browser(app).post("/login", email=cast.reader.email, password=NEW).status_code == 303


@pytest.mark.parametrize(
    ("current", "password", "again", "status", "field"),
    [
        ("not it at all", NEW, NEW, 403, "current"),
        (OLD, "short", "short", 422, "password"),
        (OLD, NEW, "something else", 422, "again"),
    ],
)
def test_a_password_that_cannot_be_set_leaves_the_old_one(  # noqa: PLR0917 - the parts of the form and its answer
    rita: Browser, app: Flask, cast: Cast, current: str, password: str, again: str, status: int, field: str
) -> None:
    refused = rita.post("/me/password", current=current, password=password, again=again)

    assert refused.status_code == status
    assert f'id="{field}-error"' in refused.text
    assert password not in refused.text
    assert Browser(app).post("/login", email=cast.reader.email, password=OLD).status_code == 303


def test_whoever_finds_an_open_browser_cannot_guess_the_password_for_long(rita: Browser) -> None:
    for _ in range(10):
        rita.post("/me/password", current="a guess of mine", password=NEW, again=NEW)

    refused = rita.post("/me/password", current=OLD, password=NEW, again=NEW)

    assert refused.status_code == 403
    assert "Try again in 15 min" in words(refused)


def test_a_person_without_a_password_sets_one(as_person: AsPerson, app: Flask, cast: Cast) -> None:
    assert as_person(cast.editor).post("/me/password", password=NEW, again=NEW).status_code == 303
    assert Browser(app).post("/login", email=cast.editor.email, password=NEW).status_code == 303


def test_other_browsers_are_signed_out(rita: Browser, as_person: AsPerson, cast: Cast) -> None:
    other = as_person(cast.reader)

    assert rita.post("/me/sessions/end").status_code == 303

    assert other.get("/me").status_code == 303
    assert rita.get("/me").status_code == 200


def test_one_other_browser_is_signed_out_and_no_stranger_s(
    rita: Browser, as_person: AsPerson, cast: Cast, stranger: Browser
) -> None:
    other, ben = as_person(cast.reader), as_person(cast.approver)
    keys = re.findall(r"/me/sessions/([0-9a-f]{16})/end", rita.get("/me").text)
    (hers,) = re.findall(r"/me/sessions/([0-9a-f]{16})/end", ben.get("/me").text)
    assert len(keys) == 2

    assert stranger.post(f"/me/sessions/{keys[0]}/end").status_code == 303
    assert rita.post(f"/me/sessions/{hers}/end").status_code == 404
    assert rita.post("/me/sessions/no-such-one/end").status_code == 404
    assert ben.get("/me").status_code == 200
    mine = session_key(token_hash(rita.cookie() or ""))
    for key in sorted(keys, key=mine.__eq__):
        assert rita.post(f"/me/sessions/{key}/end").status_code == 303

    assert other.get("/me").status_code == 303
    assert rita.get("/me").status_code == 303


def test_one_revokes_ones_own_tokens_and_nobody_elses(rita: Browser, stores: Stores, cast: Cast) -> None:
    mine = create_token(stores, actor=OPERATOR, now=NOW, email=cast.reader.email)
    theirs = create_token(stores, actor=OPERATOR, now=NOW, email=cast.editor.email)

    assert rita.post("/me/tokens/1/revoke").status_code == 303
    assert rita.post("/me/tokens/2/revoke").status_code == 404
    assert rita.post("/me/tokens/3/revoke").status_code == 404

    assert actor_for_token(stores, token=mine, now=NOW) is None
    assert actor_for_token(stores, token=theirs, now=NOW) is not None


def test_what_has_to_be_read_is_listed_until_it_is_read(rita: Browser, publish: Publish) -> None:
    sop = publish()
    assert "Refunds over 500 USD" in words(rita.get("/me/reading"))
    assert "due in 7 days" in words(rita.get("/me/reading"))

    rita.post(f"/sops/{sop}/acknowledgements", revision=1)

    assert "You have read everything" in words(rita.get("/me/reading"))


def test_whoever_is_in_no_team_has_nothing_to_read(as_person: AsPerson, cast: Cast) -> None:
    assert "You are in no team yet" in words(as_person(cast.manager).get("/me/reading"))


def test_the_bell_counts_what_has_to_be_read(rita: Browser, publish: Publish) -> None:
    sop_id = publish()

    assert rita.get("/me/needs").json == {"count": 1}

    rita.post(f"/sops/{sop_id}/acknowledgements", revision=1)
    assert rita.get("/me/needs").json == {"count": 0}


def test_the_bell_counts_what_waits_for_a_decision(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    publish()
    page = as_person(cast.editor).get("/")

    assert f'data-count="{as_person(cast.editor).get("/me/needs").json["count"]}"' in page.text  # type: ignore[index]


def test_a_page_asks_for_the_count_of_its_bell_after_it_is_shown(rita: Browser) -> None:
    page = rita.get("/sops/").text

    assert 'data-bell="/me/needs"' in page
    assert "data-count" not in page


def test_a_stranger_has_no_bell(stranger: Browser) -> None:
    assert stranger.get("/me/needs").status_code == 303


def test_whoever_is_away_says_so_and_their_sops_name_the_deputy(
    as_person: AsPerson, cast: Cast, publish: Publish
) -> None:
    sop_id = publish(sop_text(front="deputy: ben@example.com\n"))
    asha = as_person(cast.editor)
    refused = asha.post("/me/away", until="2026-10-01")
    assert refused.status_code == 422
    assert 'id="until-error"' in refused.text
    assert asha.post("/me/away", **{"from": "2026-11-02"}, until="2026-11-08", note="On leave").status_code == 303
    assert "I am away until 8 Nov 2026 (On leave)" in words(asha.get("/me"))
    page = words(as_person(cast.reader).get(f"/sops/{sop_id}"))
    assert "owner: Asha Menon, away until 8 Nov 2026 (On leave); Ben Castro is the deputy" in page
    assert asha.post("/me/away/end").status_code == 303
    assert "away" not in words(as_person(cast.reader).get(f"/sops/{sop_id}"))
