"""Filling a library: the import of all its files into an empty home, and the search index from nothing."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.libraries import Library
from benchmarks.making import add_cast, import_files, settings_of
from benchmarks.measuring import Figure, taken_by
from sop_server.home import close_stores, create_home
from sop_server.services.library.indexing import rebuild_index


def figures(library: Library) -> Iterator[Figure]:
    """Measure an import and a rebuild of the index."""
    with TemporaryDirectory(prefix="import-", dir=library.settings.home.parent) as folder:
        stores = create_home(settings_of(Path(folder) / "home"))
        try:
            now = stores.clock()
            cast = add_cast(stores, now=now)
            imported = taken_by(partial(import_files, stores, library.files, actor=cast["admin"], now=now))
        finally:
            close_stores(stores)
    indexed = taken_by(partial(rebuild_index, library.stores))
    yield Figure("import", library.sops, library.sops / imported.passed, "files/s", cpu=library.sops / imported.worked)
    yield Figure("import", library.sops, imported.passed, "s", cpu=imported.worked)
    yield Figure("reindex", library.sops, indexed.passed, "s", cpu=indexed.worked)
