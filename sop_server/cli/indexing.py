"""Bringing the search index up at the end of a command that publishes much."""

from sop_server.cli.progress import Advance
from sop_server.services.background import run_due
from sop_server.services.indexing import index_due, rebuild_index
from sop_server.services.stores import Stores

_QUICKER_ANEW = 1000


def bring_index_up(stores: Stores, *, published: int, advance: Advance) -> None:
    """Index what was published; after very much the index is built anew, which is quicker."""
    run_due(stores, now=stores.clock())
    if published >= _QUICKER_ANEW:
        advance("Building the search index", 0, None)
        rebuild_index(stores)
    done = 0
    while indexed := index_due(stores, now=stores.clock()):
        done += indexed
        advance("Indexing", min(done, published), published)
