"""One state of the index, open: its segments and what was deleted from them. A newer one takes its place."""

from dataclasses import dataclass, field
from pathlib import Path

from sop_server.storage.search.manifest import NAME, Manifest, Signature, read, signature
from sop_server.storage.search.protocol import IndexUnavailableError
from sop_server.storage.search.segment import Segment

_ATTEMPTS = 5


@dataclass(slots=True)
class OpenSegment:
    """A segment as one snapshot sees it. `served` remembers who is in force between two boundaries of the table."""

    segment: Segment
    deleted: frozenset[int]
    past: bool
    _served: dict[frozenset[int], frozenset[int]] = field(default_factory=dict)

    def served_at(self, at: int) -> frozenset[int]:
        """Give the documents in force at an instant that are not deleted."""
        served = self.segment.table.served_at(at)
        if not self.deleted or not served:
            return served
        live = self._served.get(served)
        if live is None:
            self._served.clear()
            live = self._served[served] = served - self.deleted
        return live


class Snapshot:
    """The open segments of a manifest. Whoever uses it holds a lease; the last to let go of a segment closes it."""

    def __init__(self, manifest: Manifest, mark: Signature, segments: tuple[OpenSegment, ...]) -> None:
        self.manifest = manifest
        self.mark = mark
        self.segments = segments
        self.leases = 0
        self.is_retired = False

    def served_at(self, at: int) -> list[tuple[Segment, frozenset[int]]]:
        """Give the segments that have documents in force at an instant, with their numbers."""
        served = ((each.segment, each.served_at(at)) for each in self.segments)
        return [(segment, numbers) for segment, numbers in served if numbers]

    def is_intact(self) -> bool:
        """Say whether the files on disk are those that were opened."""
        return all(each.segment.is_intact() for each in self.segments)


def current_mark(root: Path) -> Signature:
    """Tell which manifest is in place, for the price of one `stat`. Raises `IndexUnavailableError`."""
    try:
        return signature(root / NAME)
    except FileNotFoundError as exc:
        raise IndexUnavailableError("There is no search index yet: rebuild it with `reindex`.") from exc
    except OSError as exc:
        raise IndexUnavailableError(f"The search index cannot be read ({exc.strerror}).") from exc


def open_snapshot(root: Path, previous: Snapshot | None) -> Snapshot:
    """Open what the manifest names, with the segments of `previous` that it still names.

    A writer may remove files between our reading the manifest and our opening them; there is a newer manifest then,
    and that one is opened. Raises `IndexUnavailableError`.
    """
    attempt = 0
    while True:
        attempt += 1
        mark = current_mark(root)
        manifest = read(root)
        try:
            return Snapshot(manifest, mark, _open_segments(root, manifest, previous))
        except IndexUnavailableError:
            if attempt == _ATTEMPTS or current_mark(root) == mark:
                raise


def _open_segments(root: Path, manifest: Manifest, previous: Snapshot | None) -> tuple[OpenSegment, ...]:
    known: dict[str, Segment] = {}
    if previous is not None and previous.manifest.directory == manifest.directory:
        known = {each.segment.name: each.segment for each in previous.segments if each.segment.is_intact()}
    opened: list[Segment] = []
    result: list[OpenSegment] = []
    try:
        for entry in manifest.segments:
            segment = known.get(entry.name)
            if segment is None:
                segment = Segment(root / manifest.directory, entry)
                opened.append(segment)
            result.append(OpenSegment(segment, entry.deleted, entry.past))
    except IndexUnavailableError:
        for segment in opened:
            segment.close()
        raise
    return tuple(result)
