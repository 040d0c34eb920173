"""The stage of the demonstration: events of the past, each played through the real services at its own instant."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sop_server.domain.permissions import Actor
from sop_server.errors import DamagedError
from sop_server.services.accounts.sealing import Seal
from sop_server.services.accounts.signing import Attempt
from sop_server.services.demonstration.example_registers import Row, read_table
from sop_server.services.stores import Stores
from sop_server.storage import people

HISTORY = "_history"
PASSWORD = "northwind-demo"  # noqa: S105 - printed for everybody who tries the demonstration


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration plays: the stores, the example library at `root`, and the `now` that it leads up to."""

    stores: Stores
    root: Path
    now: datetime

    def ago(self, days: str | float) -> datetime:
        """Return the instant so many days before now, in the future where it is negative."""
        return self.now - timedelta(days=float(days))

    def stores_at(self, at: datetime) -> Stores:
        """Return the stores with a clock that shows `at`: what happens then is recorded then."""
        return replace(self.stores, clock=lambda: at)

    def person(self, email: str, at: datetime) -> Actor:
        """Return a person as they are at `at`."""
        with self.stores.database.read() as session:
            row = people.person_by_email(session, email)
            actor = None if row is None else people.load_actor(session, row.id, at)
        if actor is None:
            raise DamagedError(f"The example library names {email}, whom its register does not. Install it again.")
        return actor

    def signing(self) -> Attempt:
        """Return what everybody signs with, where their department asks for it."""
        return Attempt(Seal(PASSWORD), "127.0.0.1", password=PASSWORD)

    def history(self, name: str) -> list[Row]:
        """Return the rows of one table of the past."""
        return read_table(self.root / HISTORY, name)

    def text(self, path: Path) -> str:
        """Return one text of the example library."""
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise DamagedError(
                f"The example library is not whole: {path} cannot be read. Install sop-server again."
            ) from exc


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `at`; events of one instant are played in the order in which they were named."""

    at: datetime
    play: Callable[[], object]
