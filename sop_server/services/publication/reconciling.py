"""Mending what a crash left: intents that were not carried out, commits that were not recorded."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

from sop_server.domain import identifiers, trailers
from sop_server.domain.content import content_hash, normalise
from sop_server.domain.drafts import PUBLISHES, DraftKind, DraftState
from sop_server.errors import InvalidInputError
from sop_server.services.publication import approved_files, lost_revisions, publishing
from sop_server.services.publication.projecting import Published
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts
from sop_server.storage.database import Session
from sop_server.storage.git.library import Publication
from sop_server.storage.tables import PublishIntent

Done = TypeVar("Done")

_SECONDS_OF_A_LOCK = 10.0
"""A git that lives keeps a lock file for a moment; one that is older than this is worth a look under the lock."""


def reconcile(stores: Stores, *, now: datetime, thorough: bool = False) -> list[str]:
    """Bring library and database together again; returns what was mended, a sentence each.

    Safe at any time and in any number of processes: it works under the library lock and does nothing where
    nothing is left over. What is cheap to see is a reason to look; `thorough` looks in any case.
    """
    if not thorough and not _anything_left(stores):
        return []
    with stores.library.lock():
        mended = [f"Removed a lock file that a dead git left: {name}." for name in stores.library.remove_stale_locks()]
        garbage = stores.library.set_aside_garbage() if thorough else None
        if garbage is not None:
            mended.append(f"main held nothing that git can read; its file is kept in the library as {garbage}.")
        mended += _bring_together(stores, now=now, thorough=thorough)
        return mended + _carry_out_pending(stores, now=now)


def _anything_left(stores: Stores) -> bool:
    if stores.library.locks(older_than=_SECONDS_OF_A_LOCK):
        return True
    with stores.database.read() as session:
        return bool(drafts.intents(session, "pending")) or drafts.mark(session, drafts.MAIN) != stores.library.head()


def _bring_together(stores: Stores, *, now: datetime, thorough: bool) -> list[str]:
    """Hold `main` against what was recorded of it; the mark moves last, so that what fails is done again."""
    with stores.database.read() as session:
        since = drafts.mark(session, drafts.MAIN)
    if since == stores.library.head() and not thorough:
        return []
    mended = lost_revisions.bring_forward(stores, now=now)
    mended += _record_what_main_has(stores, since=since, now=now)
    told, again = _on_top(stores, lambda: lost_revisions.publish_again(stores, now=now), now=now)
    mended += told + again
    head = stores.library.head()
    if head is not None and head != since:
        with stores.database.write() as session:
            drafts.set_mark(session, drafts.MAIN, head)
    return mended


def _record_what_main_has(stores: Stores, *, since: str | None, now: datetime) -> list[str]:
    mended: list[str] = []
    found: list[tuple[int, Published]] = []
    again: dict[int, str] = {}
    lost = lost_revisions.lost(stores)
    # A mark that the library does not know is of a library that was replaced: all of this one is looked at.
    known = since if since is not None and stores.library.has(since) else None
    for publication in stores.library.publications(since=known):
        if _restores(stores, publication, now=now):
            continue
        published = _match(stores, publication, lost=lost)
        if isinstance(published, str):
            mended += _quarantine(stores, publication, reason=published, now=now)
        elif published[0] in lost:
            again[published[0]] = publication.oid
        else:
            found.append(published)
    mended += lost_revisions.find_again(stores, again, now=now)
    done = publishing.finish(stores, found, parent=since)
    return mended + [f"Recorded {one.sop_id} r{one.revision}, which was on main already." for one in done]


def _restores(stores: Stores, publication: Publication, *, now: datetime) -> bool:
    with stores.database.read() as session:
        if not approved_files.is_restoration(session, publication.oid):
            return False
    with stores.database.write() as session:
        approved_files.record_restoration(session, publication.oid, now=now)
    return True


def _match(stores: Stores, publication: Publication, *, lost: Collection[int]) -> tuple[int, Published] | str:
    """Return the intent that a commit carries out, or why none can be: trailers never authorise anything.

    `lost` are the intents whose own commits are not on `main` any more: another commit may carry them out.
    """
    intent_id = trailers.intent_id(publication.trailers)
    with stores.database.read() as session:
        intent = None if intent_id is None else drafts.intent(session, intent_id)
    if intent is None:
        return "no approval here names it"
    if intent.state == "void":
        return f"the approval that it names is void: {intent.void_reason}"
    if intent.state == "done" and intent.commit_oid != publication.oid and intent.id not in lost:
        return "the approval that it names was carried out by another commit"
    text = _text_of(stores, publication, intent)
    if text is None:
        return "it does not change what was approved, and that alone"
    return intent.id, Published(publication.oid, text)


def _text_of(stores: Stores, publication: Publication, intent: PublishIntent) -> str | None:
    """Return the approved text where the commit carries exactly that out."""
    if intent.state == "done" and not publication.changes:
        # Published again on top of the very same text: there was nothing left to change.
        held = stores.library.blob_at(publication.oid, intent.path)
        wanted = None if intent.kind == DraftKind.RETIRE else intent.blob_oid
        return normalise(stores.library.read(intent.blob_oid)) if held == wanted else None
    if len(publication.changes) != 1 or publication.changes[0].path != intent.path:
        return None
    blob_oid = publication.changes[0].blob_oid
    if (blob_oid is None) != (intent.kind == DraftKind.RETIRE):
        return None
    try:
        text = normalise(stores.library.read(blob_oid or intent.blob_oid))
    except InvalidInputError:
        return None
    return text if content_hash(text) == intent.content_hash else None


def _quarantine(stores: Stores, publication: Publication, *, reason: str, now: datetime) -> list[str]:
    with stores.database.write() as session:
        if not drafts.quarantine(session, publication.oid, reason=reason, now=now):
            return []
        audit.record(
            session,
            at=now,
            actor="system",
            action="commit.quarantined",
            subject=publication.oid,
            details={"reason": reason},
        )
    return [f"Commit {publication.oid[:12]} on main was set aside: {reason}. It is not served."]


def _carry_out_pending(stores: Stores, *, now: datetime) -> list[str]:
    mended: list[str] = []
    with stores.database.write() as session:
        standing: list[PublishIntent] = []
        for intent in drafts.intents(session, "pending"):
            reason = _why_void(session, stores, intent)
            if reason is None:
                standing.append(intent)
            else:
                _make_void(session, intent, reason=reason, now=now)
                mended.append(f"The intent to publish {intent.sop_id} r{intent.revision} was made void: {reason}.")
    # An undo may have the text of an earlier revision, so identical texts in a row are published all the same.
    told, done = _on_top(stores, lambda: publishing.publish(stores, standing) if standing else [], now=now)
    mended += told
    return mended + [f"Published {one.sop_id} r{one.revision}, which had been approved." for one in done]


def _on_top(stores: Stores, publish: Callable[[], list[Done]], *, now: datetime) -> tuple[list[str], list[Done]]:
    """Publish on top of `main`, whatever is there; returns what had to be mended for it, and what was published."""
    try:
        return [], publish()
    except InvalidInputError:
        # Somebody's commit has a file where a folder has to be, or the reverse: nothing goes on top of that.
        mended = approved_files.put_back(stores, now=now)
        if not mended:
            raise
        return mended, publish()


def _why_void(session: Session, stores: Stores, intent: PublishIntent) -> str | None:
    if not stores.library.has(intent.blob_oid):
        return "its text never reached the library"
    if intent.draft_id is None:
        return None
    draft = drafts.draft_row(session, intent.draft_id)
    if draft is None or draft.state != DraftState.APPROVED or draft.content_hash != intent.content_hash:
        return "its draft moved on"
    standing = {
        approval.id
        for approval in drafts.approvals(session, [draft.id]).get(draft.id, [])
        if approval.voided_at is None and approval.decision in PUBLISHES
    }
    wanted = drafts.decisions_of(intent)
    return None if standing.issuperset(wanted) else "an approval was voided"


def _make_void(session: Session, intent: PublishIntent, *, reason: str, now: datetime) -> None:
    intent.state = "void"
    intent.void_reason = reason
    draft = None if intent.draft_id is None else drafts.draft_row(session, intent.draft_id)
    if draft is not None and draft.state == DraftState.APPROVED:
        draft.state = DraftState.IN_REVIEW
        drafts.void_approvals(session, draft.id, now=now)
    audit.record(
        session,
        at=now,
        actor="system",
        action="intent.voided",
        subject=intent.sop_id,
        details={"intent": intent.id, "draft": _draft_name(intent), "reason": reason},
    )


def _draft_name(intent: PublishIntent) -> str | None:
    return None if intent.draft_id is None else identifiers.draft_id(intent.draft_id)
