import io
from collections.abc import Callable

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.processes import ProcessInput
from sop_server.services.register.processes import get_process, register_process
from sop_server.services.stores import Stores
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def manager(as_person: AsPerson, cast: Cast) -> Browser:
    return as_person(cast.manager)


@pytest.fixture
def process(stores: Stores, cast: Cast) -> str:
    given = ProcessInput(name="Refunds over 500 USD", department="customer-care", owner="asha@example.com")
    return register_process(stores, actor=OPERATOR, now=NOW, given=given).id


def test_a_process_is_registered(manager: Browser, stores: Stores, cast: Cast) -> None:
    sent = manager.post(
        "/processes/new",
        name="Chargebacks",
        department="payments",
        criticality="critical",
        owner="eva@example.com",
        systems="SAP; Zendesk",
    )

    assert sent.status_code == 303
    known = get_process(stores, actor=cast.manager, now=NOW, process_id="PROC-001")
    assert (known.name, known.department, known.criticality) == ("Chargebacks", "payments", "critical")
    assert known.systems == ("SAP", "Zendesk")
    assert "Nobody wrote this down yet" in words(manager.get(sent.location))


def test_a_refused_process_keeps_everything_that_was_typed(manager: Browser) -> None:
    refused = manager.post("/processes/new", name="Chargebacks", criticality="normal", owner="nobody", systems="SAP")

    assert refused.status_code == 422
    assert 'value="Chargebacks"' in refused.text
    assert 'value="nobody"' in refused.text
    assert 'value="SAP"' in refused.text
    assert 'id="owner-error"' in refused.text


def test_an_editor_is_offered_to_write_what_nobody_wrote_down(as_person: AsPerson, cast: Cast, process: str) -> None:
    page = as_person(cast.editor).get(f"/processes/{process}")

    assert f'href="/sops/new?process={process}"' in page.text
    assert f'href="/processes/{process}/edit"' not in page.text


def test_a_documented_process_names_its_sops(manager: Browser, publish: Publish, process: str) -> None:
    sop = publish(sop_text(front=f"process: {process}\n"))

    page = manager.get(f"/processes/{process}")

    assert f'href="/sops/{sop}"' in page.text
    assert "Nobody wrote this down yet" not in words(page)
    assert process in words(manager.get("/processes/?written=yes"))
    assert process not in words(manager.get("/processes/?written=no"))


def test_a_change_keeps_what_was_said_before(manager: Browser, process: str) -> None:
    sent = manager.post(f"/processes/{process}/edit", version="1", name="Refunds over 800 USD", criticality="critical")

    assert sent.status_code == 303
    page = words(manager.get(sent.location))
    assert "Refunds over 800 USD" in page
    assert "Refunds over 500 USD" in page


def test_whoever_edits_what_somebody_changed_meanwhile_loses_nothing(
    manager: Browser, stores: Stores, cast: Cast, process: str
) -> None:
    manager.post(f"/processes/{process}/edit", version="1", name="First", criticality="normal")

    refused = manager.post(f"/processes/{process}/edit", version="1", name="Second", criticality="normal")

    assert refused.status_code == 409
    assert 'value="Second"' in refused.text
    assert 'name="version" value="2"' in refused.text
    assert get_process(stores, actor=cast.manager, now=NOW, process_id=process).name == "First"


def test_a_process_is_retired_once_and_made_active_again(manager: Browser, process: str) -> None:
    assert manager.post(f"/processes/{process}/retire").status_code == 303
    assert manager.post(f"/processes/{process}/retire").status_code == 409
    assert process not in words(manager.get("/processes/"))
    assert process in words(manager.get("/processes/?status=retired"))

    assert manager.post(f"/processes/{process}/reactivate").status_code == 303
    assert process in words(manager.get("/processes/"))


def test_an_editor_changes_no_process(as_person: AsPerson, cast: Cast, process: str) -> None:
    editor = as_person(cast.editor)

    assert editor.get(f"/processes/{process}/edit").status_code == 403
    assert editor.post(f"/processes/{process}/edit", version="1", name="Mine").status_code == 403
    assert editor.post(f"/processes/{process}/retire").status_code == 403


def test_a_file_is_taken_row_by_row(manager: Browser) -> None:
    content = b"name,owner\nRefunds,asha@example.com\nPayouts,not an address\n"

    report = manager.post("/processes/import", file=[(io.BytesIO(content), "register.csv")])

    assert "1 row of “register.csv” was skipped" in words(report)
    assert "Refunds" in words(manager.get("/processes/"))
    assert "Payouts" not in words(manager.get("/processes/"))


def test_a_file_with_an_unknown_column_is_refused_as_a_whole(manager: Browser) -> None:
    refused = manager.post("/processes/import", file=[(io.BytesIO(b"name,colour\nRefunds,blue\n"), "r.csv")])

    assert refused.status_code == 422
    assert "The column “colour” is unknown" in words(refused)
