from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def breach(stores: Stores, cast: Cast, publish: Publish, clock: Clock) -> str:
    sop = publish()
    given = TicketInput(title="Refunds above 800 USD", effective_at=NOW, sops=[sop])
    upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="CHG-12", given=given)
    clock.now = NOW + timedelta(days=3)
    scan(stores, now=clock.now)
    return sop


def test_a_finding_says_why_and_what_to_do_next_and_leads_there(as_person: AsPerson, cast: Cast, breach: str) -> None:
    page = as_person(cast.editor).get("/findings/")

    assert "Window broken 1" in words(page)
    assert f"{breach} has not reflected jira:CHG-12" in words(page)
    assert "Draft the change, or have “not needed” confirmed by a second person." in words(page)
    assert f'href="/sops/{breach}"' in page.text


def test_the_list_narrows_by_kind(as_person: AsPerson, cast: Cast, breach: str) -> None:
    page = words(as_person(cast.editor).get("/findings/?kind=owner"))

    assert "jira:CHG-12" not in page
    assert "No finding is like that" in page


def test_nobody_sees_the_findings_of_another_department(as_person: AsPerson, cast: Cast, breach: str) -> None:
    page = words(as_person(cast.payments_editor).get("/findings/"))

    assert "jira:CHG-12" not in page
    assert "Nothing to act on" in page
