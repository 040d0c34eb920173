"""Deciding on a deviation as a second person, and ending one before its time."""

from datetime import datetime

from sop_server.domain.deviation_facts import DeviationDecision
from sop_server.domain.deviations import (
    RUNNING,
    DeviationState,
    require_same_terms,
    require_second_person,
)
from sop_server.domain.free_text import clean_text
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import ConflictError, GoneError
from sop_server.services.deviations.deviation_views import DeviationView, as_seen, deviation_in_sight, views
from sop_server.services.stores import Stores
from sop_server.storage import audit, deviations, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Deviation

MAX_REASON = 1000


def approve_deviation(
    stores: Stores, *, actor: Actor, now: datetime, deviation_id: str, content_hash: str
) -> DeviationView:
    """Permit exactly what was read: the wording with this hash, against the text that is in force.

    Raises ForbiddenError (who wrote it, or has not the role), ConflictError with the hash that stands (another wording,
    another text of the SOP, decided already, its end has passed), GoneError (retired meanwhile).
    """
    actor.require_anywhere(Action.DECIDE_DEVIATION)
    with stores.database.write() as session:
        row, found = _waiting(session, actor, deviation_id, now)
        require_same_terms(content_hash, found.content_hash)
        _require_same_text(session, found, now)
        _decide(session, row, actor, found, decision=DeviationDecision.APPROVED, now=now)
        _record(
            session,
            actor,
            "deviation.approved",
            found,
            now=now,
            content_hash=found.content_hash,
            revision=found.revision,
            ends_at=format_instant(found.ends_at),
        )
        return views(session, [row], now)[0]


def refuse_deviation(stores: Stores, *, actor: Actor, now: datetime, deviation_id: str, reason: str) -> DeviationView:
    """Say no to a proposal, and why."""
    actor.require_anywhere(Action.DECIDE_DEVIATION)
    with stores.database.write() as session:
        row, found = _waiting(session, actor, deviation_id, now)
        why = _reason(reason)
        _decide(session, row, actor, found, decision=DeviationDecision.REFUSED, why=why, now=now)
        _record(session, actor, "deviation.refused", found, now=now, content_hash=found.content_hash)
        return views(session, [row], now)[0]


def end_deviation(stores: Stores, *, actor: Actor, now: datetime, deviation_id: str, reason: str) -> DeviationView:
    """End an approved deviation before its time, and say why. One person may: the SOP holds again as it is written."""
    actor.require_anywhere(Action.END_DEVIATION)
    with stores.database.write() as session:
        row = deviation_in_sight(session, actor, deviation_id, now)
        found = views(session, [row], now)[0]
        actor.require(Action.END_DEVIATION, found.department)
        if found.state not in RUNNING:
            raise ConflictError(
                f"{found.id} is {found.state.replace('_', ' ')}, so there is nothing to end. Nothing was changed."
            )
        row.ended_because, row.ended_by = _reason(reason), actor.person_id
        row.ended_at = row.end_recorded_at = now
        _record(session, actor, "deviation.ended", found, now=now, content_hash=found.content_hash)
        session.flush()
        return as_seen(actor, views(session, [row], now)[0])


def require_decider(actor: Actor, found: DeviationView) -> None:
    """Raise ForbiddenError unless the actor is a second person who decides on deviations of this department."""
    actor.require(Action.DECIDE_DEVIATION, found.department)
    wrote = {one.person for one in found.wordings} | {found.proposed_by}
    require_second_person(actor.person_id, {actor.person_id} if actor.email in wrote else set())


def _waiting(session: Session, actor: Actor, deviation_id: str, now: datetime) -> tuple[Deviation, DeviationView]:
    row = deviation_in_sight(session, actor, deviation_id, now)
    found = views(session, [row], now)[0]
    actor.require(Action.DECIDE_DEVIATION, found.department)
    # By the persons themselves: an address may be given to somebody else.
    wordings = deviations.wordings(session, [row.id])[row.id]
    require_second_person(actor.person_id, {row.proposed_by, *(one.person_id for one in wordings)})
    if found.state is not DeviationState.PROPOSED:
        who = f"{found.decided_by_name} decided on it already" if found.decided_by_name else "its end has passed"
        raise ConflictError(
            f"{found.id} is {found.state.replace('_', ' ')}: {who}. Nothing was changed.",
            content_hash=found.content_hash,
        )
    return row, found


def _require_same_text(session: Session, found: DeviationView, now: datetime) -> None:
    if sops.in_force_row(session, found.sop_id, now) is None:
        raise GoneError(f"{found.sop_id} was retired meanwhile, so nobody has to deviate from it. Nothing was decided.")
    if found.changed_by is not None:
        raise ConflictError(
            f"{found.id} was written against r{found.revision} of {found.sop_id}, and r{found.changed_by} is in force "
            "now. Nothing was decided; whoever proposed it looks at it again and saves it against the new text.",
            content_hash=found.content_hash,
        )


def _decide(
    session: Session,
    row: Deviation,
    actor: Actor,
    found: DeviationView,
    *,
    decision: DeviationDecision,
    now: datetime,
    why: str | None = None,
) -> None:
    row.decision, row.decided_by, row.decided_hash = decision.value, actor.person_id, found.content_hash
    row.decided_because = why
    row.decided_at = row.decision_recorded_at = now
    session.flush()


def _reason(reason: str) -> str:
    return clean_text(reason, field="reason", most=MAX_REASON, what="The reason", required=True)


def _record(
    session: Session, actor: Actor, action: str, found: DeviationView, *, now: datetime, **details: str | int
) -> None:
    # Why it was decided so stands with the deviation: it is people's words, and the trail is kept for ever.
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=action,
        subject=found.sop_id,
        details={"deviation": found.id, **details},
    )
