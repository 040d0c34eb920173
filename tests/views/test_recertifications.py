import csv
import io
import re
from collections.abc import Callable

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.services.accounts.people import add_person, get_person
from sop_server.services.accounts.recertifications import close_due
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast

AsPerson = Callable[[Actor], Browser]
PLACE = "/admin/recertifications/"
ONE = f"{PLACE}REC-0001"


@pytest.fixture
def lena(stores: Stores, cast: Cast, as_person: AsPerson) -> Browser:
    """The manager of customer care alone."""
    added = add_person(
        stores, actor=OPERATOR, now=NOW, email="lena@example.com", name="Lena Moor", roles=["manager@customer-care"]
    )
    return as_person(Actor(added.person.id, "lena@example.com", "Lena Moor", frozenset()))


@pytest.fixture
def admin(as_person: AsPerson, cast: Cast, lena: Browser) -> Browser:
    return as_person(cast.admin)


@pytest.fixture
def begun(admin: Browser) -> Browser:
    answer = admin.post(PLACE, department="customer-care", due_at="2026-11-17", note="Autumn")
    assert answer.status_code == 303
    assert answer.location == ONE
    return admin


def item(page: str, name: str) -> str:
    """The number of somebody's role on a page."""
    found = re.search(rf'<tr id="role-(\d+)"><th scope="row">{name}', page)
    assert found is not None
    return found.group(1)


def test_a_campaign_is_opened_and_says_who_was_asked(begun: Browser) -> None:
    page = words(begun.get(ONE))
    assert "Who may do what in customer-care?" in page.replace("Customer care", "customer-care")
    assert "4 roles of 4 are to be decided until Wed 18 Nov 2026" in page
    assert "Lena Moor, Mia Weber as managers" in page
    assert "4 roles left" in words(begun.get(PLACE))


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"due_at": "2026-11-01"}, 422, "due_at"),
        ({"due_at": ""}, 422, "due_at"),
        ({"due_at": "2026-11-17", "department": "nowhere"}, 422, "department"),
        ({"due_at": "2026-11-17", "department": "customer-care"}, 409, None),
    ],
)
def test_a_campaign_that_can_not_be_opened_says_why(
    begun: Browser, fields: dict[str, str], status: int, field: str | None
) -> None:
    refused = begun.post(PLACE, **fields)
    assert refused.status_code == status
    assert 'role="alert"' in refused.text
    if field:
        assert f'id="{field}-error"' in refused.text


def test_a_manager_keeps_and_removes_and_the_page_says_so(
    begun: Browser, lena: Browser, stores: Stores, cast: Cast
) -> None:
    page = lena.get(ONE).text
    assert lena.post(f"{ONE}/decisions", item=item(page, "Asha"), decision="keep").status_code == 303
    silent = lena.post(f"{ONE}/decisions", item=item(page, "Ben"), decision="remove")
    assert silent.status_code == 422
    assert "Say why" in words(silent)
    removed = lena.post(f"{ONE}/decisions", item=item(page, "Ben"), decision="remove", note="Moved")
    assert removed.status_code == 303
    assert "1 role is removed, and ended at once" in words(lena.get(removed.location))
    assert get_person(stores, actor=cast.admin, now=NOW, email="ben@example.com").roles == ()
    everything = words(lena.get(f"{ONE}?show=all"))
    assert "kept Lena Moor, Tue 3 Nov 2026" in everything
    assert "removed Lena Moor, Tue 3 Nov 2026, 09:00 UTC Moved" in everything


def test_a_second_manager_is_told_that_the_first_decided(
    begun: Browser, lena: Browser, as_person: AsPerson, cast: Cast
) -> None:
    number = item(lena.get(ONE).text, "Asha")
    assert lena.post(f"{ONE}/decisions", item=number, decision="keep").status_code == 303
    second = as_person(cast.manager).post(f"{ONE}/decisions", item=number, decision="remove", note="No")
    assert second.status_code == 409
    assert "Lena Moor decided about it before you" in words(second)


def test_nobody_gets_a_form_for_what_they_may_not_decide(begun: Browser, lena: Browser) -> None:
    page = lena.get(ONE).text
    own = re.search(r"<tr id=\"role-\d+\"><th scope=\"row\">Lena.*?</tr>", page, re.DOTALL)
    assert own is not None
    assert "<form" not in own.group(0)
    assert 'class="deciding"' not in begun.get(ONE).text, "the managers of the department decide"
    answer = lena.post(f"{ONE}/decisions", item=item(page, "Lena"), decision="keep")
    assert answer.status_code == 403


def test_all_that_are_in_view_are_kept_with_one_note_and_reported_as_bulk(begun: Browser, lena: Browser) -> None:
    page = lena.get(ONE).text
    assert "Keep these 3 roles" in page
    numbers = [item(page, name) for name in ("Rita", "Asha", "Ben")]
    assert lena.post(f"{ONE}/decisions", item=numbers, decision="keep").status_code == 422
    kept = lena.post(f"{ONE}/decisions", item=numbers, decision="keep", note="On the rota")
    assert kept.status_code == 303
    assert "3 roles are kept" in words(lena.get(kept.location))
    assert words(lena.get(f"{ONE}?show=all")).count("in bulk") >= 3


def test_the_report_is_a_table_and_stays_as_it_is(
    lena: Browser, begun: Browser, as_person: AsPerson, cast: Cast, stores: Stores
) -> None:
    lena.post(f"{ONE}/decisions", item=item(lena.get(ONE).text, "Asha"), decision="keep", note="=1+1")
    assert isinstance(stores.clock, Clock)
    stores.clock.now = NOW.replace(day=18)
    scan(stores, now=stores.clock.now)
    reader = as_person(cast.admin)
    page = words(reader.get(ONE))
    assert "People decided about 25.0 % of 4 roles: 1 kept, 0 removed. 3 ended by themselves." in page.replace(
        "\xa0", " "
    )
    assert "deciding" not in reader.get(ONE).text
    read = csv.reader(io.StringIO(reader.get(f"{ONE}.csv").get_data().decode("utf-8-sig")))
    header, *rows = read
    told = [dict(zip(header, row, strict=True)) for row in rows]
    assert {one["person"]: one["outcome"] for one in told} == {
        "Rita Lopez": "ended",
        "Asha Menon": "kept",
        "Ben Castro": "ended",
        "Lena Moor": "ended",
    }
    assert next(one["note"] for one in told if one["person"] == "Asha Menon") == "'=1+1"


def test_what_waits_stands_among_what_needs_the_manager(begun: Browser, lena: Browser, stores: Stores) -> None:
    assert "3 roles wait to be confirmed or removed" in words(lena.get("/"))
    assert lena.get("/me/needs").get_json()["count"] == 1
    assert begun.get("/me/needs").get_json()["count"] == 0
    assert close_due(stores, now=NOW) == []


def test_an_administrator_without_work_has_the_first_page_as_before(admin: Browser) -> None:
    assert "Nothing needs you" not in words(admin.get("/"))


def test_roles_that_end_soon_are_told_to_who_decides(admin: Browser, lena: Browser, as_person: AsPerson) -> None:
    given = {"role": "editor", "department": "customer-care", "until": "2026-11-08", "reason": "Peak season"}
    assert admin.post("/admin/people/rita@example.com/roles", **given).status_code == 303
    for browser in (admin, lena):
        assert "Rita Lopez as editor@customer-care" in words(browser.get("/"))
        assert "Peak season" in words(browser.get(PLACE))
    assert '/admin/people/rita@example.com"' not in lena.get(PLACE).text


def test_whoever_manages_nothing_finds_nothing(
    begun: Browser, as_person: AsPerson, cast: Cast, stranger: Browser
) -> None:
    assert stranger.get(ONE).status_code == 303
    for actor in (cast.reader, cast.editor, cast.approver):
        assert as_person(actor).get(ONE).status_code == 403
    assert begun.get(f"{PLACE}REC-0009").status_code == 404
    assert begun.get(f"{PLACE}1").status_code == 404
