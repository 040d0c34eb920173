from datetime import timedelta

import pytest

from sop_server.errors import ForbiddenError
from sop_server.services.background import run_due
from sop_server.services.drafts.draft_lists import get_draft, list_drafts
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.overtaking import return_overtaken
from sop_server.services.library.reading import get_sop, list_revisions
from sop_server.services.publication.checking import check
from sop_server.services.stores import Stores
from tests.services.story import Story, step, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


def overtaken(story: Story, *, by_step: int = 8) -> str:
    """Have r2, of Asha and Bela and scheduled for Friday, be overtaken by r3."""
    sop_id = story.published()
    ticket = story.ticket("CHG-1", sops=[sop_id])
    scheduled = story.draft(text(steps=step(1, "From Friday")), sop_id=sop_id, by="bela", tickets=[ticket])
    scheduled = story.edit(scheduled, content=text(steps=step(1, "From Friday on")))
    story.approve(scheduled, effective_from=story.now + timedelta(days=4))
    story.later(days=1)
    story.published(text(steps=step(by_step, "At once")), sop_id=sop_id)
    return sop_id


def returned(story: Story, sop_id: str) -> DraftView:
    assert return_overtaken(story.stores, now=story.now) == 1
    (newest, *_) = list_drafts(story.stores, actor=story.asha, sop_id=sop_id, now=story.now).items
    return get_draft(story.stores, actor=story.asha, draft_id=newest.id, now=story.now)


def test_an_overtaken_revision_is_served_to_nobody(story: Story) -> None:
    sop_id = overtaken(story)

    story.later(days=30)

    assert get_sop(story.stores, actor=story.rita, sop_id=sop_id, now=story.now).summary.revision == 3
    states = [one.state for one in list_revisions(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)]
    assert states == ["in_force", "overtaken", "superseded"]


def test_its_text_becomes_a_draft_again_on_the_new_base_with_its_authors_and_tickets(story: Story) -> None:
    draft = returned(story, overtaken(story))

    assert (draft.state, draft.base_revision, draft.conflicted) == ("changes_requested", 3, False)
    assert "From Friday on" in draft.content
    assert "At once" in draft.content
    assert draft.author == "bela@example.com"
    assert set(draft.authors) == {"bela@example.com", "asha@example.com"}
    assert [one.label for one in draft.tickets] == ["jira:CHG-1"]
    assert "r3 was published before that" in draft.approvals[-1].comment


def test_none_of_its_authors_can_approve_it_now(story: Story) -> None:
    draft = returned(story, overtaken(story))
    submitted = story.submit(draft)

    with pytest.raises(ForbiddenError):
        story.approve(submitted, by="bela")

    assert story.approve(submitted).revision == 4


def test_where_lines_collide_its_author_resolves_it(story: Story) -> None:
    draft = returned(story, overtaken(story, by_step=1))

    assert (draft.state, draft.conflicted) == ("changes_requested", True)
    assert "From Friday on" in draft.content
    assert "At once" not in draft.content


def test_it_is_returned_once_however_often_the_server_looks(story: Story) -> None:
    sop_id = overtaken(story)

    for _ in range(3):
        run_due(story.stores, now=story.now)

    drafts = list_drafts(story.stores, actor=story.asha, sop_id=sop_id, states=["changes_requested"], now=story.now)
    assert len(drafts.items) == 1
    assert check(story.stores, now=story.now).problems == ()


def test_what_a_retirement_overtakes_is_not_written_on_again(story: Story) -> None:
    sop_id = story.published()
    scheduled = story.draft(text(steps=step(1, "From Friday")), sop_id=sop_id)
    story.approve(scheduled, effective_from=story.now + timedelta(days=4))
    story.later(days=1)
    story.approve(story.draft(sop_id=sop_id, kind="retire"))

    assert return_overtaken(story.stores, now=story.now) == 0

    assert list_drafts(story.stores, actor=story.asha, states=["changes_requested"], now=story.now).items == ()
    states = [one.state for one in list_revisions(story.stores, actor=story.rita, sop_id=sop_id, now=story.now)]
    assert states == ["retired", "overtaken", "superseded"]


def test_a_revision_that_came_into_force_at_the_same_instant_is_superseded_and_not_returned(story: Story) -> None:
    sop_id = story.published()
    story.published(text(steps=step(1, "The same instant")), sop_id=sop_id)

    assert return_overtaken(story.stores, now=story.now) == 0
