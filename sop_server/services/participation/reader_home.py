"""What a reader sees first, and the SOPs that they keep at hand."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.permissions import Action, Actor
from sop_server.services.library.reading import recently_changed, summaries
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.library.sop_views import SopSummary
from sop_server.services.participation.acknowledgements import ToRead, to_read
from sop_server.services.stores import Stores
from sop_server.storage import pins

_MOST = 6


@dataclass(frozen=True, slots=True)
class ReaderHome:
    """What the actor has to read, keeps at hand, and what others in reach refer to most and changed last."""

    to_read: tuple[ToRead, ...]
    pinned: tuple[SopSummary, ...]
    referred: tuple[SopSummary, ...]
    changed: tuple[SopSummary, ...]


def reader_home(stores: Stores, *, actor: Actor, now: datetime) -> ReaderHome:
    """Return the home of a reader."""
    with stores.database.read() as session:
        kept = pins.pinned_ids(session, actor.person_id)
        referred = pins.most_referred(session, actor.reach(Action.READ), limit=2 * _MOST)
    return ReaderHome(
        to_read=to_read(stores, actor=actor, now=now),
        pinned=tuple(summaries(stores, actor=actor, now=now, ids=kept)),
        referred=tuple(summaries(stores, actor=actor, now=now, ids=referred)[:_MOST]),
        changed=tuple(recently_changed(stores, actor=actor, now=now, limit=_MOST)),
    )


def set_pinned(stores: Stores, *, actor: Actor, sop_id: str, pinned: bool, now: datetime) -> None:
    """Keep a SOP at hand, or no longer; raises NotFoundError for one that the actor may not read."""
    with stores.database.write() as session:
        actor.require(Action.READ, department_in_sight(session, actor, sop_id, now))
        if pinned:
            pins.pin(session, actor.person_id, sop_id, now=now)
        else:
            pins.unpin(session, actor.person_id, sop_id)
