"""The saved states of a draft: a commit each, on a git reference of the draft's own."""

from collections.abc import Mapping
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.content import content_hash
from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts
from sop_server.storage.database import Session
from sop_server.storage.git.library import FileChange, Identity, NewCommit
from sop_server.storage.tables import Draft, DraftCommit, Revision

SYSTEM = Identity("sop-server", "system@sop-server.invalid")


def save_state(
    stores: Stores,
    session: Session,
    draft: Draft,
    text: str,
    *,
    path: str,
    author: Identity,
    person_id: int | None,
    now: datetime,
) -> None:
    """Store `text` as the draft's newest state; `person_id` is None where the system merged.

    The caller holds the library lock. What the database names is the draft; a commit that a crash left
    unnamed is replaced.
    """
    earlier = drafts.commits(session, draft.id)
    parent = earlier[-1].oid if earlier else stores.library.head()
    commit = NewCommit(
        message=f"{draft.sop_id}: draft {draft.id}, state {len(earlier) + 1}\n",
        author=author,
        authored_at=now,
        committed_at=now,
        changes=(FileChange(path, text.encode()),),
    )
    (written,) = stores.library.write(f"refs/drafts/{draft.id}", parent, [commit])
    draft.head_oid = written.oid
    draft.blob_oid = written.blobs[path]
    draft.content_hash = content_hash(text)
    draft.updated_at = now
    session.add(
        DraftCommit(
            draft_id=draft.id,
            number=len(earlier) + 1,
            oid=written.oid,
            content_hash=draft.content_hash,
            person_id=person_id,
            at=now,
        )
    )
    session.flush()


def open_in_review(
    stores: Stores,
    session: Session,
    base: Revision,
    text: str,
    *,
    path: str,
    significance: str,
    change_summary: str,
    author: Identity,
    person_id: int | None,
    actor: str,
    told: Mapping[str, object],
    now: datetime,
    kind: DraftKind = DraftKind.EDIT,
    reverts: int | None = None,
    shown: Revision | None = None,
) -> Draft:
    """Open a draft on `base` that nobody has to submit, since it follows from what somebody just decided.

    Title and department are those of `shown`, `base` where it is None. `actor` and `told` are what the audit events
    say besides. The caller holds the library lock.
    """
    named = shown or base
    draft = Draft(
        sop_id=base.sop_id,
        kind=kind,
        reverts=reverts,
        base_revision=base.number,
        state=DraftState.IN_REVIEW,
        significance=significance,
        change_summary=change_summary,
        title=named.title,
        department=named.department,
        head_oid="",
        blob_oid="",
        content_hash=content_hash(text),
        conflicted=False,
        author_id=person_id,
        effective_from=None,
        created_at=now,
        updated_at=now,
        submitted_at=now,
    )
    session.add(draft)
    session.flush()
    save_state(stores, session, draft, text, path=path, author=author, person_id=person_id, now=now)
    details = {"draft": identifiers.draft_id(draft.id), "content_hash": draft.content_hash, **told}
    for action in ("draft.created", "draft.submitted"):
        audit.record(session, at=now, actor=actor, action=action, subject=draft.sop_id, details=details)
    return draft
