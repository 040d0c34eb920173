"""What the server does by itself between requests; safe in any number of processes."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sop_server.domain.instants import format_instant, parse_instant
from sop_server.errors import SopError
from sop_server.services.accounts.lapsing import lapse
from sop_server.services.accounts.mailed_links import send_due
from sop_server.services.accounts.notice_mails import send_notices
from sop_server.services.drafts.overtaking import return_overtaken
from sop_server.services.leaving.drafting import write_drafts
from sop_server.services.library.indexing import index_due
from sop_server.services.privacy.retention import forget_old
from sop_server.services.publication.reconciling import reconcile
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from sop_server.services.trail.anchoring import anchor_head
from sop_server.storage import drafts

ANCHOR_EVERY = timedelta(hours=1)
SCAN_EVERY = timedelta(minutes=5)
MAINTAIN_EVERY = timedelta(days=1)

_HAND_OVERS = 40
_ANCHORING = "anchoring"
_SCANNED = "scanned"
_MAINTAINED = "maintained"


def begin(stores: Stores, *, now: datetime) -> list[str]:
    """Look for everything that a killed server may have left, once at the start of a process; returns what was mended.

    What `run_due` looks for every few seconds is only what is cheap to see.
    """
    return reconcile(stores, now=now, thorough=True)


def run_due(stores: Stores, *, now: datetime) -> list[str]:
    """Mend what a crash left, work off the outbox, bring the index up; returns what was done, a sentence each.

    Each part is idempotent and takes its own lock, so a second process that runs it too does no harm. One that fails
    holds up no other: the first failure, a SopError, is raised once all have had their turn.
    """
    told: list[str] = []
    failed: list[SopError] = []
    for part in _PARTS:
        try:
            told += part(stores, now)
        except SopError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return told


def _reconcile(stores: Stores, now: datetime) -> list[str]:
    return reconcile(stores, now=now)


def _overtaken(stores: Stores, now: datetime) -> list[str]:
    returned = return_overtaken(stores, now=now)
    return [f"{returned} overtaken revisions became drafts again."] if returned else []


def _index(stores: Stores, now: datetime) -> list[str]:
    indexed = index_due(stores, now=now)
    return [f"{indexed} SOPs were indexed."] if indexed else []


def _hand_overs(stores: Stores, now: datetime) -> list[str]:
    written = write_drafts(stores, now=now, most=_HAND_OVERS)
    return [f"{written} SOPs were drafted for their new owners."] if written else []


def _links(stores: Stores, now: datetime) -> list[str]:
    mailed = send_due(stores, now=now)
    return [f"{mailed} sign-in links were mailed."] if mailed else []


def _notices(stores: Stores, now: datetime) -> list[str]:
    noticed = send_notices(stores, now=now)
    return [f"{noticed} notices were mailed."] if noticed else []


def _scan(stores: Stores, now: datetime) -> list[str]:
    if not _is_due(stores, _SCANNED, every=SCAN_EVERY, now=now):
        return []
    opened, closed = scan(stores, now=now)
    return [f"The scan opened {opened} findings and closed {closed}."] if opened or closed else []


def _anchor(stores: Stores, now: datetime) -> list[str]:
    if _is_due(stores, _ANCHORING, every=ANCHOR_EVERY, now=now):
        # Nothing is told of it: a quiet server says nothing every hour.
        anchor_head(stores, now=now)
    return []


def _maintain(stores: Stores, now: datetime) -> list[str]:
    if not _is_due(stores, _MAINTAINED, every=MAINTAIN_EVERY, now=now):
        return []
    forget_old(stores, now=now)
    lapsed = lapse(stores, now=now)
    stores.library.maintain()
    return [f"{lapsed} roles and teams of people who stayed away from the provider ended."] if lapsed else []


def _is_due(stores: Stores, what: str, *, every: timedelta, now: datetime) -> bool:
    """Whether `what` was last done longer ago than `every`; who is told so does it, and nobody else until then."""
    with stores.database.read() as session:
        if not _long_ago(drafts.mark(session, what), every=every, now=now):
            return False
    with stores.database.write() as session:
        if not _long_ago(drafts.mark(session, what), every=every, now=now):
            return False
        drafts.set_mark(session, what, format_instant(now))
    return True


def _long_ago(last: str | None, *, every: timedelta, now: datetime) -> bool:
    return last is None or parse_instant(last, field="mark") <= now - every


_PARTS: tuple[Callable[[Stores, datetime], list[str]], ...] = (
    _reconcile,
    _overtaken,
    _index,
    _hand_overs,
    _links,
    _notices,
    _scan,
    _anchor,
    _maintain,
)
