"""Bringing the search index up at the end of work that publishes much, such as an import."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sop_server.services.background import run_due
from sop_server.services.library.indexing import index_due, rebuild_index
from sop_server.services.stores import Stores
from sop_server.storage import outbox

# Beyond this an index built anew is done before one that is brought up step by step.
_QUICKER_ANEW = 500
_CHUNK = 500
_ALL = 10_000_000


def catch_up(stores: Stores, *, now: datetime, watch: Callable[[str, int, int | None], None]) -> int:
    """Do what is due and index what is not indexed yet; returns how many SOPs waited. `watch` is told how far it is."""
    waiting = _waiting(stores, now)
    if len(waiting) > _QUICKER_ANEW:
        watch("Building the search index", 0, None)
        # What was asked for before the index is built is in it.
        rebuild_index(stores)
        _done(stores, waiting, now)
    run_due(stores, now=now)
    done = 0
    while indexed := index_due(stores, now=now):
        done += indexed
        watch("Indexing", min(done, len(waiting)), len(waiting))
    return len(waiting)


def _waiting(stores: Stores, now: datetime) -> Sequence[int]:
    with stores.database.read() as session:
        return [item.id for item in outbox.due(session, now=now, kind="index", limit=_ALL)]


def _done(stores: Stores, items: Sequence[int], now: datetime) -> None:
    with stores.database.write() as session:
        for start in range(0, len(items), _CHUNK):
            outbox.mark_done(session, items[start : start + _CHUNK], now=now)
