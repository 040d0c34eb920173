"""What the server does by itself between requests; safe in any number of processes."""

from datetime import datetime, timedelta

from sop_server.domain.instants import format_instant, parse_instant
from sop_server.services.drafts.overtaking import return_overtaken
from sop_server.services.library.indexing import index_due
from sop_server.services.publication.reconciling import reconcile
from sop_server.services.reports.findings import scan
from sop_server.services.stores import Stores
from sop_server.storage import drafts

SCAN_EVERY = timedelta(minutes=5)
_SCANNED = "scanned"


def run_due(stores: Stores, *, now: datetime) -> list[str]:
    """Mend what a crash left, work off the outbox, bring the index up; returns what was done, a sentence each.

    Each part is idempotent and takes its own lock, so a second process that runs it too does no harm.
    """
    told = reconcile(stores, now=now)
    returned = return_overtaken(stores, now=now)
    if returned:
        told.append(f"{returned} overtaken revisions became drafts again.")
    indexed = index_due(stores, now=now)
    if indexed:
        told.append(f"{indexed} SOPs were indexed.")
    opened, closed = _scan_when_due(stores, now=now)
    if opened or closed:
        told.append(f"The scan opened {opened} findings and closed {closed}.")
    return told


def _scan_when_due(stores: Stores, *, now: datetime) -> tuple[int, int]:
    with stores.database.read() as session:
        last = drafts.mark(session, _SCANNED)
    if last is not None and parse_instant(last, field=_SCANNED) > now - SCAN_EVERY:
        return 0, 0
    with stores.database.write() as session:
        drafts.set_mark(session, _SCANNED, format_instant(now))
    return scan(stores, now=now)
