"""Somebody who is about to leave, with everything that they hold."""

from dataclasses import dataclass

from sop_server.domain.drafts import DraftState
from sop_server.domain.processes import ProcessInput
from sop_server.services.drafts.draft_lists import list_drafts
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.leaving.approving_together import waiting_hand_overs
from sop_server.services.leaving.departing import Departed, leave
from sop_server.services.leaving.planning import Successors
from sop_server.services.library.reading import get_sop
from sop_server.services.register.processes import register_process
from sop_server.services.stores import Stores
from tests.services.story import Story, text

TO_BELA = Successors("bela@example.com")
ASHA = "asha@example.com"


@dataclass
class Play:
    """Asha owns two SOPs and a process, began a draft, and leaves; Ada administers, Ben approves, Bela takes over."""

    story: Story
    sops: list[str]
    process: str
    draft: DraftView

    @property
    def stores(self) -> Stores:
        return self.story.stores

    def leave(self, successors: Successors = TO_BELA, *, email: str = ASHA, by: str = "ada") -> Departed:
        self.story.later(hours=1)
        return leave(
            self.stores,
            actor=self.story.people[by],
            now=self.story.now,
            email=email,
            successors=successors,
            reason="moves to another company",
        )

    def in_review(self, by: str = "ben") -> list[DraftView]:
        page = list_drafts(
            self.stores, actor=self.story.people[by], now=self.story.now, states=[DraftState.IN_REVIEW], limit=200
        )
        return sorted(page.items, key=lambda draft: draft.sop_id)

    def together(self, by: str = "ben") -> list[tuple[str, str]]:
        """Return what the page of hand-overs offers somebody."""
        found = waiting_hand_overs(self.stores, actor=self.story.people[by], now=self.story.now)
        return [(line.draft_id, line.content_hash) for one in found for line in one.lines]

    def owner(self, sop_id: str) -> tuple[str | None, str | None]:
        summary = get_sop(self.stores, actor=self.story.people["ben"], sop_id=sop_id, now=self.story.now).summary
        return summary.owner, summary.deputy


def made(stores: Stores) -> Play:
    story = Story(stores)
    story.person("ada", "admin", "approver@payments")
    story.person("dora", "editor@payments")
    mia = story.person("mia", "manager@payments")
    sops = [
        story.published(text("Refunds")),
        story.published(text("Chargebacks", extra="deputy: bela@example.com\n")),
    ]
    story.published(text("Payouts").replace("owner: asha@", "owner: ben@"))
    process = register_process(
        story.stores,
        actor=mia,
        now=story.now,
        given=ProcessInput(name="Refunding", department="payments", owner=ASHA, deputy="bela@example.com"),
    )
    return Play(story, sops, process.id, story.draft(text("Vouchers"), submitted=False))
