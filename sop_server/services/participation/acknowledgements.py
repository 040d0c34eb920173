"""Read and understood: acknowledging the revision in force, and what a person still has to read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.knowledge import ACKNOWLEDGEMENT_GRACE
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.revisions import current_major, in_force
from sop_server.errors import ConflictError
from sop_server.services.library.sop_records import SopRecord
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.stores import Stores
from sop_server.storage import audit, participation, people, sops
from sop_server.storage.database import Session


@dataclass(frozen=True, slots=True)
class AcknowledgementView:
    """One person's "read and understood" of one revision; `new` is False where they had said so before."""

    sop_id: str
    revision: int
    acknowledged_at: datetime
    new: bool


@dataclass(frozen=True, slots=True)
class ToRead:
    """A SOP that somebody has to read: `revision` in force, `major` the one that asks, `last_read` what they know."""

    sop_id: str
    title: str
    department: str | None
    revision: int
    major: int
    change_summary: str
    last_read: int | None
    due_at: datetime
    overdue: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What one person knows of one SOP. `due_at` is None unless they have to read it."""

    sop_id: str
    revision: int
    last_read: int | None
    last_read_at: datetime | None
    must_read: bool
    due_at: datetime | None


def acknowledge(stores: Stores, *, actor: Actor, now: datetime, sop_id: str, revision: int) -> AcknowledgementView:
    """Say that the actor read and understood the revision in force; saying so again changes nothing.

    Raises ConflictError where another revision is in force, or none.
    """
    actor.require_anywhere(Action.ACKNOWLEDGE)
    with stores.database.write() as session:
        actor.require(Action.ACKNOWLEDGE, department_in_sight(session, actor, sop_id, now))
        row = sops.in_force_row(session, sop_id, now)
        if row is None:
            raise ConflictError(f"{sop_id} has no revision in force, so there is nothing to acknowledge.")
        if row.number != revision:
            raise ConflictError(
                f"r{revision} is not the revision in force; that is r{row.number}. Nothing was stored; "
                f"read r{row.number} and acknowledge that."
            )
        known = participation.acknowledgement(session, actor.person_id, sop_id, revision)
        if known is not None:
            return AcknowledgementView(sop_id, revision, known.happened_at, new=False)
        participation.add_acknowledgement(session, person_id=actor.person_id, sop_id=sop_id, revision=revision, now=now)
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="sop.acknowledged",
            subject=sop_id,
            details={"revision": revision},
        )
        return AcknowledgementView(sop_id, revision, now, new=True)


def to_read(stores: Stores, *, actor: Actor, now: datetime, among: Collection[str] | None = None) -> tuple[ToRead, ...]:
    """Return the SOPs that the actor's teams have to read and the actor has not, those due first at the top.

    All of them, or those of a page of ids. Due is seven days after the major revision came into force, or after the
    actor joined the team if that was later.
    """
    with stores.database.read() as session:
        teams_of = participation.for_teams(session, actor.teams, now, among=among)
        texts = participation.texts(session, teams_of.keys(), now)
        known = participation.last_acknowledged(session, actor.person_id)
        joined = _joined(session, actor, now)
    found: list[ToRead] = []
    for sop_id, teams in teams_of.items():
        current, major = in_force(texts[sop_id], now), current_major(texts[sop_id], now)
        if current is None or major is None or not actor.may(Action.READ, current.department):
            continue
        last_read = known[sop_id][0] if sop_id in known else None
        if last_read is not None and last_read >= major.number:
            continue
        due_at = _due(major.effective_from, teams, joined)
        found.append(
            ToRead(
                sop_id=sop_id,
                title=current.title,
                department=current.department,
                revision=current.number,
                major=major.number,
                change_summary=major.change_summary,
                last_read=last_read,
                due_at=due_at,
                overdue=due_at < now,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.due_at, one.sop_id)))


def reading_of(session: Session, actor: Actor, record: SopRecord, *, now: datetime) -> Reading | None:
    """Return what the actor knows of a SOP; None where no revision is in force."""
    row, major = in_force(record.rows, now), current_major(record.rows, now)
    if row is None or major is None:
        return None
    known = participation.last_acknowledged_of(session, actor.person_id, row.sop_id)
    teams = frozenset(row.audience) & actor.teams
    must_read = bool(teams) and (known is None or known[0] < major.number)
    return Reading(
        sop_id=row.sop_id,
        revision=row.number,
        last_read=None if known is None else known[0],
        last_read_at=None if known is None else known[1],
        must_read=must_read,
        due_at=_due(major.effective_from, teams, _joined(session, actor, now)) if must_read else None,
    )


def audience_size(stores: Stores, *, actor: Actor, now: datetime, sop_id: str) -> int:
    """Return how many people a major revision of a SOP asks to read again."""
    with stores.database.read() as session:
        department_in_sight(session, actor, sop_id, now)
        row = sops.in_force_row(session, sop_id, now)
        return 0 if row is None else participation.audience_size(session, row.audience, now)


def _joined(session: Session, actor: Actor, now: datetime) -> Mapping[str, datetime]:
    return {row.team: row.joined_at for row in people.open_memberships(session, [actor.person_id], now)}


def _due(major_since: datetime, teams: frozenset[str], joined: Mapping[str, datetime]) -> datetime:
    # Whoever is in several of its teams had to know it from the first one on.
    member_since = min((joined[team] for team in teams if team in joined), default=major_since)
    return max(major_since, member_since) + ACKNOWLEDGEMENT_GRACE
