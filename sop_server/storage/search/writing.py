"""Writing the index: segments aside, then the manifest. One process writes at a time, readers are never in its way."""

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sop_server.errors import BusyError
from sop_server.storage.search.documents import instant
from sop_server.storage.search.manifest import Manifest, SegmentEntry, write
from sop_server.storage.search.protocol import IndexUnavailableError, SearchDocument
from sop_server.storage.search.segment import SCRATCH, SegmentWriter
from sop_server.storage.search.snapshot import Snapshot

SEGMENT_SIZE = 4000
"""Documents of a segment: bounds the memory of a build at some 200 MB."""
_FULL = SEGMENT_SIZE // 2
"""A segment of so many documents is left alone, unless most of them are deleted."""
_FAN = 8
"""So many segments of one order of size are merged, so that a document is rewritten about log8(n) times."""
_PREFIX = "segments-"
_POLL_SECONDS = 0.02


@contextmanager
def write_lock(root: Path, *, timeout: float) -> Iterator[None]:
    """Hold the index's lock among all threads and processes. Raises `BusyError` after `timeout` seconds."""
    try:
        prepare(root)
        descriptor = os.open(root / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise IndexUnavailableError(
            f"The folder of the search index cannot be written ({exc.strerror}). Nothing was changed."
        ) from exc
    try:
        give_up = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() >= give_up:
                    raise BusyError(
                        "The search index is being written by another process. Nothing was changed; try again shortly."
                    ) from exc
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def prepare(root: Path) -> None:
    """Make the index's folder, for its owner alone: what is read from it is unpickled."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)


class _Sorter:
    """Writes documents into segments, those superseded by now apart: searching what is in force passes them by."""

    def __init__(self, directory: Path, now: datetime) -> None:
        self._directory = directory
        self._now = instant(now)
        self._writers: dict[bool, SegmentWriter] = {}
        self.entries: list[SegmentEntry] = []

    def add(self, document: SearchDocument) -> None:
        past = instant(document.served_until) <= self._now
        writer = self._writers.get(past)
        if writer is None:
            writer = self._writers[past] = SegmentWriter(self._directory)
        writer.add(document)
        if writer.documents == SEGMENT_SIZE:
            self.entries.append(self._writers.pop(past).finish(past=past))

    def finish(self) -> tuple[SegmentEntry, ...]:
        while self._writers:
            past, writer = self._writers.popitem()
            self.entries.append(writer.finish(past=past))
        return tuple(self.entries)

    def discard(self) -> None:
        for writer in self._writers.values():
            writer.discard()


@contextmanager
def _sorter(directory: Path, now: datetime) -> Iterator[_Sorter]:
    """Lend a sorter; whatever ends its work early, its files are closed. What the system refuses is told."""
    sorter = _Sorter(directory, now)
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        yield sorter
    except OSError as exc:
        raise IndexUnavailableError(
            f"The search index could not be written ({exc.strerror}). It is as it was before."
        ) from exc
    finally:
        sorter.discard()
        shutil.rmtree(directory / SCRATCH, ignore_errors=True)


def rebuild(root: Path, documents: Iterable[SearchDocument], *, stamp: str, now: datetime) -> None:
    """Write all documents into a new directory and swap the manifest. The caller holds the lock."""
    directory = root / f"{_PREFIX}{uuid.uuid4().hex}"
    try:
        with _sorter(directory, now) as sorter:
            for document in documents:
                sorter.add(document)
            write(root, Manifest(directory.name, stamp, sorter.finish()))
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    _sweep(root, directory.name, frozenset())


def update(
    root: Path,
    snapshot: Snapshot,
    documents: Sequence[SearchDocument],
    removed: Sequence[str],
    *,
    stamp: str | None,
    now: datetime,
) -> None:
    """Delete the documents of these SOPs, add the new ones, merge small segments. The caller holds the lock."""
    gone = {document.sop_id for document in documents} | set(removed)
    before = snapshot.manifest
    entries = [
        replace(entry, deleted=entry.deleted | _numbers(opened.segment.table.numbers, gone))
        for entry, opened in zip(before.segments, snapshot.segments, strict=True)
    ]
    merged = _to_merge(entries)
    directory = root / before.directory
    with _sorter(directory, now) as sorter:
        for document in documents:
            sorter.add(document)
        for entry, opened in zip(entries, snapshot.segments, strict=True):
            if entry.name in merged:
                for number in sorted(set(range(entry.documents)) - entry.deleted):
                    sorter.add(opened.segment.document(number))
        kept = tuple(entry for entry in entries if entry.live and entry.name not in merged)
        after = Manifest(before.directory, before.stamp if stamp is None else stamp, kept + sorter.finish())
        write(root, after)
    _sweep(root, after.directory, frozenset(file.name for entry in after.segments for file in entry.files))


def _numbers(numbers: dict[str, list[int]], sop_ids: Iterable[str]) -> frozenset[int]:
    return frozenset(number for sop_id in sop_ids for number in numbers.get(sop_id, ()))


def _to_merge(entries: Iterable[SegmentEntry]) -> frozenset[str]:
    """Choose the segments to rewrite: many of one order of size, and those that are mostly deleted."""
    tiers: dict[tuple[bool, int], list[str]] = {}
    chosen: set[str] = set()
    for entry in entries:
        if not entry.live:
            continue
        if entry.live * 2 < entry.documents:
            chosen.add(entry.name)
        elif entry.live < _FULL:
            order = next(power for power in range(1, 64) if entry.live < _FAN**power)
            tiers.setdefault((entry.past, order), []).append(entry.name)
    for names in tiers.values():
        if len(names) >= _FAN:
            chosen.update(names)
    return frozenset(chosen)


def _sweep(root: Path, directory: str, keep: frozenset[str]) -> None:
    """Remove what no manifest names any more: older directories, and with `keep` other files of the current one.

    Readers that have them open go on reading them, and look for a newer manifest when they come too late.
    """
    for path in root.glob(f"{_PREFIX}*"):
        if path.name != directory:
            shutil.rmtree(path, ignore_errors=True)
    if keep:
        for path in (root / directory).iterdir():
            if path.name not in keep and path.is_file():
                path.unlink(missing_ok=True)


Clock = Callable[[], datetime]
"""What says the time at which revisions are sorted into superseded and others; answers never depend on it."""
