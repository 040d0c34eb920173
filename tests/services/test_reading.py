from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from sop_server.domain.doers import OPERATOR
from sop_server.domain.tickets import TicketInput
from sop_server.errors import GoneError, NotFoundError
from sop_server.services.background import run_due
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.draft_lists import drafts_of_tickets, list_drafts
from sop_server.services.library.reading import (
    compare,
    count_by_department,
    get_revision,
    get_sop,
    list_revisions,
    list_sops,
    recently_changed,
    summaries,
)
from sop_server.services.library.searching import Query, search
from sop_server.services.participation.reader_page import open_sop
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    made = Story(stores)
    made.person("dora", "editor", "approver")
    made.person("alex", "approver")
    made.person("carl", "reader@customer-care")
    return made


def published(story: Story, content: str, *, sop_id: str | None = None) -> str:
    return story.approve(story.draft(content, sop_id=sop_id, by="dora"), by="alex").sop_id


@contextmanager
def counted(story: Story) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(story.stores.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(story.stores.database.engine, "before_cursor_execute", note)


def test_a_reader_of_one_department_knows_nothing_of_another_through_any_door(story: Story) -> None:
    mine = published(story, text("Refunds", extra="tags: [shared]\n"))
    theirs = published(story, text("Secret refunds", department="customer-care", extra="tags: [hidden]\n"))
    published(story, text("Secret refunds again", department="customer-care", steps=step(1, "x")), sop_id=theirs)
    story.draft(text("Planned", steps=step(2, "y")), sop_id=mine, by="dora")
    run_due(story.stores, now=story.now)
    rita, now, stores = story.rita, story.later(minutes=1), story.stores

    for attempt in (
        lambda: get_sop(stores, actor=rita, sop_id=theirs, now=now),
        lambda: get_sop(stores, actor=rita, sop_id=theirs, now=now, at=now),
        lambda: list_revisions(stores, actor=rita, sop_id=theirs, now=now),
        lambda: get_revision(stores, actor=rita, sop_id=theirs, number=1, now=now),
        lambda: compare(stores, actor=rita, sop_id=theirs, before=1, after=2, now=now),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert [one.sop_id for one in list_sops(stores, actor=rita, now=now).items] == [mine]
    assert [one.sop_id for one in list_sops(stores, actor=rita, now=now, at=now).items] == [mine]
    assert list_sops(stores, actor=rita, now=now, department="customer-care").items == ()
    assert summaries(stores, actor=rita, now=now, ids=[theirs]) == []
    assert [one.sop_id for one in recently_changed(stores, actor=rita, now=now)] == [mine]
    assert count_by_department(stores, actor=rita, now=now) == {"payments": 1}
    for query in (Query("secret"), Query("refunds"), Query(theirs), Query("", tag="hidden"), Query("refunds", at=now)):
        found = search(stores, actor=rita, query=query, now=now)
        assert theirs not in [one.sop.sop_id for one in found.items]
        assert found.total == len(found.items)
        assert found.direct is None
        assert "hidden" not in dict(found.facets["tag"])
        assert "customer-care" not in dict(found.facets["department"])


def test_an_editor_sees_drafts_of_tickets_only_where_they_may(story: Story) -> None:
    kept = upsert_ticket(
        story.stores, actor=OPERATOR, now=story.now, source="jira", key="CHG-1", given=TicketInput(title="Change")
    )
    secret = story.draft(text("Secret", department="customer-care"), by="dora", tickets=[kept.ticket.id])
    open_one = story.draft(text("Open"), tickets=[kept.ticket.id])

    shown = drafts_of_tickets(story.stores, actor=story.asha, ticket_ids=[1], now=story.now)

    assert [one.id for one in shown[1]] == [open_one.id]
    assert secret.id not in [one.id for one in list_drafts(story.stores, actor=story.asha, now=story.now).items]
    assert drafts_of_tickets(story.stores, actor=story.rita, ticket_ids=[1], now=story.now) == {}


def test_a_sop_belongs_to_the_department_that_has_it_now_whichever_instant_is_asked_for(story: Story) -> None:
    sop_id = published(story, text("Refunds"))
    run_due(story.stores, now=story.now)
    before = story.now
    story.later(days=30)
    published(story, text("Refunds", department="customer-care"), sop_id=sop_id)
    story.later(days=1)
    run_due(story.stores, now=story.now)
    now, stores = story.now, story.stores

    with pytest.raises(NotFoundError):
        get_sop(stores, actor=story.rita, sop_id=sop_id, now=now, at=before)
    assert list_sops(stores, actor=story.rita, now=now, at=before).items == ()
    assert search(stores, actor=story.rita, query=Query("refunds", at=before), now=now).total == 0
    assert search(stores, actor=story.rita, query=Query(sop_id, at=before), now=now).direct is None
    with pytest.raises(NotFoundError):
        list_revisions(stores, actor=story.rita, sop_id=sop_id, now=now)

    assert get_sop(stores, actor=story.carl, sop_id=sop_id, now=now, at=before).summary.department == "payments"
    assert [one.sop_id for one in list_sops(stores, actor=story.carl, now=now, at=before).items] == [sop_id]
    assert search(stores, actor=story.carl, query=Query("refunds", at=before), now=now).total == 1
    assert len(list_revisions(stores, actor=story.carl, sop_id=sop_id, now=now)) == 2


def test_the_library_as_of_an_instant_is_what_was_in_force_then(story: Story) -> None:
    sop_id = published(story, text(steps=step(1, "Old words")))
    first = story.now
    story.later(days=10)
    published(story, text(steps=step(1, "Young words")), sop_id=sop_id)
    second = story.now
    story.later(days=10)
    story.approve(story.draft(sop_id=sop_id, kind="retire", by="dora"), by="alex")
    run_due(story.stores, now=story.now)
    now, stores = story.later(minutes=1), story.stores

    with pytest.raises(NotFoundError):
        get_sop(stores, actor=story.rita, sop_id=sop_id, now=now, at=first - timedelta(microseconds=1))
    for at, revision, found in ((first, 1, "Old"), (second, 2, "Young")):
        page = get_sop(stores, actor=story.rita, sop_id=sop_id, now=now, at=at)
        assert (page.summary.revision, f"{found} words" in page.markdown) == (revision, True)
        hits = search(stores, actor=story.rita, query=Query(f"{found} words", at=at), now=now).items
        assert [hit.sop.revision for hit in hits] == [revision]
    with pytest.raises(GoneError):
        get_sop(stores, actor=story.rita, sop_id=sop_id, now=now)
    assert search(stores, actor=story.rita, query=Query("words"), now=now).total == 0


def test_a_revision_that_was_recorded_after_it_came_into_force_is_read_from_its_instant_on(story: Story) -> None:
    draft = story.draft(text())
    approved_at = story.now
    decided = iter([approved_at])
    slow = replace(story.stores, clock=lambda: next(decided, approved_at + timedelta(minutes=5)))
    approve(slow, actor=story.ben, draft_id=draft.id, content_hash=draft.content_hash, now=approved_at)

    page = get_sop(slow, actor=story.rita, sop_id=draft.sop_id, now=approved_at + timedelta(minutes=1))

    assert page.summary.revision == 1


def test_two_revisions_are_compared_by_words_and_by_lines(story: Story) -> None:
    sop_id = published(story, text(steps=step(2, "Pay 100 USD")))
    published(story, text(steps=step(2, "Pay 200 USD")), sop_id=sop_id)

    compared = compare(story.stores, actor=story.rita, sop_id=sop_id, before=1, after=2, now=story.now)

    assert (compared.before.revision, compared.after.revision) == (1, 2)
    assert any("200" in line.text for line in compared.lines)
    with pytest.raises(NotFoundError):
        get_revision(story.stores, actor=story.rita, sop_id=sop_id, number=3, now=story.now)


def test_lists_go_on_from_their_cursor(story: Story) -> None:
    made = [published(story, text(f"Title {number}")) for number in range(5)]

    first = list_sops(story.stores, actor=story.rita, now=story.now, limit=3)
    second = list_sops(story.stores, actor=story.rita, now=story.now, limit=3, cursor=first.next)

    assert [one.sop_id for one in first.items + second.items] == made
    assert second.next is None


def test_what_links_to_a_sop_of_another_department_is_not_told(story: Story) -> None:
    target = published(story, text("Target"))
    published(story, text("Secret", department="customer-care", extra=f"links: [{target}]\n"))

    around = open_sop(story.stores, actor=story.rita, sop_id=target, now=story.now).around

    assert around.links_here == ()


@pytest.mark.parametrize("size", [2, 12])
def test_reading_takes_a_fixed_number_of_queries_however_large_the_library_is(story: Story, size: int) -> None:
    first = published(story, text("Title 0"))
    for number in range(1, size):
        published(story, text(f"Title {number}", extra=f"links: [{first}]\n"))
    run_due(story.stores, now=story.now)
    stores, now = story.stores, story.now

    with counted(story) as first_page:
        get_sop(stores, actor=story.rita, sop_id=first, now=now)
    with counted(story) as page:
        get_sop(stores, actor=story.rita, sop_id=first, now=now)
    with counted(story) as listed:
        list_sops(stores, actor=story.rita, now=now)
    with counted(story) as found:
        search(stores, actor=story.rita, query=Query("title"), now=now)

    assert (len(first_page), len(page), len(listed), len(found)) == (22, 2, 15, 4)


def test_a_link_that_changed_tells_no_title_of_another_department(story: Story) -> None:
    target = published(story, text("Very secret", department="customer-care"))
    mine = published(story, text("Refunds", extra=f"links: [{target}]\n"))
    story.later(days=1)
    published(story, text("Very secret", department="customer-care", steps=step(1, "x")), sop_id=target)
    story.later(days=1)

    page = get_sop(story.stores, actor=story.rita, sop_id=mine, now=story.now)
    (listed,) = list_sops(story.stores, actor=story.rita, now=story.now).items

    for reasons in (page.summary.stale, listed.stale):
        (link,) = [one.detail for one in reasons if one.kind == "link"]
        assert target in link
        assert "Very secret" not in link


def test_links_lead_to_what_came_into_force_by_itself_meanwhile(story: Story) -> None:
    coming = story.draft(text("Coming"))
    begins = story.now + timedelta(hours=1)
    story.approve(coming, effective_from=begins)
    sop_id = published(story, text("Links", steps=step(1, f"See [[{coming.sop_id}]].")))

    def shown(at: datetime) -> str:
        return get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=at).html

    assert "broken-link" in shown(begins - timedelta(seconds=1))
    assert f'href="/sops/{coming.sop_id}"' in shown(begins)
    retired = story.draft(sop_id=coming.sop_id, kind="retire")
    ends = begins + timedelta(hours=1)
    story.now = begins
    story.approve(retired, effective_from=ends)
    assert f'href="/sops/{coming.sop_id}"' in shown(ends - timedelta(seconds=1))
    assert "broken-link" in shown(ends)


def test_a_count_of_the_past_is_of_the_sops_that_are_ones_own_now(story: Story) -> None:
    sop_id = published(story, text("Refunds"))
    before = story.now
    story.later(days=30)
    published(story, text("Refunds", department="customer-care"), sop_id=sop_id)
    story.later(days=1)
    stores, now = story.stores, story.now

    assert count_by_department(stores, actor=story.rita, now=now, at=before) == {}
    assert count_by_department(stores, actor=story.carl, now=now, at=before) == {"payments": 1}
    assert count_by_department(stores, actor=story.carl, now=now) == {"customer-care": 1}


def test_a_draft_whose_text_is_lost_hides_no_other_and_can_be_written_again(story: Story) -> None:
    sop_id = published(story, text("Refunds"))
    lost = story.draft(text("Refunds", steps=step(1, "Lost")), sop_id=sop_id, submitted=False)
    other = story.draft(text("Other"), submitted=False)
    with story.stores.database.read() as session:
        row = drafts.draft_row(session, 2)
        assert row is not None
        blob = row.blob_oid
    (story.stores.library.path / "objects" / blob[:2] / blob[2:]).unlink()

    listed = list_drafts(story.stores, actor=story.asha, now=story.now, texts=True).items

    assert [(one.id, bool(one.content)) for one in listed if one.id in {lost.id, other.id}] == [
        (other.id, True),
        (lost.id, False),
    ]
    assert any(lost.id in told for told in check(story.stores, now=story.now).problems)
    assert "Anew" in story.edit(lost, content=text("Refunds", steps=step(1, "Anew"))).content
