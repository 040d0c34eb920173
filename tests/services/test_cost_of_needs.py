"""What needs somebody is found by as many statements however much waits, and however much was once loud."""

from benchmarks.measuring import counted
from sop_server.services.drafts.breaking_glass import break_glass
from sop_server.services.drafts.glass_answers import confirm_revision
from sop_server.services.reports.needs import owner_home
from sop_server.services.stores import Stores
from tests.services.story import Story, text

WHY = "Cards are charged twice and nobody else can be reached."


def cost(story: Story, who: str) -> int:
    with counted(story.stores.database) as count:
        owner_home(story.stores, actor=story.people[who], now=story.now)
    return len(count.statements)


def broken(story: Story, title: str) -> str:
    draft = story.draft(text(title))
    break_glass(
        story.stores, actor=story.ben, draft_id=draft.id, content_hash=draft.content_hash, reason=WHY, now=story.now
    )
    return draft.sop_id


def test_drafts_that_wait_cost_whoever_decides_and_whoever_does_not_as_much_as_one(stores: Stores) -> None:
    story = Story(stores)
    story.person("mia", "manager")
    story.person("ada", "admin")
    for number in range(2):
        story.draft(text(f"Refunds {number}"), sop_id=story.published(text(f"Refunds {number}.")))
    before = {who: cost(story, who) for who in ("ben", "mia", "ada", "rita")}

    for number in range(2, 6):
        story.draft(text(f"Refunds {number}"), sop_id=story.published(text(f"Refunds {number}.")))

    assert {who: cost(story, who) for who in before} == before
    assert len(owner_home(stores, actor=story.ben, now=story.now).needs) == 6


def test_an_emergency_that_was_confirmed_costs_nothing_any_more(stores: Stores) -> None:
    story = Story(stores)
    first = broken(story, "Refunds")
    confirm_revision(story.stores, actor=story.bela, sop_id=first, number=1, now=story.now)
    before = cost(story, "ben")

    for title in ("Payouts", "Returns", "Vouchers"):
        confirm_revision(story.stores, actor=story.bela, sop_id=broken(story, title), number=1, now=story.now)

    assert cost(story, "ben") == before
