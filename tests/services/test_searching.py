from datetime import timedelta

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.errors import InvalidInputError
from sop_server.services.background import run_due
from sop_server.services.library.searching import Query, search
from sop_server.services.reports.findings import list_findings, scan
from sop_server.services.stores import Stores
from sop_server.storage.missed_searches import missed_searches
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def indexed(story: Story) -> None:
    run_due(story.stores, now=story.now)


def missed(story: Story) -> dict[str, int]:
    with story.stores.database.read() as session:
        return {row.words: row.times for row in missed_searches(session)}


def test_what_is_scheduled_is_found_from_its_instant_on_and_not_before(story: Story) -> None:
    sop_id = story.published(text(steps=step(1, "Oldword")))
    draft = story.draft(text(steps=step(1, "Newword")), sop_id=sop_id)
    begins = story.now + timedelta(days=2)
    story.approve(draft, effective_from=begins)
    indexed(story)

    def found(words: str) -> int:
        return search(story.stores, actor=story.rita, query=Query(words), now=story.now).total

    story.now = begins - timedelta(seconds=1)
    assert (found("oldword"), found("newword")) == (1, 0)
    story.now = begins
    assert (found("oldword"), found("newword")) == (0, 1)


def test_an_id_that_is_typed_leads_straight_to_its_sop(story: Story) -> None:
    sop_id = story.published()
    indexed(story)

    for typed in ("SOP-0001", " sop-1 ", "sop 1"):
        page = search(story.stores, actor=story.rita, query=Query(typed), now=story.now)
        assert page.direct == sop_id, typed
    assert missed(story) == {}


def test_without_an_index_the_titles_answer(story: Story) -> None:
    story.person("cora", "reader@customer-care")
    story.published(text("Refunds over <500>"))
    story.published(text("Returns"))

    page = search(story.stores, actor=story.rita, query=Query("refunds"), now=story.now)

    assert page.degraded
    assert [one.sop.title for one in page.items] == ["Refunds over <500>"]
    assert search(story.stores, actor=story.cora, query=Query("refunds"), now=story.now).total == 0


def test_what_is_stale_can_be_asked_for(story: Story) -> None:
    stale = story.published(text("Refunds", extra="review_every: 30 days\n"))
    fresh = story.published(text("Returns"))
    indexed(story)
    story.later(days=60)

    def found(*, wanted: bool) -> list[str]:
        query = Query("", stale=wanted)
        return [one.sop.sop_id for one in search(story.stores, actor=story.rita, query=query, now=story.now).items]

    assert (found(wanted=True), found(wanted=False)) == ([stale], [fresh])


def test_the_future_cannot_be_searched(story: Story) -> None:
    with pytest.raises(InvalidInputError):
        search(story.stores, actor=story.rita, query=Query("x", at=story.now + timedelta(days=1)), now=story.now)
    with pytest.raises(InvalidInputError):
        search(story.stores, actor=story.rita, query=Query("x", offset=-1), now=story.now)


def test_words_that_find_nothing_are_a_finding_until_a_sop_has_them(story: Story) -> None:
    story.published(text("Refunds"))
    indexed(story)
    for _ in range(3):
        search(story.stores, actor=story.rita, query=Query("  Chargebacks "), now=story.now)
    assert missed(story) == {"chargebacks": 3}

    scan(story.stores, now=story.now)
    (finding,) = list_findings(story.stores, actor=OPERATOR, kind="missed_search")
    assert (finding.subject, "3 times" in finding.why) == ("chargebacks", True)
    assert scan(story.stores, now=story.now) == (0, 0)

    story.published(text("Chargebacks"))
    story.later(minutes=10)
    indexed(story)
    assert list_findings(story.stores, actor=OPERATOR, kind="missed_search") == []


def test_a_search_of_the_past_is_no_missed_one(story: Story) -> None:
    story.published()
    indexed(story)

    search(story.stores, actor=story.rita, query=Query("nothing", at=story.now - timedelta(days=9)), now=story.now)

    assert missed(story) == {}


def test_a_search_is_answered_while_the_database_is_written_to(story: Story) -> None:
    story.published()
    indexed(story)
    with story.stores.database.write() as writer:
        writer.connection().exec_driver_sql("UPDATE counter SET value = value")
        page = search(story.stores, actor=story.rita, query=Query("refunds"), now=story.now)

    assert page.total == 1


def test_an_id_leads_to_what_is_retired_or_still_to_come_and_to_nothing_else(story: Story) -> None:
    for number in range(3):
        story.published(text(f"Title {number}"))
    retired = story.published()
    story.approve(story.draft(kind="retire", sop_id=retired))
    coming = story.draft(text())
    story.approve(coming, effective_from=story.now + timedelta(days=2))
    indexed(story)

    for sop_id in (retired, coming.sop_id):
        page = search(story.stores, actor=story.rita, query=Query(sop_id), now=story.now)
        assert (page.direct, page.total, page.relaxed) == (sop_id, 0, False)
    unknown = search(story.stores, actor=story.rita, query=Query("SOP-0999"), now=story.now)
    assert (unknown.direct, unknown.total) == (None, 0)
