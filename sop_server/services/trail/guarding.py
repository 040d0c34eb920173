"""Whether the database still refuses to change the audit trail, and making it do so again."""

from datetime import datetime

from sop_server.services.stores import Stores
from sop_server.storage import audit, audit_guard


def unguarded(stores: Stores) -> list[str]:
    """Say which triggers of the audit trail are gone or do something else."""
    with stores.database.read() as session:
        names = audit_guard.missing(session)
    if not names:
        return []
    told = (
        f"The database would let somebody change the audit trail: {', '.join(names)} is gone, switched off, or not "
        "what it was. Run `sop-server check --repair`, which puts it back, and find out who may alter the database."
    )
    return [told]


def guard_again(stores: Stores, *, now: datetime) -> list[str]:
    """Put back what is missing; the audit trail itself tells of it."""
    with stores.database.read() as session:
        if not audit_guard.missing(session):
            return []
    with stores.database.write() as session:
        names = audit_guard.missing(session)
        audit_guard.put_back(session, names)
        details = {"triggers": list(names)}
        audit.record(session, at=now, actor="system", action="audit.guarded_again", subject="audit", details=details)
    return [f"The database refuses again to change the audit trail: {', '.join(names)} was put back."]
