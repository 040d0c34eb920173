"""A library that is played through: people by their roles, a clock that is set, and the steps of a draft's life."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.tickets import TicketInput
from sop_server.services.accounts.people import add_person
from sop_server.services.changes.tickets import upsert_ticket
from sop_server.services.drafts.approving import Approved, approve
from sop_server.services.drafts.draft_lists import get_draft
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput, create_draft, edit_draft, submit_draft
from sop_server.services.stores import Stores
from sop_server.storage import people
from tests.services.conftest import NOW

LINES = tuple(f"{number}. Step {number}." for number in range(1, 9))


def text(title: str = "Refunds", *, department: str = "payments", steps: Sequence[str] = LINES, extra: str = "") -> str:
    head = f"---\ntitle: {title}\ndepartment: {department}\nowner: asha@example.com\n{extra}---\n"
    return head + "## Steps\n\n" + "\n".join(steps) + "\n"


def step(number: int, words: str) -> tuple[str, ...]:
    return tuple(f"{place}. {words}" if place == number else line for place, line in enumerate(LINES, 1))


@dataclass
class Story:
    base: Stores
    now: datetime = NOW
    people: dict[str, Actor] = field(default_factory=dict)
    stores: Stores = field(init=False)

    def __post_init__(self) -> None:
        self.stores = replace(self.base, clock=lambda: self.now)
        self.person("asha", "editor@payments")
        self.person("bela", "editor@payments", "approver@payments")
        self.person("ben", "approver@payments")
        self.person("rita", "reader@payments")

    def person(self, name: str, *roles: str, teams: tuple[str, ...] = ()) -> Actor:
        added = add_person(
            self.stores,
            actor=OPERATOR,
            now=self.now,
            email=f"{name}@example.com",
            name=name.title(),
            roles=roles,
            teams=teams,
        )
        with self.stores.database.read() as session:
            actor = people.load_actor(session, added.person.id, self.now)
        assert actor is not None
        self.people[name] = actor
        return actor

    def __getattr__(self, name: str) -> Actor:
        try:
            found: Actor = self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None
        return found

    def later(self, **kwargs: float) -> datetime:
        self.now += timedelta(**kwargs)
        return self.now

    def draft(
        self,
        content: str | None = None,
        *,
        sop_id: str | None = None,
        by: str = "asha",
        significance: str = "major",
        tickets: Sequence[str] = (),
        effective_from: datetime | None = None,
        kind: str = "edit",
        reverts: int | None = None,
        submitted: bool = True,
        path: str | None = None,
    ) -> DraftView:
        made = create_draft(
            self.stores,
            actor=self.people[by],
            given=DraftInput(
                content=content,
                change_summary="What changes.",
                significance=significance,
                tickets=tickets,
                effective_from=effective_from,
            ),
            now=self.now,
            sop_id=sop_id,
            kind=kind,
            reverts=reverts,
            path=path,
        )
        return self.submit(made, by=by) if submitted else made

    def submit(self, draft: DraftView, *, by: str = "asha") -> DraftView:
        return submit_draft(self.stores, actor=self.people[by], draft_id=draft.id, now=self.now)

    def edit(self, draft: DraftView, *, by: str = "asha", version: int | None = None, **given: object) -> DraftView:
        return edit_draft(
            self.stores,
            actor=self.people[by],
            draft_id=draft.id,
            given=DraftInput(**given),  # type: ignore[arg-type]  # the fields of a draft, as each test names them
            version=version,
            now=self.now,
        )

    def approve(self, draft: DraftView, *, by: str = "ben", effective_from: datetime | None = None) -> Approved:
        return approve(
            self.stores,
            actor=self.people[by],
            draft_id=draft.id,
            content_hash=draft.content_hash,
            effective_from=effective_from,
            now=self.now,
        )

    def look(self, draft: DraftView, *, by: str = "asha") -> DraftView:
        return get_draft(self.stores, actor=self.people[by], draft_id=draft.id, now=self.now)

    def published(self, content: str | None = None, **given: object) -> str:
        """Take a text through its whole life; returns the SOP's id."""
        draft = self.draft(text() if content is None else content, **given)  # type: ignore[arg-type]
        return self.approve(draft).sop_id

    def ticket(self, key: str, *, sops: Sequence[str] = (), by: str = "asha", **given: object) -> str:
        kept = upsert_ticket(
            self.stores,
            actor=self.people[by],
            now=self.now,
            source="jira",
            key=key,
            given=TicketInput(title=f"Change {key}", sops=sops, **given),  # type: ignore[arg-type]
        )
        return kept.ticket.id
