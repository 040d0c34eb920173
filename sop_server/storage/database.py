"""The database: engines, sessions and transactions. What is particular to SQLite or PostgreSQL stands here alone.

Both promise the same: who reads sees one consistent state, and who writes is the only one who does. What a writing
transaction has read therefore stays true until it is committed, and nothing it decides on that can be overtaken.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from sop_server.errors import BusyError, ConflictError, DamagedError, InvalidInputError
from sop_server.storage import editions
from sop_server.storage.kept_facts import KEPT, KeptFacts

__all__ = ["Database", "Session"]

_WRITING = "sop_writing"
_LOCKED = (
    "database is locked",
    "database is busy",
    "could not obtain lock",
    "lock timeout",
    "could not serialize",
    "deadlock detected",
)
# Another program of the same server may have locks of its own: this number is ours ("sop" in ASCII).
_WRITERS = 0x736F70
# An idle writer that long is a machine that was cut off: its lock would keep everybody waiting.
_ALONE = (
    "SET LOCAL lock_timeout = '15s'; SET LOCAL idle_in_transaction_session_timeout = '5min'; "
    f"SELECT pg_advisory_xact_lock({_WRITERS})"
)


def _present() -> datetime:
    return datetime.now(UTC)


class Database:
    """One database; safe to share between threads. Processes that fork open their own connections.

    `clock` gives the present instant, the same one that the use cases go by.
    """

    def __init__(self, url: str, *, clock: Callable[[], datetime] = _present) -> None:
        self.url = url
        self._clock = clock
        self._engine = _open(url)
        event.listen(self._engine, "before_cursor_execute", _notice)
        kept: dict[str, Any] = {KEPT: KeptFacts()}
        alone = {**kept, editions.READS_ALONE: True}
        self._reading = sessionmaker(self._engine, expire_on_commit=False, autoflush=False, info=alone)
        # A writer waits for locks and must then see what their last holder committed, not an older snapshot.
        level = {} if self._engine.dialect.name == "sqlite" else {"isolation_level": "READ COMMITTED"}
        writing = self._engine.execution_options(**{_WRITING: True}, **level)
        self._writing = sessionmaker(writing, expire_on_commit=False, info=kept)
        # Heard at every commit, also at one that a service makes before it raises.
        event.listen(self._writing, "before_commit", self._advance)

    @property
    def engine(self) -> Engine:
        """The engine, for migrations and for measurements."""
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one consistent state and is rolled back at the end."""
        with self._session(self._reading) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that may write from its beginning on, so that it never fails half-way.

        Committed at the end of the block, rolled back by any exception. Raises BusyError where another
        process has held the database for longer than the time-out.
        """
        with self._session(self._writing) as session:
            editions.begin(session)
            yield session
            session.commit()

    @contextmanager
    def _session(self, maker: "sessionmaker[Session]") -> Iterator[Session]:
        try:
            with maker() as session:
                self._begin(session)
                yield session
        except (StaleDataError, IntegrityError) as error:
            raise ConflictError(
                "Somebody changed the same thing at the same moment. Nothing of yours was stored; "
                "look at it again and repeat what you did."
            ) from error
        except DataError as error:
            # PostgreSQL has no NUL in a text and no number past its column's size, not even to look for it.
            raise InvalidInputError(
                "What was sent holds a character or a number that cannot be stored. Nothing was changed; "
                "take it out and try again."
            ) from error
        except DBAPIError as error:
            if _is_locked(error):
                raise BusyError("The database is busy. Nothing was changed; try again in a moment.") from error
            raise DamagedError(
                "The database did not answer as it should. Run `sop-server check`, or look at the log."
            ) from error

    def _advance(self, session: Session) -> None:
        editions.advance(session, now=self._clock())

    def _begin(self, session: Session) -> None:
        try:
            session.connection()
        except OperationalError as error:
            if self._engine.dialect.name == "sqlite" or _is_locked(error):
                raise
            raise BusyError(
                "The database cannot be reached. Nothing was changed; look whether its server runs and "
                "SOP_DATABASE_URL names it, then try again."
            ) from error

    def ready(self) -> bool:
        """Whether the database answers."""
        try:
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Give every connection back, before a fork or at the end."""
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    """Return the URL of a database in one file."""
    return f"sqlite:///{path}"


def is_writing(session: Session) -> bool:
    """Whether the session's transaction was begun to write."""
    return bool(session.connection().get_execution_options().get(_WRITING, False))


def copy_database(database: Database, target: Path) -> bool:
    """Write a consistent copy of a SQLite database to `target`; False where its server must dump it."""
    if database.engine.dialect.name != "sqlite":
        return False
    # Past SQLAlchemy's connection, which begins a transaction: SQLite copies only outside of one.
    connection = database.engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    return True


def _notice(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
    editions.notice(connection, statement)


def _is_locked(error: DBAPIError) -> bool:
    return any(words in str(error).lower() for words in _LOCKED)


def _open(url: str) -> Engine:
    return _open_sqlite(url) if url.startswith("sqlite") else _open_server(url)


def _open_server(url: str) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True, pool_size=8, isolation_level="REPEATABLE READ")
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            "SOP_DATABASE_URL names a database on a server, but its driver is not installed. "
            "Install it with: pip install 'sop-server[postgresql]'"
        ) from error
    except (ArgumentError, ValueError) as error:
        raise InvalidInputError(
            "SOP_DATABASE_URL cannot be read. It has the form postgresql://user:password@host:5432/database."
        ) from error

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Row locks cannot guard what is not there yet: two transactions that look for the same thing and find
        # nothing would both add it, and two that count the last administrators would both take one away.
        if connection.get_execution_options().get(_WRITING, False):
            connection.exec_driver_sql(_ALONE)

    return engine


def _open_sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 15, "check_same_thread": False}, pool_size=12)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun by `begin` below, not by the driver
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "cache_size=-32000",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once with SQLITE_BUSY_SNAPSHOT.
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
