"""The files that `main` has to have: the newest approved text of each SOP, and nothing else.

Where somebody wrote to it past the server, an administrator has the approved texts put back on top by one commit of the
system. It publishes nothing: the database names it before `main` moves to it, as it names an intent.
"""

from datetime import datetime

from sop_server.domain import trailers
from sop_server.domain.drafts import DraftKind
from sop_server.services.publication.publishing import MAIN_REF, let_go
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts
from sop_server.storage.database import Session
from sop_server.storage.git.fast_import import SYSTEM
from sop_server.storage.git.library import NewCommit
from sop_server.storage.tables import PublishIntent

_REFERENCE = "refs/intents/restoration"
_WRITTEN, _RECORDED = "written", "recorded"
_MOST_NAMED = 5


def approved_files(session: Session) -> dict[str, str]:
    """Return by path the id of the text that `main` has to have there."""
    newest: dict[str, PublishIntent] = {}
    for intent in drafts.done_intents(session):
        if intent.sop_id not in newest or newest[intent.sop_id].revision < intent.revision:
            newest[intent.sop_id] = intent
    return {one.path: one.blob_oid for one in newest.values() if one.kind != DraftKind.RETIRE}


def put_back(stores: Stores, *, now: datetime) -> list[str]:
    """Have `main` be what was approved, by one commit on top of whatever is there; returns what was mended.

    The caller holds the library lock and has recorded what `main` has. Where the library lost a text nothing is done.
    """
    head = stores.library.head()
    with stores.database.read() as session:
        wanted = approved_files(session)
    if head is None or not all(stores.library.has(oid) for oid in wanted.values()):
        return []
    held = stores.library.tree(head)
    if held == wanted:
        return []
    paths = sorted(path for path in held.keys() | wanted.keys() if held.get(path) != wanted.get(path))
    commit = NewCommit(trailers.restoration(len(paths)), SYSTEM, now, now, changes=())
    oid = stores.library.write_snapshot(_REFERENCE, head, commit, wanted)
    with stores.database.write() as session:
        drafts.set_mark(session, _mark(oid), _WRITTEN)
    stores.library.advance(MAIN_REF, oid, head)
    with stores.database.write() as session:
        record_restoration(session, oid, now=now)
        if drafts.mark(session, drafts.MAIN) == head:
            drafts.set_mark(session, drafts.MAIN, oid)
    let_go(stores, _REFERENCE)
    named = ", ".join(paths[:_MOST_NAMED]) + (f" and {len(paths) - _MOST_NAMED} more" if paths[_MOST_NAMED:] else "")
    return [f"main had what nobody approved at {named}; commit {oid[:12]} put back on it what was approved."]


def is_restoration(session: Session, commit_oid: str) -> bool:
    """Tell whether a commit is one of the system that put approved texts back: the database named it before."""
    return drafts.mark(session, _mark(commit_oid)) is not None


def record_restoration(session: Session, commit_oid: str, *, now: datetime) -> None:
    """Record that `main` was moved to a commit that put approved texts back; once, however often it is asked."""
    if drafts.mark(session, _mark(commit_oid)) != _RECORDED:
        drafts.set_mark(session, _mark(commit_oid), _RECORDED)
        audit.record(
            session, at=now, actor="system", action="main.restored", subject="main", details={"to": commit_oid}
        )


def _mark(commit_oid: str) -> str:
    return f"restoration:{commit_oid}"
