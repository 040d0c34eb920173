"""The table of contents of the index: which segments it has, what was deleted from them, and every file's checksum.

It is one small file that is replaced atomically, last: what it does not name does not exist for a reader, and what it
names is checked before a byte of it is interpreted (Whoosh unpickles what it reads).
"""

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from sop_server.storage.search.protocol import IndexUnavailableError

FORMAT = "whoosh-reloaded 2.7 / 1"
"""Changes whenever an older index would be read wrongly (another analysis, another field): it is rebuilt then."""
NAME = "MANIFEST"
_BLOCK = 1 << 20

Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a segment: its length in bytes and its CRC-32."""

    name: str
    size: int
    checksum: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """An immutable segment of `documents` documents; `deleted` are the numbers of those that are gone.

    `past` segments hold revisions that were superseded already when they were indexed.
    """

    name: str
    past: bool
    documents: int
    deleted: frozenset[int]
    files: tuple[FileEntry, ...]

    @property
    def live(self) -> int:
        """How many documents are left."""
        return self.documents - len(self.deleted)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A state of the index: the directory its segments are in, and the state of the library it stands for."""

    directory: str
    stamp: str | None
    segments: tuple[SegmentEntry, ...]


def signature(path: Path) -> Signature:
    """Tell one content of a path from another without reading it. Raises `OSError`."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def checksum(path: Path) -> FileEntry:
    """Measure a file."""
    size = code = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            code = zlib.crc32(block, code)
    return FileEntry(path.name, size, code)


def write(root: Path, manifest: Manifest) -> None:
    """Replace the manifest of an index, atomically."""
    body = json.dumps(
        {
            "format": FORMAT,
            "directory": manifest.directory,
            "stamp": manifest.stamp,
            "segments": [
                [
                    entry.name,
                    entry.past,
                    entry.documents,
                    sorted(entry.deleted),
                    [[file.name, file.size, file.checksum] for file in entry.files],
                ]
                for entry in manifest.segments
            ],
        }
    ).encode()
    aside = root / f"{NAME}.new"
    with aside.open("wb") as file:
        file.write(b"%08x\n" % zlib.crc32(body) + body)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(root / NAME)


def read(root: Path) -> Manifest:
    """Read the manifest of an index. Raises `IndexUnavailableError`."""
    try:
        code, _, body = (root / NAME).read_bytes().partition(b"\n")
    except FileNotFoundError as exc:
        raise IndexUnavailableError("There is no search index yet: rebuild it with `reindex`.") from exc
    except OSError as exc:
        raise IndexUnavailableError(f"The search index cannot be read ({exc.strerror}).") from exc
    if code != b"%08x" % zlib.crc32(body):
        raise IndexUnavailableError("The search index is damaged: rebuild it with `reindex`.")
    content = json.loads(body)
    if content["format"] != FORMAT:
        raise IndexUnavailableError("The search index is of another version: rebuild it with `reindex`.")
    return Manifest(
        content["directory"],
        content["stamp"],
        tuple(
            SegmentEntry(name, past, documents, frozenset(deleted), tuple(FileEntry(*file) for file in files))
            for name, past, documents, deleted, files in content["segments"]
        ),
    )
