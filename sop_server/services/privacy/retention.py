"""What is kept of sign-ins is kept for a time: sessions and their addresses, links, guesses, orders of mails."""

from datetime import datetime

from sop_server.services.accounts import throttling
from sop_server.services.accounts.mailed_links import KIND
from sop_server.services.stores import Stores
from sop_server.storage import retention


def forget_old(stores: Stores, *, now: datetime) -> int:
    """Forget what is older than the settings say; returns how many rows. Doing it again changes nothing."""
    policy = stores.policy
    with stores.database.write() as session:
        forgotten = retention.forget_sessions(
            session,
            ended_before=now - policy.keeps_sign_ins,
            idle_since=now - policy.keeps_sign_ins - policy.session_idle,
        )
        forgotten += retention.forget_addresses(session, created_before=now - policy.keeps_addresses)
        forgotten += retention.forget_links(session, over_before=now - policy.keeps_sign_ins)
        forgotten += retention.forget_failures(session, before=now - throttling.WINDOW)
        forgotten += retention.forget_done(session, kind=KIND, before=now - policy.keeps_sign_ins)
    return forgotten
