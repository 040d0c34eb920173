"""The Whoosh index of the library, shared by threads and processes."""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sop_server.storage.search import writing
from sop_server.storage.search.answering import answer
from sop_server.storage.search.protocol import (
    IndexUnavailableError,
    SearchDocument,
    SearchRequest,
    SearchResult,
)
from sop_server.storage.search.snapshot import Snapshot, current_mark, open_snapshot

WRITE_TIMEOUT = 10.0
"""Seconds for which a writer waits for another before it gives up; the outbox tries again."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WhooshEngine:
    """A `SearchEngine` over an index in a folder of its own; answers are those of the newest manifest in that folder.

    A search leases the snapshot that is open. When the manifest has changed, the first thread to notice opens the new
    one while the others go on with the old; its files are closed when the last search in it has ended.
    """

    def __init__(self, root: Path, *, timeout: float = WRITE_TIMEOUT, clock: writing.Clock = _utc_now) -> None:
        self._root = root
        self._timeout = timeout
        self._clock = clock
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._state = threading.Lock()
        self._renewing = threading.Lock()
        self._open: Snapshot | None = None
        self._uses: dict[int, int] = {}

    def search(self, request: SearchRequest) -> SearchResult:
        """Find SOPs. No text raises; `IndexUnavailableError` when there is no index to ask."""
        with self._lease() as snapshot:
            return answer(snapshot, request)

    def update(self, documents: Sequence[SearchDocument], removed: Sequence[str], *, stamp: str | None = None) -> None:
        """Replace everything known of the SOPs of `documents`, forget `removed`."""
        with writing.write_lock(self._root, timeout=self._timeout), self._lease(newest=True) as snapshot:
            writing.update(self._root, snapshot, documents, removed, stamp=stamp, now=self._clock())
        self.warm()

    def rebuild(self, documents: Iterable[SearchDocument], *, stamp: str) -> None:
        """Index everything anew aside, then swap."""
        with writing.write_lock(self._root, timeout=self._timeout):
            writing.rebuild(self._root, documents, stamp=stamp, now=self._clock())
        self.warm()

    def stamp(self) -> str | None:
        """Name the state of the library that the index holds; `None` without a usable index."""
        try:
            with self._lease(newest=True) as snapshot:
                return snapshot.manifest.stamp
        except IndexUnavailableError:
            return None

    def ready(self) -> bool:
        """Say whether a search would be answered now."""
        try:
            self.warm()
        except IndexUnavailableError:
            return False
        return True

    def warm(self) -> None:
        """Open what the first search needs. Raises `IndexUnavailableError`."""
        with self._lease(newest=True):
            pass

    def close(self) -> None:
        """Let go of files and memory. A later search opens them again."""
        if self._process != os.getpid():
            self._start()
            return
        with self._renewing, self._state:
            self._replace(None)

    @contextmanager
    def _lease(self, *, newest: bool = False) -> Iterator[Snapshot]:
        """Lend the open snapshot for one search. `newest`: wait while another thread opens a newer one."""
        if self._process != os.getpid():
            # Files that were opened before a fork share their position with the parent.
            self._start()
        self._renew(wait=newest)
        while True:
            with self._state:
                snapshot = self._open
                if snapshot is not None:
                    snapshot.leases += 1
                    break
            self._renew(wait=True)
        try:
            yield snapshot
        finally:
            with self._state:
                snapshot.leases -= 1
                self._let_go(snapshot)

    def _renew(self, *, wait: bool) -> None:
        """Open what is on disk now, where it isn't what is open."""
        opened = self._open
        if opened is not None and current_mark(self._root) == opened.mark and opened.is_intact():
            return
        if not self._renewing.acquire(blocking=wait or opened is None):
            return
        try:
            opened = self._open
            if opened is not None and current_mark(self._root) == opened.mark and opened.is_intact():
                return
            newer = open_snapshot(self._root, opened)
            with self._state:
                self._replace(newer)
        except IndexUnavailableError:
            with self._state:
                self._replace(None)
            raise
        finally:
            self._renewing.release()

    def _replace(self, newer: Snapshot | None) -> None:
        """Put another snapshot in place. The caller holds the state lock."""
        older, self._open = self._open, newer
        if newer is not None:
            for each in newer.segments:
                self._uses[id(each.segment)] = self._uses.get(id(each.segment), 0) + 1
        if older is not None:
            older.is_retired = True
            self._let_go(older)

    def _let_go(self, snapshot: Snapshot) -> None:
        """Close the segments that only a retired, idle snapshot still had. The caller holds the state lock."""
        if not snapshot.is_retired or snapshot.leases:
            return
        for each in snapshot.segments:
            left = self._uses[id(each.segment)] - 1
            if left:
                self._uses[id(each.segment)] = left
            else:
                del self._uses[id(each.segment)]
                each.segment.close()
