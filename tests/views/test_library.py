from collections.abc import Callable
from datetime import timedelta

import pytest

from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.participation.reviews import review_sop
from sop_server.services.stores import Stores
from tests.views.browser import Browser, Clock, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]

LATER_TEXT = sop_text(body="## Steps\n\n1. Open the order.\n2. Refund up to 800 USD.\n")
PAYMENTS = sop_text("Chargebacks", department="payments", audience="payments-tier1", owner="eva@example.com")


def test_the_page_says_what_is_current_since_when_and_who_owns_it(
    as_person: AsPerson, cast: Cast, publish: Publish
) -> None:
    sop_id = publish()

    page = as_person(cast.reader).get(f"/sops/{sop_id}")

    told = words(page)
    assert page.status_code == 200
    assert "SOP-0001 r1 in force since 3 Nov 2026 Asha Menon next review in 11 months" in told
    assert "Refund up to 500 USD" in told
    assert 'class="steps"' in page.text
    assert "style=" not in page.text


def test_the_list_shows_what_is_in_force_where_one_may_read(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    publish()
    publish(PAYMENTS, payments=True)

    assert "Chargebacks" not in as_person(cast.reader).get("/sops/").text
    both = words(as_person(cast.manager).get("/sops/"))
    assert "2 SOPs in force" in both
    assert "Chargebacks SOP-0002" in both
    one = words(as_person(cast.manager).get("/sops/?department=payments"))
    assert "1 SOP in force" in one
    assert "Refunds over 500 USD" not in one


def test_a_list_of_more_than_a_page_goes_on(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    for title in ("First", "Second", "Third"):
        publish(sop_text(title))
    reader = as_person(cast.reader)

    first, second = reader.get("/sops/?limit=2"), reader.get("/sops/?limit=2&cursor=SOP-0002")

    assert "/sops/?limit=2&amp;cursor=SOP-0002" in first.text
    assert "Third" not in first.text
    assert "2 SOPs here, 3 in all" in words(first)
    assert "Third" in second.text
    assert "Second" not in second.text


@pytest.mark.parametrize(
    "page",
    [
        "/sops/{id}",
        "/sops/{id}?at=2026-11-03T09:00",
        "/sops/{id}/revisions",
        "/sops/{id}/revisions/1",
        "/sops/{id}/diff?from=1&to=1",
        "/sops/{id}/feedback",
    ],
)
def test_what_one_may_not_read_does_not_exist(
    as_person: AsPerson, cast: Cast, publish: Publish, stranger: Browser, page: str
) -> None:
    sop_id = publish(PAYMENTS, payments=True)
    address = page.format(id=sop_id)

    hidden = as_person(cast.reader).get(address)

    assert hidden.status_code == 404
    assert "Chargebacks" not in hidden.text
    assert as_person(cast.payments_reader).get(address).status_code == 200
    assert stranger.get(address).location.startswith("/login?next=")


def test_an_id_typed_carelessly_leads_to_the_sop(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()

    assert as_person(cast.reader).get("/sops/sop-1").location == f"/sops/{sop_id}"


def test_a_change_that_is_not_reflected_yet_is_said_first(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    upsert_ticket(
        stores,
        actor=cast.editor,
        now=NOW,
        source="jira",
        key="CHG-12",
        given=TicketInput(title="Refunds above 800 USD need a second approval", effective_at=NOW, sops=(sop_id,)),
    )
    clock.now = NOW + timedelta(hours=43)

    reader = as_person(cast.reader).get(f"/sops/{sop_id}")

    told = words(reader)
    assert "Does not reflect a change yet: Refunds above 800 USD need a second approval" in told
    assert "jira:CHG-12 took effect 43 h ago" in told
    assert "the update is due in 5 h" in told
    assert "/tickets/" not in reader.text
    assert "/tickets/TKT-0001" in as_person(cast.editor).get(f"/sops/{sop_id}").text
    clock.now = NOW + timedelta(hours=50)
    assert "was due 2 h ago" in words(as_person(cast.reader).get(f"/sops/{sop_id}"))


def test_a_coming_revision_is_announced_and_not_served(
    as_person: AsPerson, cast: Cast, publish: Publish, clock: Clock
) -> None:
    sop_id = publish()
    publish(LATER_TEXT, sop_id=sop_id, summary="The limit goes up.", effective_from=NOW + timedelta(days=2))
    reader = as_person(cast.reader)

    told = words(reader.get(f"/sops/{sop_id}"))

    assert "r2 is coming on 5 Nov 2026" in told
    assert "The limit goes up." in told
    assert "Refund up to 500 USD" in told
    coming = words(reader.get(f"/sops/{sop_id}/revisions/2"))
    assert "Coming on 5 Nov 2026" in coming
    assert "Refund up to 800 USD" in coming
    ahead = reader.get(f"/sops/{sop_id}?at=2026-11-06T09:00")
    assert "As it will be on Fri 6 Nov 2026, 09:00 UTC r2 is approved and not in force yet" in words(ahead)
    assert 'data-watermark="COMING r2"' in ahead.text
    clock.now = NOW + timedelta(days=3)
    assert "Refund up to 800 USD" in words(as_person(cast.reader).get(f"/sops/{sop_id}"))


def test_the_page_as_of_an_instant_shows_what_was_in_force_then(
    as_person: AsPerson, cast: Cast, publish: Publish, clock: Clock
) -> None:
    sop_id = publish()
    clock.now = NOW + timedelta(days=1)
    publish(LATER_TEXT, sop_id=sop_id, summary="The limit went up.")

    then = as_person(cast.reader).get(f"/sops/{sop_id}?at=2026-11-03T12:00")

    told = words(then)
    assert "As it was on Tue 3 Nov 2026, 12:00 UTC" in told
    assert "Refund up to 500 USD" in told
    assert 'data-watermark="SUPERSEDED r1"' in then.text
    assert "I have read and understood" not in told
    assert as_person(cast.reader).get(f"/sops/{sop_id}?at=2020-01-01T00:00").status_code == 404


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01T00:00", "2026-11-03T09:00+99:00"])
def test_an_instant_that_cannot_be_read_is_refused(as_person: AsPerson, cast: Cast, publish: Publish, at: str) -> None:
    sop_id = publish()

    assert as_person(cast.reader).get(f"/sops/{sop_id}", accept="text/html").status_code == 200
    assert as_person(cast.reader).get(f"/sops/{sop_id}?at={at}").status_code == 422


def test_a_retired_sop_says_so_and_keeps_its_history(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()
    publish(sop_id=sop_id, kind="retire", summary="The shop closed.")
    reader = as_person(cast.reader)

    gone = reader.get(f"/sops/{sop_id}")

    assert gone.status_code == 410
    assert "SOP-0001 is retired" in words(gone)
    assert "The shop closed." in words(gone)
    assert f"/sops/{sop_id}/revisions" in gone.text
    assert reader.get(f"/sops/{sop_id}/revisions").status_code == 200
    assert as_person(cast.payments_reader).get(f"/sops/{sop_id}").status_code == 404


def test_actions_are_those_that_the_person_may_do(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()

    reader, editor = as_person(cast.reader).get(f"/sops/{sop_id}"), as_person(cast.editor).get(f"/sops/{sop_id}")

    assert f"/sops/{sop_id}/edit" not in reader.text
    assert f"/sops/{sop_id}/feedback" in reader.text
    assert f"/sops/{sop_id}/edit" in editor.text
    assert f"/sops/{sop_id}/retire" in editor.text
    assert f"/sops/{sop_id}/retire" not in as_person(cast.approver).get(f"/sops/{sop_id}").text


def test_the_likeliest_action_alone_stands_beside_the_menu(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()

    def beside_the_menu(actor: Actor) -> str:
        head = as_person(actor).get(f"/sops/{sop_id}").text.split('class="page-head"', 1)[1]
        return head.split('class="menu"', 1)[0]

    assert "Report a problem" in beside_the_menu(cast.reader)
    assert "Edit" in beside_the_menu(cast.editor)
    assert "Report a problem" not in beside_the_menu(cast.editor)


def test_paper_names_the_revision_it_shows(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()

    assert f"{sop_id} r1, printed. Paper does not change" in words(as_person(cast.reader).get(f"/sops/{sop_id}"))


def test_neighbours_of_other_departments_are_not_named(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()
    publish(sop_text("Chargebacks", department="payments", body=f"See [[{sop_id}]] for refunds.\n"), payments=True)

    assert "Chargebacks" not in as_person(cast.reader).get(f"/sops/{sop_id}").text
    assert "SOP-0002 Chargebacks" in words(as_person(cast.manager).get(f"/sops/{sop_id}"))


def test_a_page_that_did_not_change_is_not_sent_again(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish()
    reader = as_person(cast.reader)
    tag = reader.get(f"/sops/{sop_id}").headers["ETag"]

    assert reader.get(f"/sops/{sop_id}", etag=tag).status_code == 304
    assert as_person(cast.manager).get(f"/sops/{sop_id}", etag=tag).status_code == 200
    reader.post(f"/sops/{sop_id}/acknowledgements", revision=1)
    after = reader.get(f"/sops/{sop_id}", etag=tag)
    assert after.status_code == 200
    assert "Kept: you have read and understood r1" in words(after)


def test_keys_that_nobody_foresaw_are_shown(as_person: AsPerson, cast: Cast, publish: Publish) -> None:
    sop_id = publish(sop_text(front="risk_level: high & rising\n"))

    assert "risk level high & rising" in words(as_person(cast.reader).get(f"/sops/{sop_id}"))


def test_a_sop_that_is_still_to_come_leads_to_its_coming_revision(
    as_person: AsPerson, cast: Cast, publish: Publish, clock: Clock
) -> None:
    sop_id = publish(effective_from=NOW + timedelta(days=2))
    reader = as_person(cast.reader)

    coming = reader.get(f"/sops/{sop_id}")

    assert (coming.status_code, coming.location) == (303, f"/sops/{sop_id}/revisions/1")
    assert "coming" in words(reader.get(coming.location)).lower()
    assert as_person(cast.payments_reader).get(f"/sops/{sop_id}").status_code == 404
    clock.now = NOW + timedelta(days=2)
    assert as_person(cast.reader).get(f"/sops/{sop_id}").status_code == 200


def test_a_review_changes_the_page_that_a_browser_holds(
    as_person: AsPerson, cast: Cast, publish: Publish, stores: Stores, clock: Clock
) -> None:
    sop_id = publish()
    clock.now += timedelta(minutes=1)
    browser = as_person(cast.editor)
    tag = browser.get(f"/sops/{sop_id}").headers["ETag"]
    assert browser.get(f"/sops/{sop_id}", etag=tag).status_code == 304

    review_sop(stores, actor=cast.editor, now=clock.now, sop_id=sop_id, outcome="confirmed", note="As it is done.")

    assert browser.get(f"/sops/{sop_id}", etag=tag).status_code == 200
