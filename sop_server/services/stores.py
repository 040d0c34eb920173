"""What every use case works on, put together once by the application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sop_server.domain.audit_chain import Head
from sop_server.domain.drift import DriftReport
from sop_server.domain.neighbourhoods import Neighbourhood
from sop_server.domain.policy import Policy
from sop_server.services.accounts.provider import Provider
from sop_server.services.kept import Kept
from sop_server.services.library.sop_records import Changes, Places, SopRecord, SopText
from sop_server.services.mailing import Mailer
from sop_server.storage.database import Database
from sop_server.storage.git.library import Library
from sop_server.storage.search.protocol import SearchEngine
from sop_server.storage.tables import Revision


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Stores:
    """The record (`library`, `database`), what can be made again from it (`search`), and the installation's policy.

    `mailer` is None where the installation sends no mail, `provider` where nobody comes in through one.
    `clock` gives the present instant; the demo and
    `import --history` hand over one that plays the past.
    """

    home: Path
    database: Database
    library: Library
    search: SearchEngine
    policy: Policy
    clock: Callable[[], datetime] = utc_now
    mailer: Mailer | None = None
    provider: Provider | None = None
    texts: Kept[tuple[str, str, str], SopText] = field(default_factory=lambda: Kept(512))
    changes: Kept[tuple[str, str, str, str], Changes] = field(default_factory=lambda: Kept(128))
    records: Kept[tuple[str, str], SopRecord | None] = field(default_factory=lambda: Kept(512))
    serving: Kept[tuple[str, str], Revision] = field(default_factory=lambda: Kept(2048))
    neighbourhoods: Kept[tuple[str, str], Neighbourhood] = field(default_factory=lambda: Kept(2048))
    readable: Kept[tuple[str, frozenset[str]], frozenset[str]] = field(default_factory=lambda: Kept(32))
    counts: Kept[tuple[str, frozenset[str] | None], Mapping[str | None, int]] = field(default_factory=lambda: Kept(64))
    places: Kept[tuple[str, frozenset[str] | None], Places] = field(default_factory=lambda: Kept(64))
    proofs: Kept[str, tuple[datetime, Head]] = field(default_factory=lambda: Kept(1))
    scores: Kept[tuple[datetime, frozenset[str] | None], DriftReport] = field(default_factory=lambda: Kept(512))
