"""What the server does by itself between requests; safe in any number of processes."""

from datetime import datetime

from sop_server.services.indexing import index_due
from sop_server.services.overtaking import return_overtaken
from sop_server.services.reconciling import reconcile
from sop_server.services.stores import Stores


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
    return told
