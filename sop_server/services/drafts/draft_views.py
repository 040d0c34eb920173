"""What the doors show of a draft, and who may see it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.content import normalise
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.signatures import Signature, from_stored
from sop_server.errors import DamagedError, NotFoundError
from sop_server.services.changes.ticket_sight import tickets_in_sight
from sop_server.services.stores import Stores
from sop_server.storage import drafts, leaving, people, sops, ticket_references
from sop_server.storage.database import Session
from sop_server.storage.tables import Approval, Draft, Person

_NOBODY = {"system": "The server"}


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """One decision on a draft; `standing` is False once an edit or a merge made it void."""

    person: str
    name: str
    decision: str
    comment: str
    content_hash: str
    decided_at: datetime
    standing: bool
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class TicketLabel:
    """A ticket as a draft or a revision names it."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks at drafts, and when: of the tickets that a draft names it shows those that are theirs to know of."""

    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as people see it. `content` is empty in lists; `version` guards edits.

    `tickets` are those that the viewer may know of; `keeper_name` is who sees to it since its author left,
    `hand_over` that the server wrote it for somebody who left.
    """

    id: str
    sop_id: str
    kind: str
    state: str
    title: str
    department: str | None
    content: str
    content_hash: str
    base_revision: int | None
    reverts: int | None
    author: str | None
    author_name: str | None
    authors: tuple[str, ...]
    significance: str
    change_summary: str
    tickets: tuple[TicketLabel, ...]
    approvals: tuple[ApprovalView, ...]
    effective_from: datetime | None
    conflicted: bool
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    published_revision: int | None
    version: int
    keeper_name: str | None = None
    hand_over: bool = False


def draft_in_sight(session: Session, actor: Actor, draft_id: str, *, now: datetime) -> Draft:
    """Return a draft that the actor may see; NotFoundError for every other, so that nobody learns that it exists."""
    number = identifiers.parse_draft_id(draft_id)
    draft = None if number is None else drafts.draft_row(session, number)
    if draft is None or not may_see(session, actor, draft, now=now):
        raise NotFoundError(f"There is no draft {draft_id}. Check the address, or look under Drafts.")
    return draft


def may_see(session: Session, actor: Actor, draft: Draft, *, now: datetime) -> bool:
    """Whether a draft exists for the actor: editors and approvers of the departments it touches, and its authors."""
    if actor.may(Action.SEE_DRAFTS, draft.department):
        return True
    if not actor.may_anywhere(Action.SEE_DRAFTS):
        return False
    if draft.base_revision is not None and actor.may(Action.SEE_DRAFTS, sops.department_of(session, draft.sop_id, now)):
        return True
    return actor.person_id in drafts.authors(session, draft.id)


def view(stores: Stores, session: Session, draft: Draft, looking: Looking) -> DraftView:
    """Return one draft with its text; an empty one where the library lost it, so that it can be written anew."""
    session.flush()
    return views(session, [draft], looking, contents=texts_of(stores, [draft]))[0]


def texts_of(stores: Stores, rows: Iterable[Draft]) -> dict[int, str]:
    """Return the texts of drafts by their numbers: one that the library lost, or holds damaged, hides no other."""
    found: dict[int, str] = {}
    for draft in rows:
        with suppress(DamagedError):
            found[draft.id] = normalise(stores.library.read(draft.blob_oid))
    return found


def views(
    session: Session, rows: Sequence[Draft], looking: Looking, *, contents: dict[int, str] | None = None
) -> list[DraftView]:
    """Return many drafts by a fixed number of queries; without `contents` their texts are left out."""
    ids = [draft.id for draft in rows]
    approvals = drafts.approvals(session, ids)
    authors = drafts.authors_by_draft(session, ids)
    tickets = drafts.ticket_ids(session, ids)
    labels = ticket_references.labels(session, _shown(session, looking, tickets.values()))
    keepers = leaving.keepers(session, ids) if ids else {}
    by_server = leaving.hand_overs_among(session, ids) if ids else frozenset()
    persons = people.persons_by_id(session, {*_people_of(rows, approvals, authors), *keepers.values()})
    return [
        DraftView(
            id=identifiers.draft_id(draft.id),
            sop_id=draft.sop_id,
            kind=draft.kind,
            state=draft.state,
            title=draft.title,
            department=draft.department,
            content=(contents or {}).get(draft.id, ""),
            content_hash=draft.content_hash,
            base_revision=draft.base_revision,
            reverts=draft.reverts,
            author=_email(persons, draft.author_id),
            author_name=_by_server(_name(persons, draft.author_id))
            if draft.id in by_server
            else _name(persons, draft.author_id),
            authors=tuple(email for one in authors.get(draft.id, []) if (email := _email(persons, one)) is not None),
            significance=draft.significance,
            change_summary=draft.change_summary,
            tickets=tuple(
                TicketLabel(identifiers.ticket_id(ticket), labels[ticket])
                for ticket in tickets.get(draft.id, [])
                if ticket in labels
            ),
            approvals=tuple(_approval(approval, persons) for approval in approvals.get(draft.id, [])),
            effective_from=draft.effective_from,
            conflicted=draft.conflicted,
            created_at=draft.created_at,
            updated_at=draft.updated_at,
            submitted_at=draft.submitted_at,
            published_revision=draft.published_revision,
            version=draft.version,
            keeper_name=_name(persons, keepers.get(draft.id)),
            hand_over=draft.id in by_server,
        )
        for draft in rows
    ]


def _by_server(starter: str | None) -> str:
    return "The server" if starter is None else f"The server, for {starter}"


def _shown(session: Session, looking: Looking, named: Iterable[Collection[int]]) -> Collection[int]:
    return tickets_in_sight(session, looking.actor, {ticket for several in named for ticket in several}, looking.now)


def _people_of(
    rows: Sequence[Draft], approvals: Mapping[int, list[Approval]], authors: Mapping[int, list[int]]
) -> Collection[int]:
    found = {draft.author_id for draft in rows}
    found |= {approval.person_id for several in approvals.values() for approval in several}
    found |= {person for several in authors.values() for person in several}
    return {person for person in found if person is not None}


def _approval(approval: Approval, persons: Mapping[int, Person]) -> ApprovalView:
    return ApprovalView(
        person=_email(persons, approval.person_id) or approval.kind,
        name=_name(persons, approval.person_id) or _NOBODY.get(approval.kind, approval.kind),
        decision=approval.decision,
        comment=approval.comment,
        content_hash=approval.content_hash,
        decided_at=approval.decided_at,
        standing=approval.voided_at is None,
        signature=from_stored(approval.signature),
    )


def _email(persons: Mapping[int, Person], person_id: int | None) -> str | None:
    person = None if person_id is None else persons.get(person_id)
    return None if person is None else person.email


def _name(persons: Mapping[int, Person], person_id: int | None) -> str | None:
    person = None if person_id is None else persons.get(person_id)
    return None if person is None else person.name
