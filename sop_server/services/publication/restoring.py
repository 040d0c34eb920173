"""Making a home from a backup: into an empty folder alone, so that nothing is ever written over."""

from pathlib import Path

from sop_server.errors import InvalidInputError
from sop_server.storage.backups import unpack


def restore(source: Path, home: Path) -> None:
    """Unpack a backup into `home`, whole or not at all; the search index is made again from it afterwards."""
    if not source.is_file():
        raise InvalidInputError(f"There is no backup {source}. Check the path; nothing was restored.")
    unpack(source, home)
