"""One SOP as one person sees it: what is in force, what stands around it, and what they read of it before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.absences import Absence
from sop_server.domain.drafts import OPEN
from sop_server.domain.permissions import Action, Actor
from sop_server.services.drafts.draft_lists import drafts_of_sop
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.library.reading import page_of
from sop_server.services.library.recorded import record_in_sight
from sop_server.services.library.sop_views import RevisionView, SopPage
from sop_server.services.library.surrounding import Surroundings, surroundings
from sop_server.services.participation.acknowledgements import Reading, reading_of
from sop_server.services.stores import Stores
from sop_server.storage import pins
from sop_server.storage.leaving import StandIn

_MOST_DRAFTS = 20


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """A SOP in force for one person: `history` is newest first, `drafts` are the open ones as far as they may see any.

    `people` are the names of its owners and deputies by address; `owner_away` and `deputy_away` are told of the present
    alone; `reading` is None where nothing is in force now. `stand_in` is who stands in for an owner or deputy who left.
    """

    page: SopPage
    around: Surroundings
    history: list[RevisionView]
    drafts: tuple[DraftView, ...]
    reading: Reading | None
    pinned: bool
    people: Mapping[str, str]
    stand_in: StandIn | None
    owner_away: Absence | None
    deputy_away: Absence | None


def open_sop(stores: Stores, *, actor: Actor, sop_id: str, now: datetime, at: datetime | None = None) -> ReaderPage:
    """Return the SOP in force at an instant. Raises NotFoundError, or GoneError where it was retired."""
    with stores.database.read() as session:
        record = record_in_sight(stores, session, actor, sop_id, now=now, at=at)
        page = page_of(stores, session, record, at=at or now, now=now)
        return ReaderPage(
            page=page,
            around=surroundings(record, actor=actor),
            history=record.history(now),
            drafts=drafts_of_sop(session, actor, sop_id, states=OPEN, now=now, limit=_MOST_DRAFTS)
            if actor.may_anywhere(Action.SEE_DRAFTS)
            else (),
            reading=reading_of(session, actor, record, now=now),
            pinned=pins.is_pinned(session, actor.person_id, sop_id),
            people=record.names,
            stand_in=record.stand_in if at is None else None,
            owner_away=None if at else record.away(page.summary.owner, now),
            deputy_away=None if at else record.away(page.summary.deputy, now),
        )
