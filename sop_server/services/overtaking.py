"""A scheduled revision that another one overtook: its text becomes a draft again, and its author is told."""

from datetime import datetime

from sop_server.domain.content import normalise
from sop_server.domain.drafts import DraftState
from sop_server.services import rebasing
from sop_server.services.draft_commits import save_state
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, outbox, people, sops
from sop_server.storage.database import Session
from sop_server.storage.library import Identity
from sop_server.storage.tables import Draft, Revision


def return_overtaken(stores: Stores, *, now: datetime) -> int:
    """Make a draft of each overtaken revision, on the new base; returns how many were made."""
    with stores.database.read() as session:
        waiting = [item.id for item in outbox.due(session, now=now, kind="overtaken")]
    return sum(_return_one(stores, item_id, now=now) for item_id in waiting)


def _return_one(stores: Stores, item_id: int, *, now: datetime) -> int:
    with stores.library.lock(), stores.database.write() as session:
        item = outbox.open_item(session, item_id)
        if item is None:
            return 0
        outbox.done(item, now=now)
        row = sops.revision_row(session, str(item.payload["sop_id"]), int(item.payload["revision"]))
        if row is None:
            return 0
        draft = _draft_of(session, row, now=now)
        save_state(
            stores,
            session,
            draft,
            normalise(stores.library.read(row.blob_oid)),
            path=row.path,
            author=Identity(row.author_name, row.author_email),
            person_id=draft.author_id,
            now=now,
        )
        drafts.set_tickets(session, draft.id, sops.tickets_of_revisions(session, [row.id]).get(row.id, ()))
        rebasing.bring_up(stores, session, draft, now=now)
        audit.record(
            session,
            at=now,
            actor="system",
            action="revision.overtaken",
            subject=row.sop_id,
            details={"revision": row.number, "by": item.payload["by"], "draft": draft.id},
        )
    return 1


def _draft_of(session: Session, row: Revision, *, now: datetime) -> Draft:
    intent = drafts.intent(session, row.intent_id)
    author = people.person_by_email(session, row.author_email)
    draft = Draft(
        sop_id=row.sop_id,
        kind=row.kind,
        reverts=row.reverts,
        base_revision=None if intent is None else intent.base_revision,
        state=DraftState.CHANGES_REQUESTED,
        significance=row.significance,
        change_summary=row.change_summary,
        title=row.title,
        department=row.department,
        head_oid="",
        blob_oid=row.blob_oid,
        content_hash=row.content_hash,
        conflicted=False,
        author_id=None if author is None else author.id,
        effective_from=row.effective_from if row.effective_from > now else None,
        created_at=now,
        updated_at=now,
    )
    session.add(draft)
    session.flush()
    return draft
