"""What stands around SOPs on their pages: who links there, the names of people, what is being written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.drafts import OPEN
from sop_server.domain.permissions import Action, Actor
from sop_server.services.drafts import draft_lists
from sop_server.services.drafts.draft_views import DraftView
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.person_names import names_by_email

_MOST_DRAFTS = 20


@dataclass(frozen=True, slots=True)
class SopReference:
    """A SOP in force, as a link names it."""

    sop_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The neighbours of one SOP that the actor may read, and its open drafts as far as the actor may see any.

    `links_here` refer to it, `builds_on` are those that its front matter names.
    """

    links_here: tuple[SopReference, ...]
    builds_on: tuple[SopReference, ...]
    drafts: tuple[DraftView, ...]


def surroundings(stores: Stores, *, actor: Actor, sop_id: str, now: datetime) -> Surroundings:
    """Return what stands around one SOP."""
    with stores.database.read() as session:
        here = sops.links_here(session, sop_id, now)
        row = sops.in_force_row(session, sop_id, now)
        targets = [] if row is None else sops.in_force_rows(session, now, ids=set(row.links) - {sop_id})
    written: tuple[DraftView, ...] = ()
    if actor.may_anywhere(Action.SEE_DRAFTS):
        written = draft_lists.list_drafts(
            stores, actor=actor, now=now, states=OPEN, sop_id=sop_id, limit=_MOST_DRAFTS
        ).items
    return Surroundings(
        links_here=tuple(
            SopReference(one.sop_id, one.title)
            for one in here
            if one.sop_id != sop_id and actor.may(Action.READ, one.department)
        ),
        builds_on=tuple(
            SopReference(one.sop_id, one.title) for one in targets if actor.may(Action.READ, one.department)
        ),
        drafts=written,
    )


def names(stores: Stores, *, emails: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of the people with these addresses; who has no account is missing."""
    with stores.database.read() as session:
        return names_by_email(session, emails)
