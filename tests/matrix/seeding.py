"""The operation of the matrix: everything that can be hidden, in the person's department, in another, and in none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.processes import ProcessInput
from sop_server.domain.tickets import TicketInput
from sop_server.services.accounts import people, tokens
from sop_server.services.accounts.absences import say_away
from sop_server.services.accounts.recertifications import open_recertification
from sop_server.services.accounts.sign_in import create_sign_in_link, use_sign_in_link
from sop_server.services.changes import obligations, tickets
from sop_server.services.drafts import approving, breaking_glass, drafting
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.drafts.drafting import DraftInput
from sop_server.services.library import searching
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.participation import feedback
from sop_server.services.register import processes
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from sop_server.storage.database import Database, Session
from sop_server.storage.people import load_actor
from tests.matrix.cast import AUTHOR, GONE, LOOKING_ON, ROLES, STRANGER, Place, Player
from tests.matrix.deviations import DeviationSeeder
from tests.matrix.secrets import OF_DRAFTS, OF_FEEDBACK
from tests.matrix.things import Kind, Thing
from tests.views.browser import Clock

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=5)

_TEXT = """---
title: {word} {title}
{department}process: {process}
owner: sam@example.com
deputy: editor-of-payments@example.com
audience: [{word}-team]
systems: [{word}base]
tags: [{word}tag]
links: [{links}]
---
## Steps

1. Open the {word} screen, this {step}.
"""


class Forgetful(Database):
    """A database that keeps nothing of what is written: each cell of the matrix finds the same operation."""

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Do all that a transaction does, and take it back."""
        try:
            with super().write() as session:
                yield session
                session.flush()
                raise _ForgottenError  # noqa: TRY301 - it has to go through what would commit
        except _ForgottenError:
            return


class _ForgottenError(Exception):
    """Everything went well, and is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Operation:
    """The stores, who plays, and what there is."""

    stores: Stores
    players: tuple[Player, ...]
    things: tuple[Thing, ...]


class Seeder:
    """Makes the things, through the services, as people would."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self.things: list[Thing] = []
        self.now = BEFORE
        self._people: dict[str, Actor] = {}
        self.tokens: dict[str, str] = {}
        self.cookies: dict[str, str] = {}

    def person(self, name: str, roles: tuple[str, ...]) -> Actor:
        """Add somebody with a session and a token."""
        stores, email = self._stores, f"{name.replace(' ', '-')}@example.com"
        people.add_person(stores, actor=OPERATOR, now=self.now, email=email, name=name, roles=roles)
        scope = "read" if name == LOOKING_ON else "write"
        self.tokens[name] = tokens.create_token(stores, actor=OPERATOR, now=self.now, email=email, scope=scope)
        link = create_sign_in_link(stores, actor=OPERATOR, now=NOW, email=email)
        self.cookies[name] = use_sign_in_link(stores, token=link, now=NOW)
        with stores.database.read() as session:
            actor = load_actor(session, 1 + len(self._people), NOW)
        assert actor is not None
        self._people[name] = actor
        return actor

    def seed(self, place: Place) -> dict[str, Any]:
        """Make everything that there is in a place."""
        process = self.process(place)
        serving = self.sop(place, process, "refunds", "morning")
        self.publish(self.draft(place, process, "refunds", "noon", sop_id=serving))
        self.things.append(self._of_sop(place, "in force", serving, named=place is not Place.NONE))
        retired = self.sop(place, process, "archive", "year")
        self.publish(self.draft(place, process, "archive", "year", sop_id=retired, kind="retire"))
        self.things.append(self._of_sop(place, "retired", retired))
        coming = self.sop(place, process, "prospects", "winter", effective_from=NOW + timedelta(days=20))
        self.things.append(self._of_sop(place, "scheduled", coming))
        self.drafts(place, process, serving)
        self.things += DeviationSeeder(self._stores, self._people, self.now, place, serving).seed()
        self.tickets(place, process, serving)
        for by in ("sam", "reader"):
            self.report(place, serving, by=by)
        return {"process": process, "serving": serving}

    def process(self, place: Place) -> str:
        given = ProcessInput(
            name=f"{place.value} handling", department=place.department, systems=[f"{place.value}base"]
        )
        found = processes.register_process(
            self._stores, actor=OPERATOR, now=self.now, given=given, registered_at=self.now - timedelta(days=60)
        )
        unwritten = ProcessInput(name=f"{place.value} unwritten", department=place.department)
        processes.register_process(
            self._stores, actor=OPERATOR, now=self.now, given=unwritten, registered_at=self.now - timedelta(days=60)
        )
        self._add(Kind.PROCESS, "active", place, {"process_id": found.id})
        return found.id

    def text(self, place: Place, process: str, title: str, step: str, *, links: str = "") -> str:
        department = "" if place.department is None else f"department: {place.department}\n"
        return _TEXT.format(
            word=place.value, title=title, department=department, process=process, step=step, links=links
        )

    def draft(
        self, place: Place, process: str, title: str, step: str, *, by: str = "sam", links: str = "", **more: Any
    ) -> DraftView:
        content = None if more.get("kind") == "retire" else self.text(place, process, title, step, links=links)
        given = DraftInput(
            content=content,
            change_summary=f"What {place.value} does in the {step}.",
            significance="major",
            effective_from=more.pop("effective_from", None),
            tickets=more.pop("tickets", ()),
        )
        actor = self._people[by]
        return drafting.create_draft(self._stores, actor=actor, given=given, now=self.now, **more)

    def publish(self, draft: DraftView) -> None:
        drafting.submit_draft(self._stores, actor=self._people["sam"], draft_id=draft.id, now=self.now)
        approving.approve(
            self._stores,
            actor=self._people["ann"],
            draft_id=draft.id,
            content_hash=draft.content_hash,
            now=self.now,
            effective_from=draft.effective_from,
        )

    def sop(self, place: Place, process: str, title: str, step: str, **more: Any) -> str:
        draft = self.draft(place, process, title, step, **more)
        self.publish(draft)
        return draft.sop_id

    def published_alone(self, place: Place, process: str) -> Thing:
        """Have one person publish what the author wrote, which nobody has confirmed since."""
        stores, draft = self._stores, self.draft(place, process, "emergencies", "night", by=AUTHOR)
        drafting.submit_draft(stores, actor=self._people[AUTHOR], draft_id=draft.id, now=self.now)
        breaking_glass.break_glass(
            stores,
            actor=self._people["ann"],
            draft_id=draft.id,
            content_hash=draft.content_hash,
            reason=f"The {place.value} form was another one this night.",
            now=self.now,
        )
        address = {"sop_id": draft.sop_id}
        return Thing(Kind.SOP, "alone", frozenset({place.department}), address, frozenset({AUTHOR}))

    def drafts(self, place: Place, process: str, serving: str) -> None:
        """Make a draft in each state, and those of the author."""
        stores, sam, ann = self._stores, self._people["sam"], self._people["ann"]
        states = [("sam", state) for state in ("draft", "in review", "changes requested", "withdrawn")]
        for by, state in [*states, (AUTHOR, "in review")]:
            writer = self._people[by]
            one = self.draft(place, process, "refunds", f"{OF_DRAFTS} {by} {state}", by=by, sop_id=serving)
            if state not in {"draft", "withdrawn"}:
                drafting.submit_draft(stores, actor=writer, draft_id=one.id, now=self.now)
            if state == "changes requested":
                why = f"Not so, {place.value} {OF_DRAFTS}."
                approving.request_changes(stores, actor=ann, draft_id=one.id, comment=why, now=self.now)
            if state == "withdrawn":
                drafting.withdraw_draft(stores, actor=writer, draft_id=one.id, now=self.now)
            self._add(Kind.DRAFT, state, place, {"draft_id": one.id}, by)
        new = self.draft(place, process, f"{OF_DRAFTS} inventions", "evening")
        drafting.submit_draft(stores, actor=sam, draft_id=new.id, now=self.now)
        self._add(Kind.DRAFT, "new", place, {"draft_id": new.id}, "sam")

    def tickets(self, place: Place, process: str, serving: str) -> None:
        """Register a ticket that names a SOP, one that names a process, and one that somebody says needs nothing."""
        word = place.value
        for state, named in (("named", {"sops": [serving]}), ("triage", {"processes": [process]})):
            one = self.ticket(f"{word}-source", f"{word.upper()}-{state}", f"New {word} form", **named)
            self._of_ticket(one, state, frozenset({place.department}))
        one = self.ticket(f"{word}-source", f"{word.upper()}-proposed", f"Old {word} form", sops=[serving])
        obligations.propose_not_needed(
            self._stores,
            actor=self._people[AUTHOR],
            now=self.now,
            obligation_id=one.obligations[0].id,
            reason=f"Nothing of {word}.",
        )
        self._of_ticket(one, "proposed", frozenset({place.department}), AUTHOR)

    def ticket(self, source: str, key: str, title: str, **named: Any) -> Any:
        given = TicketInput(title=title, effective_at=self.now, **named)
        kept = tickets.upsert_ticket(self._stores, actor=OPERATOR, now=self.now, source=source, key=key, given=given)
        return kept.ticket

    def shared(self, sops: list[str]) -> None:
        """Register a ticket that concerns two departments, and one that is nobody's yet."""
        both = self.ticket("manual", "BOTH", "Everybody's new form", sops=sops)
        own = frozenset({Place.OWN.department, Place.OTHER.department})
        self.things.append(Thing(Kind.TICKET, "shared", own, {"ticket_id": both.id}))
        nobodys = self.ticket("manual", "NOBODY", "A form of nobody yet")
        self._of_ticket(nobodys, "nobody's", frozenset())
        found = feedback.give_feedback(
            self._stores,
            actor=self._people["sam"],
            now=self.now,
            sop_id=None,
            kind="edge_case",
            what_happened="Nobody wrote it down.",
        )
        self.things.append(Thing(Kind.FEEDBACK, "nobody's", frozenset(), {"feedback_id": found.id}, frozenset({"sam"})))

    def report(self, place: Place, sop_id: str, *, by: str) -> None:
        found = feedback.give_feedback(
            self._stores,
            actor=self._people[by],
            now=self.now,
            sop_id=sop_id,
            kind="outdated",
            what_happened=f"The {place.value} form was another, {OF_FEEDBACK if by == 'sam' else 'again'}.",
        )
        self._add(Kind.FEEDBACK, f"by {by}", place, {"feedback_id": found.id}, by)

    def _of_ticket(self, one: Any, state: str, departments: frozenset[str | None], *by: str) -> None:
        address = {"ticket_id": one.id, "obligation_id": one.obligations[0].id}
        self.things.append(Thing(Kind.TICKET, state, departments, {"ticket_id": one.id}))
        self.things.append(Thing(Kind.OBLIGATION, state, departments, address, frozenset(by)))

    def _of_sop(self, place: Place, state: str, sop_id: str, *, named: bool = False) -> Thing:
        return Thing(Kind.SOP, state, frozenset({place.department}), {"sop_id": sop_id}, named=named)

    def _add(self, kind: Kind, state: str, place: Place, address: dict[str, str], *by: str) -> None:
        self.things.append(Thing(kind, state, frozenset({place.department}), address, frozenset(by)))


def operation(stores: Stores, clock: Clock) -> Operation:
    """Fill an empty home, and hand it out so that it stays as it is."""
    seeder = Seeder(stores)
    actors = {name: seeder.person(name, roles) for name, roles in ROLES.items()}
    sam = seeder.person("sam", ("editor", "manager"))
    seeder.person("ann", ("approver",))
    seeded = {place: seeder.seed(place) for place in Place}
    own, other = seeded[Place.OWN], seeded[Place.OTHER]
    seeder.shared([own["serving"], other["serving"]])
    seeder.things += [seeder.published_alone(place, seeded[place]["process"]) for place in Place]
    # Each refers to the other, across the departments.
    for place, target in ((Place.OWN, other), (Place.OTHER, own)):
        mine = seeded[place]
        draft = seeder.draft(
            place, mine["process"], "refunds", "night", sop_id=mine["serving"], links=target["serving"]
        )
        seeder.publish(draft)
    _people(seeder)
    _recertifications(stores, seeder)
    # Whoever stands in holds no role by it: everything that is asked for below is asked while they do.
    say_away(stores, actor=sam, now=BEFORE, begins_at=BEFORE, ends_at=NOW + timedelta(days=20))
    clock.now = NOW
    people.deactivate_person(stores, actor=OPERATOR, now=NOW, email=f"{GONE}@example.com")
    for _ in range(12):
        searching.search(stores, actor=actors["reader"], query=searching.Query(text="axolotls lost"), now=NOW)
    players = [Player(STRANGER)]
    players += [Player(name, actors[name], seeder.cookies[name], seeder.tokens[name]) for name in ROLES]
    rebuild_index(stores)
    scan(stores, now=NOW)
    forgetful = Forgetful(stores.database.url, clock=stores.clock)
    return Operation(replace(stores, database=forgetful), tuple(players), tuple(seeder.things))


def _recertifications(stores: Stores, seeder: Seeder) -> None:
    """Have roles confirmed in a department, in another one, and everywhere."""
    for place in (Place.OWN, Place.OTHER, Place.NONE):
        opened = open_recertification(
            stores, actor=OPERATOR, now=BEFORE, department=place.department, due_at=NOW + timedelta(days=9)
        )
        departments = frozenset() if place.department is None else frozenset({place.department})
        address = {"recertification_id": opened.id}
        seeder.things.append(Thing(Kind.RECERTIFICATION, place.name.lower(), departments, address))


def _people(seeder: Seeder) -> None:
    add: Callable[[Thing], None] = seeder.things.append
    for place in Place:
        name = f"{place.name.lower()} person"
        roles = ("reader",) if place.department is None else (f"reader@{place.department}",)
        seeder.person(name, roles)
        email = f"{name.replace(' ', '-')}@example.com"
        departments = frozenset({place.department})
        add(Thing(Kind.PERSON, place.name.lower(), departments, {"email": email}))
        add(Thing(Kind.TOKEN, place.name.lower(), departments, {"email": email, "token_id": str(len(seeder.tokens))}))
