"""The guard of the last administrator: the library never comes to have none.

A role that ends by itself leaves no time to think. So what counts is who administers without an end: as long as there
is one at every instant, there is one at every later instant, too.
"""

from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Grant, Role
from sop_server.errors import ConflictError, ForbiddenError
from sop_server.storage import people
from sop_server.storage.database import Session
from sop_server.storage.tables import Person


def is_last_administrator(session: Session, person_id: int, now: datetime) -> bool:
    """Whether nobody else administers all departments without an end."""
    return people.administrators(session, now, lasting=True) == {person_id}


def require_another_administrator(session: Session, person: Person, now: datetime) -> None:
    """Raise ConflictError where the library would be left without an administrator, now or when the roles end."""
    if is_last_administrator(session, person.id, now):
        raise ConflictError(
            f"{person.name} is the only administrator of this library whose role has no end; without one nobody "
            "could let people in. Make somebody else an administrator without an end first. Nothing was changed."
        )


def refuse_outlasting(
    session: Session, actor: Doer, person: Person, grant: Grant, *, until: datetime | None, now: datetime
) -> None:
    """Raise ForbiddenError where somebody gives themselves a role that outlasts the one by which they give it."""
    if person.id != actor.person_id:
        return
    giving = [
        row.ended_at
        for row in people.open_grants(session, [person.id], now)
        if row.role == Role.ADMIN and row.department in {None, grant.department}
    ]
    if any(end is None or (until is not None and until <= end) for end in giving):
        return
    raise ForbiddenError(
        "Your own role as an administrator ends by itself, and nobody gives themselves a role that lasts longer. "
        "Give it an end that is not later, or ask another administrator. Nothing was changed."
    )
