"""From what was published to what is read: one row for each revision, made from its intent and its text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import front_matter
from sop_server.domain.content import normalise
from sop_server.services.library.references import references
from sop_server.storage import drafts, outbox, sops, ticket_references
from sop_server.storage.database import Session
from sop_server.storage.git.library import Library
from sop_server.storage.tables import PublishIntent, Revision

DEFAULT_REVIEW_DAYS = 365


@dataclass(frozen=True, slots=True)
class Published:
    """An intent's place on `main`, and the text that it published."""

    commit_oid: str
    text: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A row of the projection that is not stored yet, with the tickets and the SOPs that it refers to."""

    row: Revision
    tickets: frozenset[int]
    targets: frozenset[str]


def project(session: Session, intent: PublishIntent, published: Published, *, recorded_at: datetime) -> Revision:
    """Store the revision that `intent` published: its front matter, its links and its tickets."""
    made = derive(intent, published, recorded_at=recorded_at)
    sops.add_revision(session, made.row, tickets=made.tickets, targets=made.targets)
    return made.row


def derive(intent: PublishIntent, published: Published, *, recorded_at: datetime) -> Derived:
    """Return what the projection has to hold of the revision that `intent` published."""
    parsed = front_matter.parse(published.text)
    front = parsed.front
    found = references(parsed.body, path=intent.path)
    row = Revision(
        sop_id=intent.sop_id,
        number=intent.revision,
        kind=intent.kind,
        significance=intent.significance,
        content_hash=intent.content_hash,
        blob_oid=intent.blob_oid,
        commit_oid=published.commit_oid,
        intent_id=intent.id,
        draft_id=intent.draft_id,
        path=intent.path,
        title=front.title or intent.sop_id,
        department=front.department,
        owner=front.owner,
        deputy=front.deputy,
        processes=list(front.processes),
        systems=list(front.systems),
        audience=list(front.audience),
        tags=list(front.tags),
        links=list(front.links),
        path_links=list(found.paths),
        review_every_days=front.review_every_days or DEFAULT_REVIEW_DAYS,
        change_summary=intent.change_summary,
        author_name=intent.author_name,
        author_email=intent.author_email,
        reverts=intent.reverts,
        approved_at=intent.approved_at,
        effective_from=intent.effective_from,
        recorded_at=recorded_at,
    )
    return Derived(
        row=row,
        tickets=frozenset(int(ticket["id"]) for ticket in intent.tickets),
        targets=frozenset({*front.links, *found.sop_ids}) - {intent.sop_id},
    )


def texts(library: Library, intents: Sequence[PublishIntent]) -> Mapping[int, str]:
    """Return the text that each intent publishes, by the intent's id."""
    return {intent.id: normalise(library.read(intent.blob_oid)) for intent in intents}


def ask_for_indexing(session: Session, intent: PublishIntent, *, now: datetime) -> None:
    """Have the search index brought up to a revision after the answer."""
    outbox.post(
        session,
        key=f"index:{intent.sop_id}:r{intent.revision}",
        kind="index",
        payload={"sop_id": intent.sop_id},
        now=now,
    )


def ask_for_indexing_again(session: Session, sop_id: str, *, generation: str, now: datetime) -> None:
    """Have a SOP indexed once more, since its projection was made again."""
    outbox.post(session, key=f"index:{sop_id}:{generation}", kind="index", payload={"sop_id": sop_id}, now=now)


def add_obligations(session: Session, intent: PublishIntent, *, window_hours: float, recorded_at: datetime) -> None:
    """Add the obligation of each ticket that a revision of a SOP references without the ticket naming it."""
    ticket_references.add_obligations_of_revision(
        session,
        sop_id=intent.sop_id,
        ticket_ids=[int(ticket["id"]) for ticket in intent.tickets],
        window_hours=window_hours,
        recorded_at=recorded_at,
    )


def advance_mark(session: Session, commit_oid: str) -> None:
    """Store that the projection stands at this commit of `main`."""
    drafts.set_mark(session, drafts.MAIN, commit_oid)
