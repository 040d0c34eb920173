"""Who may know of a process: one rule, whether the register is read or a ticket names its processes."""

from collections.abc import Collection
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.storage import processes
from sop_server.storage.database import Session


def in_sight(actor: Doer, department: str | None) -> bool:
    """Whether a process of this department exists for the actor: a role holds for a department, here as everywhere.

    What has no department is reached by roles for all departments alone, like a SOP without one; so the reports of one
    department leave it out too.
    """
    return actor.may(Action.READ, department)


def processes_in_sight(session: Session, actor: Doer, ids: Collection[str], now: datetime) -> frozenset[str]:
    """Return those of the processes that are in the register and the actor's to know of."""
    known = processes.newest_versions(session, now, ids) if ids else {}
    return frozenset(process_id for process_id, version in known.items() if in_sight(actor, version.department))
