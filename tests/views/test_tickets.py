import io
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import pytest

from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes.tickets import TicketKept, get_ticket, upsert_ticket
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def sop(publish: Publish) -> str:
    return publish()


@pytest.fixture
def editor(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.editor)


def registered(stores: Stores, actor: Actor, *sops: str, key: str = "CHG-12", hours_ago: float = 40) -> TicketKept:
    given = TicketInput(title="Refunds above 800 USD", effective_at=NOW - timedelta(hours=hours_ago), sops=sops)
    return upsert_ticket(stores, actor=actor, now=NOW, source="jira", key=key, given=given)


def test_a_ticket_is_registered_with_its_sops(editor: Browser, stores: Stores, cast: Cast, sop: str) -> None:
    sent = editor.post(
        "/tickets/new",
        title="Refunds above 800 USD",
        source="jira",
        key="CHG-12",
        effective_at="2026-11-02T17:00",
        systems="Zendesk, SAP",
        sops=sop,
    )

    assert sent.status_code == 303
    page = editor.get(sent.location)
    known = get_ticket(stores, actor=cast.editor, now=NOW, ticket_id="jira:CHG-12")
    assert known.t0 == NOW - timedelta(hours=16)
    assert known.systems == ("Zendesk", "SAP")
    assert f"{sop} must reflect it within the window" in words(page)
    assert "32 h left" in words(page)


def test_a_refused_ticket_keeps_everything_that_was_typed(editor: Browser, stores: Stores, cast: Cast) -> None:
    refused = editor.post(
        "/tickets/new",
        title="Refunds above 800 USD",
        source="jira",
        key="CHG-12",
        url="ftp://elsewhere",
        systems="Zendesk",
        sops="SOP-9999",
    )

    assert refused.status_code == 422
    assert 'value="Refunds above 800 USD"' in refused.text
    assert 'value="Zendesk"' in refused.text
    assert 'id="sops-error"' in refused.text or 'id="url-error"' in refused.text
    assert "CHG-12" not in words(editor.get("/tickets/"))


def test_an_instant_that_cannot_be_read_is_named_beside_its_field(editor: Browser) -> None:
    refused = editor.post("/tickets/new", title="T", source="jira", key="K-1", effective_at="soon")

    assert refused.status_code == 422
    assert 'id="effective_at-error"' in refused.text
    assert 'value="soon"' in refused.text


def test_a_ticket_that_is_known_is_not_overwritten_by_registering_it_again(
    editor: Browser, stores: Stores, cast: Cast, sop: str
) -> None:
    registered(stores, cast.editor, sop)

    refused = editor.post("/tickets/new", title="Something else", source="jira", key="CHG-12")

    assert refused.status_code == 409
    assert 'value="Something else"' in refused.text
    assert get_ticket(stores, actor=cast.editor, now=NOW, ticket_id="jira:CHG-12").title == "Refunds above 800 USD"


def test_a_change_keeps_what_was_said_before(editor: Browser, stores: Stores, cast: Cast, sop: str) -> None:
    known = registered(stores, cast.editor, sop).ticket

    sent = editor.post(
        f"/tickets/{known.id}/edit",
        version="1",
        title="Refunds above 900 USD",
        status="done",
        effective_at=f"{known.t0:%Y-%m-%dT%H:%M}",
    )

    assert sent.status_code == 303
    page = words(editor.get(sent.location))
    assert "Refunds above 900 USD" in page
    assert "What it said before (2 entries)" in page


def test_saving_a_form_unchanged_moves_no_instant_to_the_full_minute(
    editor: Browser, stores: Stores, cast: Cast
) -> None:
    exact = NOW - timedelta(hours=3, seconds=17)
    given = TicketInput(title="T", effective_at=exact)
    known = upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="K-1", given=given).ticket

    editor.post(f"/tickets/{known.id}/edit", version="1", title="T2", effective_at=f"{exact:%Y-%m-%dT%H:%M}")

    assert get_ticket(stores, actor=cast.editor, now=NOW, ticket_id=known.id).t0 == exact


def test_whoever_edits_what_somebody_changed_meanwhile_loses_nothing_of_theirs(
    editor: Browser, stores: Stores, cast: Cast, sop: str
) -> None:
    known = registered(stores, cast.editor, sop).ticket
    editor.post(f"/tickets/{known.id}/edit", version="1", title="First")

    refused = editor.post(f"/tickets/{known.id}/edit", version="1", title="Second")

    assert refused.status_code == 409
    assert 'value="Second"' in refused.text
    assert get_ticket(stores, actor=cast.editor, now=NOW, ticket_id=known.id).title == "First"


def test_an_editor_of_another_department_does_not_know_of_the_ticket(
    as_person: AsPerson, stores: Stores, cast: Cast, sop: str
) -> None:
    known = registered(stores, cast.editor, sop).ticket
    stranger = as_person(cast.payments_editor)

    assert stranger.get(f"/tickets/{known.id}").status_code == 404
    assert stranger.post(f"/tickets/{known.id}/edit", version="1", title="Mine").status_code == 404
    assert "CHG-12" not in words(stranger.get("/tickets/"))


def test_the_register_narrows_by_state_source_department_and_words(
    editor: Browser, stores: Stores, cast: Cast, sop: str
) -> None:
    registered(stores, cast.editor, sop)
    registered(stores, cast.editor, key="CHG-13", hours_ago=100)

    def shown(query: str) -> tuple[bool, bool]:
        page = words(editor.get(f"/tickets/?{query}"))
        return "CHG-12" in page, "CHG-13" in page

    assert shown("") == (True, True)
    assert shown("state=pending") == (True, False)
    assert shown("state=breached") == (False, True)
    assert shown("department=customer-care") == (True, False)
    assert shown("source=github") == (False, False)
    assert shown("q=13") == (False, True)


def test_a_long_register_is_read_page_by_page(editor: Browser, stores: Stores, cast: Cast) -> None:
    for number in range(60):
        registered(stores, cast.editor, key=f"K-{number}")

    first = editor.get("/tickets/")
    assert "jira K-59" in words(first)
    assert "jira K-9 " not in words(first)
    following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "jira K-9 " in words(editor.get(following))


def test_the_page_proposes_sops_that_name_the_same_system(
    editor: Browser, stores: Stores, cast: Cast, publish: Publish
) -> None:
    sop = publish(_naming_sap())
    given = TicketInput(title="SAP moves", systems=("sap",))
    known = upsert_ticket(stores, actor=cast.editor, now=NOW, source="jira", key="K-1", given=given).ticket

    page = words(editor.get(f"/tickets/{known.id}"))

    assert "No SOP is named yet" in page
    assert f"{sop} Refunds over 500 USD. It names the system SAP." in page


def test_an_answered_ticket_shows_the_revision_that_reflects_it(
    editor: Browser, stores: Stores, cast: Cast, publish: Publish, clock: Clock
) -> None:
    sop = publish()
    known = registered(stores, cast.editor, sop).ticket
    clock.now = NOW + timedelta(hours=1)
    publish(_naming_sap(), sop_id=sop, summary="New limit.", tickets=(known.id,))

    page = editor.get(f"/tickets/{known.id}")

    assert "r2 in force" in words(page)
    assert "met after 41 h" in words(page)
    assert f'href="/sops/{sop}/revisions/2"' in page.text


def test_a_file_is_taken_row_by_row_and_the_bad_rows_are_named(editor: Browser) -> None:
    content = b"source,key,title,effective_at\njira,A-1,One,\njira,A-2,Two,soon\n"

    report = editor.post("/tickets/import", file=[(io.BytesIO(content), "tickets.csv")])

    assert report.status_code == 200
    assert "1 row of “tickets.csv” was skipped" in words(report)
    assert "“soon” is not an instant that can be read" in words(report)
    assert "A-1" in words(editor.get("/tickets/"))
    assert "A-2" not in words(editor.get("/tickets/"))


@pytest.mark.parametrize(
    ("name", "content"), [("tickets.csv", b""), ("tickets.csv", b"key,title\nA,B\n"), ("tickets.json", b"{")]
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(editor: Browser, name: str, content: bytes) -> None:
    refused = editor.post("/tickets/import", file=[(io.BytesIO(content), name)])

    assert refused.status_code == 422
    assert "Nothing was imported" in words(refused)


def test_json_is_taken_too(editor: Browser) -> None:
    content = b'[{"source": "jira", "key": "J-1", "title": "From JSON"}]'

    report = editor.post("/tickets/import", file=[(io.BytesIO(content), "export")])

    assert "All rows of “export” are in" in words(report)
    assert "From JSON" in words(editor.get("/tickets/"))


def _naming_sap() -> str:
    return (
        "---\ntitle: Refunds over 500 USD\ndepartment: customer-care\nowner: asha@example.com\n"
        "systems: [SAP]\naudience: [customer-care-tier2]\n---\n\n## Steps\n\n1. Open the order.\n2. Refund it.\n"
    )


def test_who_may_not_see_tickets_is_told_so(as_person: Callable[[Actor], Browser], cast: Cast) -> None:
    refused = as_person(cast.reader).get("/tickets/")
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "You may not see tickets, findings and reports." in words(refused)
