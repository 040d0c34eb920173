"""The hand-overs of one leaver on one page: one line each, approved together, each as its own decision and revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import front_matter, identifiers
from sop_server.domain.content import normalise
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import DamagedError, InvalidInputError, NotFoundError, SopError
from sop_server.services.drafts.approving import approve
from sop_server.services.drafts.rules import rules_of
from sop_server.services.stores import Stores
from sop_server.storage import drafts, leaving, people, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Departure, Draft, Revision

IN_A_PART = 50
"""How many are shown and approved at once: some seconds of work."""


@dataclass(frozen=True, slots=True)
class Change:
    """A key of the front matter, owner or deputy, with the address before and after; "" is nobody."""

    key: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """One draft in a line. Without `changes` it holds more than the hand-over, and is decided on its own page.

    So is one that has to be `signed`: a signature is for one text that was read.
    """

    draft_id: str
    sop_id: str
    title: str
    department: str | None
    content_hash: str
    changes: tuple[Change, ...]
    signed: bool = False


@dataclass(frozen=True, slots=True)
class HandOvers:
    """What waits of one departure: the first `lines` of `waiting` that the actor may decide."""

    departure_id: int
    name: str
    happened_at: datetime
    lines: tuple[HandOverLine, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class ApprovedTogether:
    """What became of a part: the drafts that were approved, and (draft, why) of those that were not."""

    approved: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


def waiting_hand_overs(stores: Stores, *, actor: Actor, now: datetime) -> tuple[HandOvers, ...]:
    """Return the hand-overs that the actor may decide, by departure; those that they started are for somebody else."""
    actor.require_anywhere(Action.DECIDE)
    with stores.database.read() as session:
        found: dict[int, tuple[Departure, list[Draft]]] = {}
        for departure, draft in _decidable(session, actor, now=now):
            found.setdefault(departure.id, (departure, []))[1].append(draft)
        persons = people.persons_by_id(session, [departure.person_id for departure, _ in found.values()])
        return tuple(
            HandOvers(
                departure_id=departure.id,
                name=persons[departure.person_id].name,
                happened_at=departure.happened_at,
                lines=_lines(stores, session, rows[:IN_A_PART], now=now),
                waiting=len(rows),
            )
            for departure, rows in found.values()
        )


def approve_together(
    stores: Stores, *, actor: Actor, now: datetime, chosen: Sequence[tuple[str, str]]
) -> ApprovedTogether:
    """Approve hand-overs, (draft, content hash) each, up to a part of them; what fails is named, and the rest stands.

    Raises NotFoundError, before anything is decided, where one is no hand-over that the actor may decide.
    """
    actor.require_anywhere(Action.DECIDE)
    part = list(chosen)[:IN_A_PART]
    with stores.database.read() as session:
        may = {identifiers.draft_id(draft.id) for _, draft in _decidable(session, actor, now=now)}
        known = {identifiers.draft_id(draft.id) for _, _, draft in leaving.waiting(session)}
    if any(draft_id in known - may for draft_id, _ in part):
        raise NotFoundError("There is no such hand-over. Nothing was approved; open the page again.")
    approved: list[str] = []
    failed: list[tuple[str, str]] = []
    for draft_id, content_hash in part:
        if draft_id not in may:
            failed.append((draft_id, "It was decided already, or is no hand-over."))
            continue
        try:
            approve(stores, actor=actor, draft_id=draft_id, content_hash=content_hash, now=max(now, stores.clock()))
        except SopError as error:
            failed.append((draft_id, error.message))
        else:
            approved.append(draft_id)
    return ApprovedTogether(tuple(approved), tuple(failed))


def _decidable(session: Session, actor: Actor, *, now: datetime) -> list[tuple[Departure, Draft]]:
    rows = [(departure, draft) for departure, _, draft in leaving.waiting(session)]
    authors = drafts.authors_by_draft(session, [draft.id for _, draft in rows])
    rules = rules_of(session, [draft for _, draft in rows], now=now)
    return [
        (departure, draft)
        for departure, draft in rows
        if actor.person_id not in authors[draft.id] and rules[draft.id].may_decide(actor)
    ]


def _lines(stores: Stores, session: Session, rows: Sequence[Draft], *, now: datetime) -> tuple[HandOverLine, ...]:
    serving = {row.sop_id: row for row in sops.in_force_rows(session, now, ids=[draft.sop_id for draft in rows])}
    rules = rules_of(session, rows, now=now)
    return tuple(
        HandOverLine(
            identifiers.draft_id(draft.id),
            draft.sop_id,
            draft.title,
            draft.department,
            draft.content_hash,
            _changes(stores, serving.get(draft.sop_id), draft),
            signed=rules[draft.id].signature,
        )
        for draft in rows
    )


def _changes(stores: Stores, base: Revision | None, draft: Draft) -> tuple[Change, ...]:
    """Return what the draft changes in the front matter; nothing where it changes anything else, too.

    What is approved is the whole text, so a line may stand for it only where it is what the server wrote.
    """
    if base is None:
        return ()
    try:
        before, after = (normalise(stores.library.read(one.blob_oid)) for one in (base, draft))
    except DamagedError:
        return ()
    old, new = front_matter.parse(before).front, front_matter.parse(after).front
    changes = tuple(
        Change(key, was or "", becomes or "")
        for key, was, becomes in (("owner", old.owner, new.owner), ("deputy", old.deputy, new.deputy))
        if was != becomes
    )
    try:
        written = normalise(front_matter.with_values(before, {one.key: one.becomes for one in changes}))
    except InvalidInputError:
        return ()
    return changes if written == after else ()
