"""Who comes in where: the same matrix for every page of the registers, the reports and the administration."""

from collections.abc import Callable

import pytest

from sop_server.domain.permissions import Actor
from tests.views.browser import Browser
from tests.views.conftest import Cast

AsPerson = Callable[[Actor], Browser]

PAGES = (
    "/tickets/",
    "/tickets/new",
    "/tickets/import",
    "/tickets/TKT-0001",
    "/tickets/TKT-0001/edit",
    "/tickets/TKT-0001/go-live",
    "/tickets/TKT-0001/sops",
    "/tickets/TKT-0001/obligations/OBL-0001/not-needed",
    "/tickets/TKT-0001/obligations/OBL-0001/decline",
    "/processes/",
    "/processes/new",
    "/processes/import",
    "/processes/PROC-001",
    "/processes/PROC-001/edit",
    "/feedback/",
    "/feedback/FB-0001",
    "/findings/",
    "/reports/",
    "/reports/drift",
    "/reports/window",
    "/reports/staleness",
    "/reports/coverage",
    "/reports/knowledge",
    "/reports/feedback",
    "/reports/window.csv",
    "/reports/window.json",
    "/reports/window-rows.csv",
    "/admin/",
    "/admin/people/",
    "/admin/people/new",
    "/admin/people/rita@example.com",
    "/admin/departments",
    "/admin/check",
    "/admin/audit",
    "/admin/audit.csv",
    "/admin/audit.json",
    "/me",
    "/me/reading",
)
CHANGES = (
    "/tickets/new",
    "/tickets/import",
    "/tickets/TKT-0001/edit",
    "/tickets/TKT-0001/go-live",
    "/tickets/TKT-0001/sops",
    "/tickets/TKT-0001/obligations/OBL-0001/not-needed",
    "/tickets/TKT-0001/obligations/OBL-0001/confirm",
    "/tickets/TKT-0001/obligations/OBL-0001/decline",
    "/processes/new",
    "/processes/import",
    "/processes/PROC-001/edit",
    "/processes/PROC-001/retire",
    "/processes/PROC-001/reactivate",
    "/feedback/FB-0001/triage",
    "/admin/departments",
    "/admin/teams",
    "/admin/check",
    "/admin/people/new",
    "/admin/people/rita@example.com/name",
    "/admin/people/rita@example.com/roles",
    "/admin/people/rita@example.com/roles/end",
    "/admin/people/rita@example.com/teams",
    "/admin/people/rita@example.com/teams/leave",
    "/admin/people/rita@example.com/deactivate",
    "/admin/people/rita@example.com/reactivate",
    "/admin/people/rita@example.com/link",
    "/admin/people/rita@example.com/tokens",
    "/admin/people/rita@example.com/tokens/1/revoke",
    "/me/password",
    "/me/sessions/end",
    "/me/tokens/1/revoke",
)
NOT_A_READERS = tuple(
    page
    for page in PAGES
    if not page.startswith(("/me", "/feedback/", "/processes/")) or page.endswith(("/new", "import"))
)
NOT_A_MANAGERS = tuple(page for page in PAGES if page.startswith("/admin/"))
NOT_AN_ADMINISTRATORS = tuple(page for page in PAGES if page.startswith(("/tickets/", "/findings/", "/reports/")))


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_from_every_page(stranger: Browser, page: str) -> None:
    sent = stranger.get(page)

    assert sent.status_code == 303
    assert sent.location.startswith("/login?next=")


@pytest.mark.parametrize("change", CHANGES)
def test_a_stranger_changes_nothing(stranger: Browser, change: str) -> None:
    sent = stranger.post(change)

    assert sent.status_code == 303
    assert sent.location.startswith("/login")


@pytest.fixture
def reader(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.reader)


def test_a_reader_sees_no_register_of_others(reader: Browser) -> None:
    seen = {page: reader.get(page).status_code for page in NOT_A_READERS}

    assert seen == dict.fromkeys(NOT_A_READERS, 403)


def test_a_reader_changes_no_register(reader: Browser) -> None:
    changes = [change for change in CHANGES if not change.startswith("/me/")]
    answers = {change: reader.post(change).status_code for change in changes}

    # What is not theirs to know of does not exist for them.
    assert set(answers.values()) <= {403, 404}, answers


def test_a_manager_administers_nothing(as_person: AsPerson, cast: Cast) -> None:
    manager = as_person(cast.manager)
    changes = [change for change in CHANGES if change.startswith("/admin/")]

    assert {page: manager.get(page).status_code for page in NOT_A_MANAGERS} == dict.fromkeys(NOT_A_MANAGERS, 403)
    assert {change: manager.post(change).status_code for change in changes} == dict.fromkeys(changes, 403)


def test_an_administrator_sees_nothing_editorial(as_person: AsPerson, cast: Cast) -> None:
    admin = as_person(cast.admin)

    seen = {page: admin.get(page).status_code for page in NOT_AN_ADMINISTRATORS}

    assert seen == dict.fromkeys(NOT_AN_ADMINISTRATORS, 403)
