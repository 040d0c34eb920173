"""What a killed git leaves in the library: lock files, which stop the next writer, and half-written objects."""

import math
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_LOCKS = (
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    # git makes this one with O_EXCL under packed-refs.lock: left over, it stops every later packing of refs.
    "packed-refs.new",
)
# These stop no writer. The first two are of a `git gc` that an administrator runs, the others of our own maintenance.
_HARMLESS_LOCKS = (
    "gc.pid",
    "objects/maintenance.lock",
    "objects/info/commit-graph.lock",
    "objects/info/commit-graphs/commit-graph-chain.lock",
)
_OBJECT_ID = re.compile(rb"[0-9a-f]{40}\s*|ref: \S+\s*")


def locks(path: Path, *, older_than: float = -math.inf) -> list[str]:
    """Return the names of the lock files that stop a writer, if they were made so many seconds ago.

    They may be of living writers too. Names in folders are all that is read, so that it can be asked every few
    seconds: 10 ms for 10,000 loose references.
    """
    return [found.relative_to(path).as_posix() for found in _locks(path) if _age(found) >= older_than]


def remove_locks(path: Path) -> list[str]:
    """Remove the lock files that stop a writer; returns the names of those that were.

    Only for the holder of the library lock, which proves that no writer lives.
    """
    return _remove(path, _locks(path))


def remove_left_overs(path: Path) -> list[str]:
    """Remove all lock files and half-written objects; returns the names of those that were.

    Only for the holder of the library lock, which proves that no writer lives.
    """
    return _remove(path, [*_locks(path), *_harmless(path)])


def set_aside_garbage(path: Path, ref: str) -> str | None:
    """Move a loose reference that holds no object id out of git's way; returns the name that its file has now.

    A power failure leaves such files, empty or full of zeros. One that is whole stays, whatever it names, and what
    packed references say of the same name counts again. Only for the holder of the library lock.
    """
    loose = path / ref
    if not loose.is_file() or _OBJECT_ID.fullmatch(loose.read_bytes()) is not None:
        return None
    kept = path / f"damaged-{ref.replace('/', '-')}-{time.time_ns()}"
    loose.rename(kept)
    return kept.name


def _locks(path: Path) -> list[Path]:
    found = [path / name for name in _LOCKS if (path / name).is_file()]
    for folder, _, names in os.walk(path / "refs"):
        found += [Path(folder) / name for name in names if name.endswith(".lock")]
    return found


def _age(lock: Path) -> float:
    try:
        return time.time() - lock.stat().st_mtime
    except FileNotFoundError:
        return math.nan  # its writer was quicker than we are


def _harmless(path: Path) -> Iterator[Path]:
    yield from (path / name for name in _HARMLESS_LOCKS if (path / name).is_file())
    objects = path / "objects"
    yield from objects.glob("pack/tmp_*")
    yield from objects.glob("[0-9a-f][0-9a-f]/tmp_obj_*")
    yield from (keep for keep in objects.glob("pack/*.keep") if keep.read_bytes().strip() == b"fast-import")
    yield from path.glob("fast_import_crash_*")


def _remove(path: Path, found: Iterable[Path]) -> list[str]:
    removed: list[str] = []
    for left in found:
        try:
            left.unlink(missing_ok=True)
        except OSError:
            # Not ours to remove, on a disk that takes no change: whoever writes next is told what is in the way.
            continue
        removed.append(left.relative_to(path).as_posix())
    return sorted(removed)
