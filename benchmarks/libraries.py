"""The synthetic libraries: made once for each size into a cache, and copied for each run, which may change them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.making import EDITION, cast_of, make_library, settings_of
from sop_server.domain.permissions import Actor
from sop_server.home import close_stores, create_home
from sop_server.services.stores import Stores
from sop_server.settings import Settings

_SMALLEST_MEASURED = 500


@dataclass(frozen=True, slots=True)
class Library:
    """An open library of `sops` SOPs that a run may change; its files are in `files`, its people by name in `cast`."""

    sops: int
    files: Path
    settings: Settings
    stores: Stores
    cast: dict[str, Actor]

    def samples(self, most: int) -> int:
        """Return how often to measure: `most` times, twice where a library this small only tries the benchmark out."""
        return most if self.sops >= _SMALLEST_MEASURED else 2


@contextmanager
def opened(cache: Path, *, sops: int) -> Iterator[Library]:
    """Open a copy of the library of this size, which is made first where the cache holds none."""
    made = cached(cache, sops=sops)
    with TemporaryDirectory(prefix="run-", dir=cache) as folder:
        home = Path(folder) / "home"
        shutil.copytree(made / "home", home)
        settings = settings_of(home)
        # As `init` does after an upgrade: a cached library may have been made by an earlier version.
        stores = create_home(settings)
        try:
            yield Library(sops, made / "files", settings, stores, cast_of(stores))
        finally:
            close_stores(stores)


def cached(cache: Path, *, sops: int) -> Path:
    """Return the folder with `files` and `home` of the library of this size, making it where there is none."""
    folder = cache / f"{sops}-{EDITION}"
    if not folder.is_dir():
        aside = cache / f"{folder.name}.{os.getpid()}"
        aside.mkdir(parents=True)
        make_library(aside, sops=sops, now=datetime.now(UTC))
        aside.rename(folder)
    return folder
