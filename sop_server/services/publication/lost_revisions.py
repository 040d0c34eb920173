"""Published revisions that `main` does not lead to any more, since somebody set it back or forced another line on it.

What was acknowledged is never lost: `main` is moved forward again where that is all it takes, and what another line
left out is published again on top of it.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from sop_server.errors import DamagedError
from sop_server.services.publication import approved_files, projecting, publishing
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import PublishIntent

_MOST_NAMED = 5


def lost(stores: Stores) -> frozenset[int]:
    """Return the done intents, by id, whose commits are not on `main`."""
    head = stores.library.head()
    try:
        line = frozenset() if head is None else stores.library.ancestry(head)
    except DamagedError:
        # Of a history that cannot be read nobody knows what it leads to; `check` says what is damaged.
        return frozenset()
    with stores.database.read() as session:
        return frozenset(number for number, oid in drafts.done_commits(session).items() if oid not in line)


def names(intents: Collection[PublishIntent]) -> str:
    """Name revisions for a person, the first few of them."""
    named = [f"{intent.sop_id} r{intent.revision}" for intent in intents]
    more = len(named) - _MOST_NAMED
    return ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def bring_forward(stores: Stores, *, now: datetime) -> list[str]:
    """Move `main` forward again where it was set back and nothing else was put on it; returns what was mended."""
    gone = _intents(stores, lost(stores))
    if not gone:
        return []
    head = stores.library.head()
    wanted = {intent.commit_oid for intent in gone if intent.commit_oid is not None}
    if head is not None:
        wanted.add(head)
    for tip in _tips(stores, gone):
        if wanted <= stores.library.ancestry(tip):
            stores.library.advance(publishing.MAIN_REF, tip, head)
            with stores.database.write() as session:
                _record(session, "main.brought_forward", gone, now=now, details={"from": head, "to": tip})
            return [f"main had been set back; it was moved forward again to {tip[:12]}, which has {names(gone)}."]
    return []


def find_again(stores: Stores, commits: Mapping[int, str], *, now: datetime) -> list[str]:
    """Record that other commits of `main` carry lost intents out, by id: its line was written anew."""
    if not commits:
        return []
    found = _intents(stores, commits)
    with stores.database.write() as session:
        _move(session, commits)
        _record(session, "main.revisions_found", found, now=now, details={})
    return [f"main was written anew: {names(found)} stands on other commits of it now."]


def publish_again(stores: Stores, *, now: datetime) -> list[str]:
    """Publish what `main` leads to no more on top of it: the same texts, under the same approvals.

    A text that the library does not hold any more stays lost, which `check` tells. Killed in between, the commits are
    found again by their trailers and their texts.
    """
    gone = [intent for intent in _intents(stores, lost(stores)) if stores.library.has(intent.blob_oid)]
    if not gone:
        return []
    texts = projecting.texts(stores.library, gone)
    reference = f"refs/intents/{gone[0].id}"
    head = stores.library.head()
    written = stores.library.write(reference, head, [publishing.commit_of(one, texts[one.id]) for one in gone])
    stores.library.advance(publishing.MAIN_REF, written[-1].oid, head)
    commits = {intent.id: commit.oid for intent, commit in zip(gone, written, strict=True)}
    with stores.database.write() as session:
        _move(session, commits)
        _record(session, "main.published_again", gone, now=now, details={"from": head, "to": written[-1].oid})
    publishing.let_go(stores, reference)
    told = [f"main had been replaced by another line; {names(gone)} was published on it again."]
    return told + _uncover(stores, {intent.path for intent in gone}, now=now)


def _uncover(stores: Stores, paths: Collection[str], *, now: datetime) -> list[str]:
    """Put the newest texts back where an older one was published again on top of them."""
    head = stores.library.head()
    with stores.database.read() as session:
        wanted = approved_files.approved_files(session)
    if head is None or all(stores.library.blob_at(head, path) == wanted.get(path) for path in paths):
        return []
    return approved_files.put_back(stores, now=now)


def _tips(stores: Stores, gone: Collection[PublishIntent]) -> Iterator[str]:
    """Yield the commits that `main` may have stood at: that of the last intent, and the last one that was looked at."""
    with stores.database.read() as session:
        looked_at = drafts.mark(session, drafts.MAIN)
    for oid in ([intent.commit_oid for intent in gone][-1], looked_at):
        if oid is not None and stores.library.has(oid):
            yield oid


def _intents(stores: Stores, ids: Collection[int]) -> list[PublishIntent]:
    with stores.database.read() as session:
        return drafts.intents_in_order(session, ids)


def _move(session: Session, commits: Mapping[int, str]) -> None:
    for intent in drafts.intents_in_order(session, commits):
        intent.commit_oid = commits[intent.id]
        row = sops.revision_row(session, intent.sop_id, intent.revision)
        if row is not None:
            row.commit_oid = commits[intent.id]


def _record(
    session: Session,
    action: str,
    intents: Collection[PublishIntent],
    *,
    now: datetime,
    details: Mapping[str, str | None],
) -> None:
    audit.record(
        session,
        at=now,
        actor="system",
        action=action,
        subject="main",
        details={**details, "revisions": [f"{intent.sop_id} r{intent.revision}" for intent in intents]},
    )
