"""What stands around SOPs on their pages: who links there, and the names of people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sop_server.domain.permissions import Action, Actor
from sop_server.services.library.sop_records import SopRecord
from sop_server.services.stores import Stores
from sop_server.storage.person_names import names_by_email
from sop_server.storage.tables import Revision


@dataclass(frozen=True, slots=True)
class SopReference:
    """A SOP in force, as a link names it."""

    sop_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The neighbours of one SOP that the actor may read: `links_here` refer to it, `builds_on` it names itself."""

    links_here: tuple[SopReference, ...]
    builds_on: tuple[SopReference, ...]


def surroundings(record: SopRecord, *, actor: Actor) -> Surroundings:
    """Return what stands around one SOP."""

    def seen(rows: Iterable[Revision]) -> tuple[SopReference, ...]:
        return tuple(SopReference(row.sop_id, row.title) for row in rows if actor.may(Action.READ, row.department))

    return Surroundings(seen(record.links_here), seen(record.builds_on))


def names(stores: Stores, *, emails: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of the people with these addresses; who has no account is missing."""
    with stores.database.read() as session:
        return names_by_email(session, emails)
