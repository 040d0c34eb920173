import pytest

from sop_server.errors import BusyError
from sop_server.services.background import run_due
from sop_server.services.library.reading import list_revisions
from sop_server.services.stores import Stores
from tests.services.story import Story, text


@pytest.fixture
def story(stores: Stores) -> Story:
    return Story(stores)


@pytest.mark.parametrize("in_the_way", ["refs/intents/1.lock", "refs/heads/main.lock"])
def test_an_approval_that_cannot_be_published_is_kept_told_so_and_published_later(
    story: Story, in_the_way: str
) -> None:
    """A folder in the place of a lock file, which nobody removes, stands for a disk that takes no change."""
    draft = story.draft(text())
    (story.stores.library.path / in_the_way).mkdir(parents=True)

    with pytest.raises(BusyError, match="approval is kept") as caught:
        story.approve(draft)
    assert "Nothing was" not in caught.value.message
    assert "administrator" in caught.value.message
    assert story.look(draft).state == "approved"
    with pytest.raises(BusyError, match="approval is kept"):
        story.approve(draft)

    (story.stores.library.path / in_the_way).rmdir()
    run_due(story.stores, now=story.now)
    assert story.look(draft).state == "published"
    history = list_revisions(story.stores, actor=story.rita, sop_id=draft.sop_id, now=story.now)
    assert [one.revision for one in history] == [1]


def test_an_approval_behind_one_that_cannot_be_published_yet_is_not_stored(story: Story) -> None:
    first, second = story.draft(text("Refunds")), story.draft(text("Returns"))
    in_the_way = story.stores.library.path / "refs/heads/main.lock"
    in_the_way.mkdir()
    with pytest.raises(BusyError, match="approval is kept"):
        story.approve(first)

    with pytest.raises(BusyError, match="Nothing was changed"):
        story.approve(second)
    assert story.look(second).state == "in_review"

    in_the_way.rmdir()
    assert story.approve(second).revision == 1
    assert story.look(first).state == "published"


def test_what_is_published_is_told_as_published_though_its_tidying_up_failed(story: Story) -> None:
    draft = story.draft(text())
    (story.stores.library.path / "packed-refs.lock").mkdir()

    assert story.approve(draft).revision == 1
