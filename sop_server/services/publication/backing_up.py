"""Backups that are proven: one file with everything, restored only where it is whole."""

import tempfile
from pathlib import Path

from sop_server.domain.doers import OPERATOR
from sop_server.errors import InvalidInputError
from sop_server.services.stores import Stores
from sop_server.storage import audit
from sop_server.storage.backups import pack
from sop_server.storage.database import copy_database

BACKED_UP = "backup.made"


def back_up(stores: Stores, target: Path) -> None:
    """Write a backup of library and database at one instant; nobody publishes meanwhile. The trail tells of it."""
    if not target.parent.is_dir():
        raise InvalidInputError(f"There is no folder {target.parent}. Make it first, or choose another place.")
    with tempfile.TemporaryDirectory() as folder, stores.library.lock():
        copy = Path(folder) / "sop.db"
        if not copy_database(stores.database, copy):
            raise InvalidInputError(
                "The database is on a server: dump it with that server's own tool (such as pg_dump), "
                "and copy the library folder beside it."
            )
        pack(stores.home, copy, target)
    with stores.database.write() as session:
        # After it: a backup that could not be written is none.
        audit.record(session, at=stores.clock(), actor=OPERATOR.email, action=BACKED_UP, subject=target.name)
