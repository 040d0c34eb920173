"""The saved states of a draft: a commit each, on a git reference of the draft's own."""

from datetime import datetime

from sop_server.domain.content import content_hash
from sop_server.services.stores import Stores
from sop_server.storage import drafts
from sop_server.storage.database import Session
from sop_server.storage.git.library import FileChange, Identity, NewCommit
from sop_server.storage.tables import Draft, DraftCommit

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
