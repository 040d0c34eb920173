"""A draft whose base was overtaken: merged where that is clean, otherwise its author's to resolve."""

from datetime import datetime

from sop_server.domain import front_matter, identifiers
from sop_server.domain.content import normalise
from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.domain.revisions import RevisionKind
from sop_server.errors import GoneError, InvalidInputError
from sop_server.services.drafts.draft_commits import SYSTEM, save_state
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import merge
from sop_server.storage.git.merge import Merged
from sop_server.storage.tables import Draft, Revision

CONFLICT = (
    "Another revision was approved meanwhile, and it changes the same lines as this draft. The draft is kept as "
    "it was written; its author opens it, brings both texts together, and submits it again."
)


def overtaking(session: Session, draft: Draft, *, now: datetime, begins: datetime | None = None) -> Revision | None:
    """Return the revision that a draft has to be brought up to; None while its base is the right one.

    That is the revision which will be in force when the draft's own would begin: at `begins`, else as the draft says.
    """
    if draft.base_revision is None:
        return None
    newest = sops.latest_row(session, draft.sop_id, begins or max(now, draft.effective_from or now))
    return None if newest is None or newest.number <= draft.base_revision else newest


def require_begins_with_base(session: Session, draft: Draft, *, begins: datetime) -> None:
    """Raise InvalidInputError where a draft would come into force before the scheduled revision that it builds on.

    Where nothing is in force yet it may: the first revision is then overtaken.
    """
    base = None if draft.base_revision is None else sops.revision_row(session, draft.sop_id, draft.base_revision)
    if base is None or base.effective_from <= begins or sops.latest_row(session, draft.sop_id, begins) is None:
        return
    since = f"{base.effective_from:%d %B %Y, %H:%M} UTC"
    raise InvalidInputError(
        f"This draft builds on r{base.number}, which comes into force on {since}, so it cannot come into force before. "
        "Let it begin then or later, or build on the revision that is in force.",
        fields={"effective_from": f"must not lie before {base.effective_from.isoformat()}"},
    )


def bring_up(stores: Stores, session: Session, draft: Draft, *, now: datetime, begins: datetime | None = None) -> bool:
    """Merge what was published meanwhile into a draft; True where the draft has a new text or cannot be merged.

    A clean merge is a state by *system*: the authors are still the people, and every approval is void.
    Where lines collide the text stays as it is, `conflicted` is set, and the draft goes back to its author.
    Raises GoneError where the SOP was retired meanwhile.
    """
    newest = overtaking(session, draft, now=now, begins=begins)
    if newest is None:
        draft.conflicted = False
        return False
    _require_alive(newest)
    if begins is not None and newest.effective_from > now:
        # What has to be brought together follows from when the draft begins: its author must find the same.
        draft.effective_from = begins
    drafts.void_approvals(session, draft.id, now=now)
    retires = draft.kind == DraftKind.RETIRE
    merged = None if retires else merged_text(stores, session, draft, newest, now=now)
    text = normalise(stores.library.read(newest.blob_oid) if merged is None else merged.content)
    parsed = front_matter.parse(text)
    if merged is not None and (merged.conflicted or parsed.errors):
        draft.conflicted = True
        if draft.state == DraftState.IN_REVIEW:
            draft.state = DraftState.CHANGES_REQUESTED
        _record(session, draft, newest, action="draft.conflicted", now=now)
        return True
    sop = sops.sop_row(session, draft.sop_id)
    save_state(
        stores,
        session,
        draft,
        text,
        path=newest.path if sop is None else sop.path,
        author=SYSTEM,
        person_id=None,
        now=now,
    )
    draft.base_revision = newest.number
    draft.title = newest.title if retires else parsed.front.title or draft.sop_id
    draft.department = newest.department if retires else parsed.front.department
    draft.conflicted = False
    _record(session, draft, newest, action="draft.merged", now=now)
    return True


def merged_text(stores: Stores, session: Session, draft: Draft, newest: Revision, *, now: datetime) -> Merged:
    """Return the three-way merge of a draft and the revision that overtook its base, markers where they collide."""
    base = sops.revision_row(session, draft.sop_id, draft.base_revision or 0)
    return merge(
        b"" if base is None else stores.library.read(base.blob_oid),
        stores.library.read(draft.blob_oid),
        stores.library.read(newest.blob_oid),
        labels=("this draft", f"r{draft.base_revision}", f"r{newest.number}, {_standing(newest, now=now)}"),
    )


def resolve(session: Session, draft: Draft, base_revision: int, *, now: datetime) -> None:
    """Accept its author's word that a draft now stands on `base_revision`, which must be what it has to stand on."""
    newest = overtaking(session, draft, now=now)
    if newest is None and base_revision == draft.base_revision:
        return
    if newest is None or newest.number != base_revision:
        raise InvalidInputError(
            f"The draft has to be brought together with r{newest.number if newest else draft.base_revision}, "
            f"not with r{base_revision}. Open it again to see both texts.",
            fields={"base_revision": "is not the revision in force"},
        )
    _require_alive(newest)
    draft.base_revision = base_revision
    draft.conflicted = False


def _standing(revision: Revision, *, now: datetime) -> str:
    return (
        "in force" if revision.effective_from <= now else f"in force from {revision.effective_from:%d %b %Y, %H:%M} UTC"
    )


def _require_alive(newest: Revision) -> None:
    if newest.kind == RevisionKind.RETIRE:
        raise GoneError(
            f"{newest.sop_id} was retired with r{newest.number} while this draft was open, and its id is never used "
            "again. The draft is kept as it was written: withdraw it, or start a new SOP with its text."
        )


def _record(session: Session, draft: Draft, newest: Revision, *, action: str, now: datetime) -> None:
    audit.record(
        session,
        at=now,
        actor="system",
        action=action,
        subject=draft.sop_id,
        details={"draft": identifiers.draft_id(draft.id), "onto": newest.number, "content_hash": draft.content_hash},
    )
    session.flush()
