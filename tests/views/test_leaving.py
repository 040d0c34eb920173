"""Somebody leaves, by the pages: the preview, the step, and the approver's one page."""

import html
import re
from collections.abc import Callable

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import add_person, get_person
from sop_server.services.stores import Stores
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

NELE = "nele@example.com"
LINE = re.compile(r'name="line" value="([^"]+)"')


@pytest.fixture
def admin(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.admin)


@pytest.fixture
def address(stores: Stores, cast: Cast, publish: Publish) -> str:
    """The page on which the owner of two SOPs leaves; Nele may take over."""
    add_person(stores, actor=OPERATOR, now=NOW, email=NELE, name="Nele Blum", roles=["editor@customer-care"])
    for title in ("Refunds", "Chargebacks"):
        publish(sop_text(title).replace("owner: ", f"owner: {cast.editor.email} #", 1))
    return f"/admin/people/{cast.editor.email}/leave"


def active(stores: Stores, cast: Cast) -> bool:
    return get_person(stores, actor=cast.admin, now=NOW, email=cast.editor.email).active


def test_the_preview_says_what_goes_to_whom_and_changes_nothing(
    admin: Browser, address: str, stores: Stores, cast: Cast
) -> None:
    asked = words(admin.get(address))
    assert "holds 2 SOPs, 0 processes and 0 open drafts" in asked
    assert "What ends" not in asked

    shown = words(admin.get(f"{address}?to={NELE}"))
    assert "Refunds" in shown
    assert NELE in shown
    assert "so somebody else approves it" in shown
    assert active(stores, cast)


def test_a_successor_who_cannot_take_over_is_refused_beside_the_field(
    admin: Browser, address: str, stores: Stores, cast: Cast
) -> None:
    for to, told in [
        ("", "Name who takes over"),
        ("nobody@example.com", "Nobody is known"),
        ("rita", "is not an e-mail address"),
    ]:
        shown = admin.get(f"{address}?to={to}")
        assert shown.status_code == 422
        assert told in words(shown)
        assert 'id="to-error"' in shown.text
        assert admin.post(address, to=to, seen="1").status_code == 422
    assert active(stores, cast)


def test_nothing_is_done_by_who_has_not_seen_what_it_does(
    admin: Browser, address: str, stores: Stores, cast: Cast
) -> None:
    assert admin.post(address, to=NELE).status_code == 422
    assert active(stores, cast)


def test_a_leaver_is_handed_over_and_an_approver_decides_everything_on_one_page(
    admin: Browser, address: str, stores: Stores, cast: Cast, as_person: AsPerson
) -> None:
    done = words(admin.post(address, to=NELE, seen="1", reason="leaves the company"))
    assert "Handed over, and every way in is ended" in done
    assert "2 SOPs wait for an approver" in done
    assert "Without a deputy" in done
    assert not active(stores, cast)
    shown = words(as_person(cast.reader).get("/sops/SOP-0001"))
    assert "who left; Nele Blum stands in" in shown

    approver = as_person(cast.approver)
    assert "2 SOPs handed over by who left" in words(approver.get("/"))
    assert "Approve hand-overs together" in words(approver.get("/drafts/"))
    page = approver.get("/drafts/hand-overs")
    lines = [html.unescape(one) for one in LINE.findall(page.text)]
    assert len(lines) == 2
    assert f"<ins>{NELE}</ins>" in page.text
    sent = approver.post("/drafts/hand-overs", line=lines)
    assert sent.status_code == 303
    assert "Approved: 2 of 2 hand-overs" in words(approver.get(sent.location))
    shown = words(as_person(cast.reader).get("/sops/SOP-0001"))
    assert "Nele Blum" in shown
    assert "stands in" not in shown


def test_a_hand_over_of_another_department_does_not_exist_for_an_approver(
    admin: Browser, address: str, cast: Cast, as_person: AsPerson
) -> None:
    admin.post(address, to=NELE, seen="1")
    lines = LINE.findall(as_person(cast.approver).get("/drafts/hand-overs").text)

    elsewhere = as_person(cast.payments_approver)
    assert "No hand-over waits for you" in words(elsewhere.get("/drafts/hand-overs"))
    assert elsewhere.post("/drafts/hand-overs", line=lines).status_code == 404
    assert as_person(cast.reader).get("/drafts/hand-overs").status_code == 403


def test_only_an_administrator_of_all_departments_ends_access(
    address: str, cast: Cast, as_person: AsPerson, stores: Stores
) -> None:
    for somebody in (cast.manager, cast.editor, cast.reader):
        assert as_person(somebody).get(address).status_code == 403
        assert as_person(somebody).post(address, to=NELE, seen="1").status_code == 403
    assert active(stores, cast)


def test_nobody_ends_their_own_access(admin: Browser, cast: Cast) -> None:
    page = admin.post(f"/admin/people/{cast.admin.email}/leave", seen="1")
    assert page.status_code == 409
    assert "another administrator has to do it" in words(page)
