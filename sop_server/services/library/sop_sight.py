"""Who may know of a SOP: what one may not read does not exist."""

from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.errors import NotFoundError
from sop_server.storage import sops
from sop_server.storage.database import Session


def department_in_sight(session: Session, actor: Doer, sop_id: str, now: datetime) -> str | None:
    """Return the department that governs a SOP; NotFoundError where there is none of this id for the actor."""
    if not sops.known_ids(session, [sop_id]):
        raise NotFoundError(f"There is no SOP {sop_id}. Check the address, or search for what you need.")
    department = sops.department_of(session, sop_id, now)
    actor.require_sight(department, f"SOP {sop_id}")
    return department
