"""Whose a team is: the one rule about who names it, and who puts people into it.

A team that belongs to a department is its administrators'. One that belongs to none is read for by SOPs of all of them,
so administrators of all departments alone touch it. A new one belongs to the department of whoever names it first.
"""

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.errors import ForbiddenError
from sop_server.storage import people
from sop_server.storage.database import Session


def require_team(session: Session, actor: Doer, slug: str) -> None:
    """Raise ForbiddenError unless the actor administers where a team belongs, or will belong that is not there yet."""
    team = people.team(session, slug)
    if team is None:
        home_of_new(actor)
    else:
        actor.require(Action.ADMINISTER, team.department)


def home_of_new(actor: Doer) -> str | None:
    """Return the department that a team belongs to which the actor is the first to name; None for all.

    Raises ForbiddenError where they administer several departments, since it could be any of them.
    """
    reach = actor.reach(Action.ADMINISTER)
    if reach is None:
        return None
    if len(reach) == 1:
        return next(iter(reach))
    raise ForbiddenError(
        "There is no such team, and you administer several departments. Make it under “Departments and teams” first, "
        "where you say which of them it belongs to. Nothing was changed."
    )
