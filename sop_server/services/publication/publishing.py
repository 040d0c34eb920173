"""The only way that `main` moves: intent, commit, compare-and-swap, projection, and then the answer.

Each step can be the last one of a process that dies; `reconciling` goes on from what it finds.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import trailers
from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.errors import BusyError, DamagedError
from sop_server.services.publication import projecting
from sop_server.services.publication.projecting import Published
from sop_server.services.stores import Stores
from sop_server.storage import audit, broken_glass, drafts, outbox, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import FileChange, Identity, NewCommit
from sop_server.storage.tables import Draft, PublishIntent

MAIN_REF = "refs/heads/main"


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published: an intent's outcome, for the person who is waiting."""

    sop_id: str
    revision: int
    effective_from: datetime
    in_force: bool


def intent_of_draft(
    session: Session,
    draft: Draft,
    *,
    path: str,
    author: Identity,
    author_emails: Sequence[str],
    approvals: Sequence[Mapping[str, object]],
    tickets: Sequence[Mapping[str, object]],
    effective_from: datetime,
    now: datetime,
    break_glass: Mapping[str, object] | None = None,
) -> PublishIntent:
    """Write down the decision to publish a draft, inside the transaction that completes its approvals.

    `break_glass` is the one record that it stands on where there is no approval: `id`, `person_id`, `name`, `email`,
    `reason`, `departments`, `at` and `signature`.
    """
    intent = PublishIntent(
        state="pending",
        sop_id=draft.sop_id,
        revision=sops.next_revision_number(session, draft.sop_id),
        draft_id=draft.id,
        kind=draft.kind,
        significance=draft.significance,
        path=path,
        content_hash=draft.content_hash,
        blob_oid=draft.blob_oid,
        base_revision=draft.base_revision,
        reverts=draft.reverts,
        change_summary=draft.change_summary,
        author_name=author.name,
        author_email=author.email,
        authors=list(author_emails),
        approvals=[dict(approval) for approval in approvals],
        break_glass=None if break_glass is None else dict(break_glass),
        tickets=[dict(ticket) for ticket in tickets],
        authored_at=draft.updated_at,
        approved_at=now,
        effective_from=effective_from,
        created_at=now,
    )
    session.add(intent)
    draft.state = DraftState.APPROVED
    session.flush()
    return intent


def publish(
    stores: Stores, intents: Sequence[PublishIntent], *, contents: Mapping[int, str] | None = None
) -> list[Publication]:
    """Carry out pending intents, in the order given, as one move of `main`.

    The caller holds the library lock and has just committed or checked the intents. `contents` are texts, by
    intent id, that the library may not hold yet. Raises ConflictError where `main` was moved past the lock.
    """
    texts = contents if contents is not None else projecting.texts(stores.library, intents)
    reference = f"refs/intents/{intents[0].id}"
    parent = stores.library.head()
    written = stores.library.write(reference, parent, [commit_of(intent, texts[intent.id]) for intent in intents])
    stores.library.advance(MAIN_REF, written[-1].oid, parent)
    publications = finish(
        stores,
        [(intent.id, Published(commit.oid, texts[intent.id])) for intent, commit in zip(intents, written, strict=True)],
        parent=parent,
    )
    let_go(stores, reference)
    return publications


def let_go(stores: Stores, reference: str) -> None:
    """Take away the reference that commits were written onto, now that `main` has them and all is recorded.

    One that stays is no failure: it keeps alive what `main` has anyway.
    """
    with suppress(BusyError, DamagedError):
        stores.library.delete_ref(reference)


def finish(stores: Stores, published: Sequence[tuple[int, Published]], *, parent: str | None) -> list[Publication]:
    """Record what `main` has: the projection, the drafts' end, the obligations, and the work that remains.

    `published` names intents that `main` carries out, oldest commit first, on top of `parent`. Doing it twice
    changes nothing. The mark moves only from `parent` on: a commit that nobody looked at yet is never passed over.
    """
    publications: list[Publication] = []
    with stores.database.write() as session:
        for intent_id, place in published:
            intent = drafts.intent(session, intent_id)
            if intent is None or intent.state != "pending":
                continue
            recorded_at = max(stores.clock(), intent.created_at)
            _record(session, intent, place, window_hours=stores.policy.window_hours, recorded_at=recorded_at)
            publications.append(
                Publication(intent.sop_id, intent.revision, intent.effective_from, intent.effective_from <= recorded_at)
            )
        if published and drafts.mark(session, drafts.MAIN) == parent:
            projecting.advance_mark(session, published[-1][1].commit_oid)
    return publications


def _record(
    session: Session, intent: PublishIntent, place: Published, *, window_hours: float, recorded_at: datetime
) -> None:
    intent.state = "done"
    intent.commit_oid = place.commit_oid
    intent.done_at = recorded_at
    projecting.project(session, intent, place, recorded_at=recorded_at)
    if intent.break_glass is not None:
        broken_glass.record(session, intent, recorded_at=recorded_at)
    projecting.add_obligations(session, intent, window_hours=window_hours, recorded_at=recorded_at)
    _end_draft(session, intent, now=recorded_at)
    _return_overtaken(session, intent, now=recorded_at)
    projecting.ask_for_indexing(session, intent, now=recorded_at)
    audit.record(
        session,
        at=recorded_at,
        actor="system",
        action="revision.published",
        subject=intent.sop_id,
        details={
            "revision": intent.revision,
            "commit": place.commit_oid,
            "content_hash": intent.content_hash,
            "effective_from": intent.effective_from.isoformat(),
            **({} if intent.break_glass is None else {"break_glass": intent.break_glass["reason"]}),
        },
    )


def _end_draft(session: Session, intent: PublishIntent, *, now: datetime) -> None:
    draft = None if intent.draft_id is None else drafts.draft_row(session, intent.draft_id)
    if draft is not None:
        draft.state = DraftState.PUBLISHED
        draft.published_revision = intent.revision
        draft.updated_at = now


def _return_overtaken(session: Session, intent: PublishIntent, *, now: datetime) -> None:
    for row in sops.overtaken_rows(session, intent.sop_id, number=intent.revision, begins=intent.effective_from):
        outbox.post(
            session,
            key=f"overtaken:{row.sop_id}:r{row.number}",
            kind="overtaken",
            payload={"sop_id": row.sop_id, "revision": row.number, "by": intent.revision},
            now=now,
        )


def commit_of(intent: PublishIntent, text: str) -> NewCommit:
    """Return the commit that carries an intent out; the same one whenever it is asked for."""
    message = trailers.message(
        trailers.Publication(
            intent_id=intent.id,
            sop_id=intent.sop_id,
            revision=intent.revision,
            kind=intent.kind,
            significance=intent.significance,
            change_summary=intent.change_summary,
            tickets=tuple(str(ticket["label"]) for ticket in intent.tickets),
            effective_from=intent.effective_from,
            approved_by=tuple(f"{approval['name']} <{approval['email']}>" for approval in intent.approvals),
            approval_ids=tuple(int(approval["id"]) for approval in intent.approvals),
            content_hash=intent.content_hash,
            reverts=intent.reverts,
            broken_by=_broken_by(intent),
        )
    )
    content = None if intent.kind == DraftKind.RETIRE else text.encode()
    return NewCommit(
        message=message,
        author=Identity(intent.author_name, intent.author_email),
        authored_at=intent.authored_at,
        committed_at=intent.approved_at,
        changes=(FileChange(intent.path, content),),
    )


def _broken_by(intent: PublishIntent) -> trailers.BrokenGlass | None:
    told = intent.break_glass
    if told is None:
        return None
    return trailers.BrokenGlass(int(told["id"]), f"{told['name']} <{told['email']}>", str(told["reason"]))
