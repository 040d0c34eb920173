"""What a killed git leaves in the library: lock files, which stop the next writer, and half-written objects."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_LOCKS = (
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    # git makes this one with O_EXCL under packed-refs.lock: left over, it stops every later packing of refs.
    "packed-refs.new",
    "gc.pid",
    "objects/maintenance.lock",
    "objects/info/commit-graph.lock",
    "objects/info/commit-graphs/commit-graph-chain.lock",
)


def locks(path: Path) -> list[str]:
    """Return the names of the lock files that are there, of dead writers and of living ones.

    Names of folders are all that is read, so that it can be asked every few seconds: 10 ms for 10,000 loose references.
    """
    return [found.relative_to(path).as_posix() for found in _locks(path)]


def remove_locks(path: Path) -> list[str]:
    """Remove the lock files; returns the names of those that were.

    Only for the holder of the library lock, which proves that no writer lives.
    """
    return _remove(path, _locks(path))


def remove_left_overs(path: Path) -> list[str]:
    """Remove the lock files and half-written objects; returns the names of those that were.

    Only for the holder of the library lock, which proves that no writer lives.
    """
    return _remove(path, [*_locks(path), *_half_written(path)])


def _locks(path: Path) -> list[Path]:
    found = [path / name for name in _LOCKS if (path / name).is_file()]
    for folder, _, names in os.walk(path / "refs"):
        found += [Path(folder) / name for name in names if name.endswith(".lock")]
    return found


def _half_written(path: Path) -> Iterator[Path]:
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
