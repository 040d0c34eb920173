"""A scheduled revision that another one overtook: its text becomes a draft again, and its author is told."""

from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.content import normalise
from sop_server.domain.drafts import DraftState
from sop_server.domain.revisions import RevisionKind
from sop_server.errors import SopError
from sop_server.services.drafts import rebasing
from sop_server.services.drafts.draft_commits import save_state
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, outbox, people, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import Draft, Revision


def return_overtaken(stores: Stores, *, now: datetime) -> int:
    """Make a draft of each overtaken revision, on the new base; returns how many were made.

    One that fails is put off and tried again; it holds nothing else up.
    """
    with stores.database.read() as session:
        waiting = [item.id for item in outbox.due(session, now=now, kind="overtaken")]
    made = 0
    for item_id in waiting:
        try:
            made += _return_one(stores, item_id, now=now)
        except SopError as error:
            with stores.database.write() as session:
                outbox.put_off(session, item_id, error=error.message, now=now)
    return made


def _return_one(stores: Stores, item_id: int, *, now: datetime) -> int:
    with stores.library.lock(), stores.database.write() as session:
        item = outbox.open_item(session, item_id)
        if item is None:
            return 0
        outbox.done(item, now=now)
        row = sops.revision_row(session, str(item.payload["sop_id"]), int(item.payload["revision"]))
        if row is None:
            return 0
        newest = sops.latest_row(session, row.sop_id, row.effective_from)
        retired = newest is not None and newest.kind == RevisionKind.RETIRE
        draft = None if retired else _as_draft(stores, session, row, by=int(item.payload["by"]), now=now)
        audit.record(
            session,
            at=now,
            actor="system",
            action="revision.overtaken",
            subject=row.sop_id,
            details={
                "revision": row.number,
                "by": item.payload["by"],
                "draft": None if draft is None else identifiers.draft_id(draft.id),
            },
        )
    # The text of what a retirement overtook stays in the history: a retired SOP is never written on again.
    return 0 if draft is None else 1


def _as_draft(stores: Stores, session: Session, row: Revision, *, by: int, now: datetime) -> Draft:
    draft = _draft_of(session, row, now=now)
    if row.draft_id is not None:
        drafts.continue_history(session, of=row.draft_id, in_draft=draft.id)
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
    drafts.tell(
        session,
        draft.id,
        content_hash=draft.content_hash,
        comment=f"r{row.number} was to begin on {row.effective_from.day} {row.effective_from:%B %Y}, but r{by} was "
        "published before that, so nobody was served it. Its text is this draft now: look at it on its new base, and "
        "submit it again.",
        now=now,
    )
    rebasing.bring_up(stores, session, draft, now=now)
    draft.state = DraftState.CHANGES_REQUESTED
    return draft


def _draft_of(session: Session, row: Revision, *, now: datetime) -> Draft:
    intent = drafts.intent(session, row.intent_id)
    before = None if row.draft_id is None else drafts.draft_row(session, row.draft_id)
    author = people.person_by_email(session, row.author_email)
    author_id = None if author is None else author.id
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
        author_id=author_id if before is None else before.author_id,
        effective_from=row.effective_from if row.effective_from > now else None,
        created_at=now,
        updated_at=now,
    )
    session.add(draft)
    session.flush()
    return draft
