"""The departments that the library is divided into, as its pages name them."""

from datetime import datetime

from sop_server.domain.permissions import Action, Actor
from sop_server.services.library.sop_records import Places
from sop_server.services.stores import Stores
from sop_server.storage import people, sops
from sop_server.storage.database import Session
from sop_server.storage.editions import edition


def places(stores: Stores, *, actor: Actor, now: datetime) -> Places:
    """Return the departments, and those of them in which the actor may read a SOP in force."""
    reach = actor.reach(Action.READ)

    def read(session: Session) -> Places:
        names = {row.slug: row.name for row in people.departments(session)}
        return Places(names, frozenset(sops.departments_in_force(session, now, reach)))

    with stores.database.read() as session:
        named = edition(session, now)
        return read(session) if named is None else stores.places.get((named, reach), lambda: read(session))
