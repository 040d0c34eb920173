"""Keeping the search index up to the projection: after the answer, from the outbox, never inside a request."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sop_server.domain import front_matter, revisions
from sop_server.domain.content import normalise
from sop_server.errors import BusyError, DamagedError
from sop_server.rendering.links import Link
from sop_server.rendering.markdown import render
from sop_server.services.stores import Stores
from sop_server.storage import drafts, outbox, sops
from sop_server.storage.database import Session
from sop_server.storage.search.protocol import IndexUnavailableError, SearchDocument
from sop_server.storage.tables import Revision

_BATCH = 200


def index_due(stores: Stores, *, now: datetime) -> int:
    """Bring the index up to what was published; returns how many SOPs were indexed.

    A lost or damaged index is built anew. Another process that indexes meanwhile does it for us.
    """
    try:
        if not stores.search.ready() or _is_of_another_state(stores):
            return rebuild_index(stores)
        return _index_batch(stores, now=now)
    except BusyError:
        return 0
    except IndexUnavailableError:
        return rebuild_index(stores)


def rebuild_index(stores: Stores) -> int:
    """Build the index anew beside the old one and swap; returns how many SOPs it holds."""
    with stores.database.read() as session:
        ids = sops.published_ids(session)
        stamp = _stamp(session)
        stores.search.rebuild(_documents(stores, session, ids), stamp=stamp)
    return len(ids)


def _index_batch(stores: Stores, *, now: datetime) -> int:
    with stores.database.read() as session:
        items = outbox.due(session, now=now, kind="index", limit=_BATCH)
        if not items:
            return 0
        ids = sorted({str(item.payload["sop_id"]) for item in items})
        documents = list(_documents(stores, session, ids))
        stamp = _stamp(session)
    found = {document.sop_id for document in documents}
    stores.search.update(documents, [sop_id for sop_id in ids if sop_id not in found], stamp=stamp)
    with stores.database.write() as session:
        outbox.mark_done(session, [item.id for item in items], now=now)
    return len(ids)


def _documents(stores: Stores, session: Session, ids: Sequence[str]) -> Iterator[SearchDocument]:
    for start in range(0, len(ids), _BATCH):
        for rows in sops.histories(session, ids[start : start + _BATCH]).values():
            yield from _served(stores, rows)


def _served(stores: Stores, rows: Sequence[Revision]) -> Iterator[SearchDocument]:
    for span in revisions.served_spans(rows):
        row = span.revision
        if row.kind == revisions.RevisionKind.RETIRE:
            continue
        try:
            text = normalise(stores.library.read(row.blob_oid))
        except DamagedError:
            # `check` tells a text that is lost; the others are to be found all the same.
            continue
        parsed = front_matter.parse(text)
        rendered = render(parsed.body, resolve=_nowhere)
        yield SearchDocument(
            sop_id=row.sop_id,
            revision=row.number,
            title=row.title,
            headings=rendered.headings_text,
            body=rendered.text,
            tags=tuple(row.tags),
            systems=tuple(row.systems),
            processes=tuple(row.processes),
            department=row.department,
            owner=row.owner,
            served_from=span.since,
            served_until=span.until,
        )


def _stamp(session: Session) -> str:
    return drafts.mark(session, drafts.MAIN) or "empty"


def _nowhere(_target: str) -> Link | None:
    return None


def _is_of_another_state(stores: Stores) -> bool:
    """Whether the index is of a state that nothing in the outbox leads on from, as after a restored backup."""
    with stores.database.read() as session:
        return not outbox.open_count(session) and stores.search.stamp() != _stamp(session)


def behind(stores: Stores) -> str | None:
    """Say in a sentence how the index lags; None where it holds what is published."""
    with stores.database.read() as session:
        wanted, waiting = _stamp(session), outbox.open_count(session)
    held = stores.search.stamp()
    if held is None:
        return "The search index is missing or damaged; it builds itself anew while the server runs."
    if held != wanted and not waiting:
        return "The search index is not the one of the library's newest state; run `sop-server reindex`."
    return None
