from collections.abc import Callable

import pytest

from sop_server.domain.permissions import Actor
from sop_server.services.library.indexing import index_due
from sop_server.services.participation.feedback import list_feedback
from sop_server.services.stores import Stores
from sop_server.storage.missed_searches import missed_searches
from tests.views.browser import Browser, words
from tests.views.conftest import NOW, Cast, Publish
from tests.views.texts import sop_text

AsPerson = Callable[[Actor], Browser]


@pytest.fixture
def library(publish: Publish, stores: Stores) -> None:
    publish(sop_text(front="systems: [SAP, Zendesk]\ntags: [refund]\n"))
    publish(sop_text("Refunds up to 500 USD", front="systems: [SAP]\n"))
    publish(
        sop_text("Chargebacks", department="payments", audience="payments-tier1", body="A refund of a bank.\n"),
        payments=True,
    )
    index_due(stores, now=NOW)


@pytest.mark.usefixtures("library")
def test_hits_carry_the_words_and_whether_they_were_read(as_person: AsPerson, cast: Cast) -> None:
    page = as_person(cast.reader).get("/search?q=refund")

    told = words(page)
    assert "2 SOPs for" in told
    assert "Refunds over 500 USD" in told
    assert "not read yet" in told
    assert "<mark>" in page.text


@pytest.mark.usefixtures("library")
def test_a_search_finds_nothing_that_one_may_not_read(as_person: AsPerson, cast: Cast) -> None:
    for address in ("/search?q=refund", "/search?q=chargebacks", "/search?q=", "/search?q=refund&department=payments"):
        page = as_person(cast.reader).get(address)
        assert "Chargebacks</a>" not in page.text
        assert "Chargebacks" not in words(page).replace("“chargebacks”", "")
    assert "Chargebacks</a>" in as_person(cast.payments_reader).get("/search?q=chargebacks").text


@pytest.mark.usefixtures("library")
def test_an_id_typed_alone_leads_to_the_sop(as_person: AsPerson, cast: Cast) -> None:
    reader = as_person(cast.reader)

    assert reader.get("/search?q=sop-1").location == "/sops/SOP-0001"
    assert reader.get("/search?q=SOP-0003").status_code == 200


@pytest.mark.usefixtures("library")
def test_facets_narrow_down_and_their_chips_take_them_away(as_person: AsPerson, cast: Cast) -> None:
    reader = as_person(cast.reader)

    page = reader.get("/search?q=refund")
    narrowed = reader.get("/search?q=refund&system=Zendesk")

    assert "/search?q=refund&amp;system=Zendesk" in page.text
    assert "1 SOP for" in words(narrowed)
    assert "Refunds up to 500 USD</a>" not in narrowed.text
    assert '<a class="chip" href="/search?q=refund">Zendesk' in narrowed.text


@pytest.mark.usefixtures("library")
def test_a_slip_of_the_finger_is_asked_about(as_person: AsPerson, cast: Cast) -> None:
    page = as_person(cast.reader).get("/search?q=refnd")

    assert "Did you mean refund" in words(page)
    assert 'href="/search?q=refund"' in page.text


@pytest.mark.usefixtures("library")
def test_a_search_without_a_hit_offers_to_report_what_is_missing(
    as_person: AsPerson, cast: Cast, stores: Stores
) -> None:
    reader = as_person(cast.reader)

    page = reader.get("/search?q=cryptocurrency")

    assert "Nothing describes “cryptocurrency”" in words(page)
    assert 'href="/search/missing?q=cryptocurrency"' in page.text
    with stores.database.read() as session:
        assert [(row.words, row.times) for row in missed_searches(session)] == [("cryptocurrency", 1)]


@pytest.mark.usefixtures("library")
def test_a_missing_procedure_becomes_a_report(as_person: AsPerson, cast: Cast, stores: Stores) -> None:
    reader = as_person(cast.reader)

    kept = reader.post("/search/missing", words="Crypto payout", what_happened="A seller asked.")

    assert (kept.status_code, kept.location) == (303, "/")
    (found,) = list_feedback(stores, actor=cast.editor, now=NOW).items
    assert found.sop_id is None
    assert found.what_happened == "No SOP for: Crypto payout\n\nA seller asked."


def test_a_missing_procedure_without_a_name_stays_in_the_form(
    as_person: AsPerson, cast: Cast, stranger: Browser
) -> None:
    refused = as_person(cast.reader).post("/search/missing", words=" ", what_happened="A seller asked.")

    assert refused.status_code == 422
    assert "A seller asked." in refused.text
    assert stranger.post("/search/missing", words="x").location == "/login"


@pytest.mark.usefixtures("library")
def test_typed_marks_stay_words(as_person: AsPerson, cast: Cast) -> None:
    page = as_person(cast.reader).get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>alert" not in page.text


@pytest.mark.parametrize("asked", ["from=-1", "from=x", "at=never", "at=2030-01-01T00:00"])
def test_a_page_or_an_instant_that_cannot_be_is_refused(as_person: AsPerson, cast: Cast, asked: str) -> None:
    assert as_person(cast.reader).get(f"/search?q=refund&{asked}").status_code == 422
