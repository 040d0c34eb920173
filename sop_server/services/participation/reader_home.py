"""What a reader sees first, and the SOPs that they keep at hand."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.deviations import DeviationMark, DeviationState
from sop_server.domain.permissions import Action, Actor
from sop_server.services.library.reading import recently_changed, summaries
from sop_server.services.library.recorded import marks_of, serving_rows
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.library.sop_views import NO_MARKS, SopSummary
from sop_server.services.participation.acknowledgements import ToRead, to_read
from sop_server.services.stores import Stores
from sop_server.storage import deviations, participation, pins
from sop_server.storage.database import Session

_MOST = 6


@dataclass(frozen=True, slots=True)
class DoneOtherwise:
    """A SOP of the actor from which a deviation is in force that holds for them."""

    sop_id: str
    title: str
    deviation: DeviationMark


@dataclass(frozen=True, slots=True)
class ReaderHome:
    """What the actor has to read, keeps at hand, and what others in reach refer to most and changed last.

    `otherwise` is what is done otherwise than their SOPs say, the newest first. It stands there as long as it lasts,
    and nobody acknowledges it: what ends by itself is looked up each time, not known by heart.
    """

    to_read: tuple[ToRead, ...]
    otherwise: tuple[DoneOtherwise, ...]
    pinned: tuple[SopSummary, ...]
    referred: tuple[SopSummary, ...]
    changed: tuple[SopSummary, ...]


def reader_home(stores: Stores, *, actor: Actor, now: datetime) -> ReaderHome:
    """Return the home of a reader."""
    with stores.database.read() as session:
        kept = pins.pinned_ids(session, actor.person_id)
        referred = pins.most_referred(session, actor.reach(Action.READ), limit=2 * _MOST)
        otherwise = _otherwise(stores, session, actor, kept, now=now)
    return ReaderHome(
        to_read=to_read(stores, actor=actor, now=now),
        otherwise=otherwise,
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


def _otherwise(
    stores: Stores, session: Session, actor: Actor, pinned: Collection[str], *, now: datetime
) -> tuple[DoneOtherwise, ...]:
    """Return what is done otherwise than those SOPs say that the actor's teams have to know, or that they keep."""
    running = deviations.running_sops(session, now)
    mine = {*participation.for_teams(session, actor.teams, now, among=running), *running.intersection(pinned)}
    rows = serving_rows(stores, session, mine, at=now, now=now)
    marks = marks_of(stores, session, list(rows), at=now, now=now)
    found = [
        DoneOtherwise(sop_id, row.title, one)
        for sop_id, row in rows.items()
        if actor.may(Action.READ, row.department)
        for one in marks.get(sop_id, NO_MARKS).deviations
        if one.state is DeviationState.IN_FORCE and (not one.teams or not actor.teams.isdisjoint(one.teams))
    ]
    return tuple(sorted(found, key=lambda line: line.deviation.starts_at, reverse=True))
