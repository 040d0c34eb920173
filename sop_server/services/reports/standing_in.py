"""The SOPs that somebody looks after: as their owner, or as the deputy who stands in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.absences import away
from sop_server.domain.permissions import Action, Actor
from sop_server.storage import absences, sops
from sop_server.storage.database import Session
from sop_server.storage.person_names import names_by_email


@dataclass(frozen=True, slots=True)
class Cared:
    """A SOP in force that somebody looks after; `as_deputy` says for whom, None where it is their own.

    `stands_in`: its owner is away, so nobody else looks after it meanwhile.
    """

    department: str | None
    as_deputy: str | None = None
    stands_in: bool = False


def cared_for(session: Session, actor: Actor, *, now: datetime, left_to: Collection[str] = ()) -> Mapping[str, Cared]:
    """Return the SOPs that the actor owns or is the deputy of, by id, and may read: either of them is no right.

    Those that somebody who left handed over, `left_to` the actor, are their own.
    """
    found_rows = sops.cared_rows(session, actor.email, at=now, also=left_to)
    rows = [row for row in found_rows if actor.may(Action.READ, row.department)]
    others = {row.owner for row in rows if row.owner != actor.email and row.sop_id not in left_to}
    if not others:
        return {row.sop_id: Cared(row.department) for row in rows}
    names = names_by_email(session, others)
    gone = absences.by_email(session, others, now)
    found = {}
    for row in rows:
        if row.owner == actor.email or row.sop_id in left_to:
            found[row.sop_id] = Cared(row.department)
            continue
        absence = away(gone.get((row.owner or "").lower(), ()), now)
        name = names.get(row.owner, row.owner) if row.owner else "nobody"
        until = "" if absence is None else f", away until {absence.ends_at.day} {absence.ends_at:%b}"
        found[row.sop_id] = Cared(row.department, f"as deputy of {name}{until}", absence is not None)
    return found
