"""Proposing a deviation, writing the proposal anew, and withdrawing it."""

from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.deviation_facts import DeviationDecision
from sop_server.domain.deviations import (
    PUBLIC,
    DeviationInput,
    DeviationState,
    Terms,
    terms_hash,
    terms_of,
)
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import ConflictError, GoneError, InvalidInputError, StaleEditError
from sop_server.services.deviations.deviation_views import DeviationView, deviation_in_sight, may_see, views
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.stores import Stores
from sop_server.storage import audit, deviations, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Deviation, DeviationWording, Revision


def propose_deviation(
    stores: Stores, *, actor: Actor, now: datetime, sop_id: str, given: DeviationInput, follows: str | None = None
) -> DeviationView:
    """Ask that something else than a SOP says be done for a time; `follows` names the deviation that this takes up.

    Raises NotFoundError, ForbiddenError, GoneError (retired), ConflictError (nothing in force), InvalidInputError.
    """
    actor.require_anywhere(Action.PROPOSE_DEVIATION)
    with stores.database.write() as session:
        row = require_deviable(session, actor, sop_id, now)
        former = None if follows is None else _former(session, actor, sop_id, follows, now)
        terms = terms_of(given, audience=row.audience, now=now)
        made = deviations.add_deviation(session, sop_id=sop_id, follows=former, proposed_by=actor.person_id, now=now)
        wording = _write(session, made, terms, row, actor, number=1, now=now)
        _record(session, actor, "deviation.proposed", made, wording=wording, now=now)
        return views(session, [made], now)[0]


def edit_deviation(
    stores: Stores, *, actor: Actor, now: datetime, deviation_id: str, content_hash: str, given: DeviationInput
) -> DeviationView:
    """Write a proposal anew against the revision in force; `content_hash` is that of the wording that was read.

    Whoever edits it cannot decide on it. Raises StaleEditError where somebody edited it meanwhile, ConflictError where
    it was decided.
    """
    actor.require_anywhere(Action.PROPOSE_DEVIATION)
    with stores.database.write() as session:
        row, found = _proposal(session, actor, deviation_id, now, verb="edited")
        serving = _serving(session, row.sop_id, now)
        if content_hash != found.content_hash:
            raise StaleEditError(
                "Somebody edited this proposal after you read it. Yours was not stored over theirs: keep it, read the "
                "proposal again, and bring both together."
            )
        wordings = deviations.wordings(session, [row.id])[row.id]
        before = deviations.terms_in(wordings[-1])
        terms = terms_of(given, audience=serving.audience, now=now, before=before)
        wording = _write(session, row, terms, serving, actor, number=wordings[-1].number + 1, now=now)
        _record(session, actor, "deviation.edited", row, wording=wording, now=now)
        return views(session, [row], now)[0]


def withdraw_deviation(stores: Stores, *, actor: Actor, now: datetime, deviation_id: str) -> DeviationView:
    """Take a proposal back before anybody decided on it."""
    actor.require_anywhere(Action.PROPOSE_DEVIATION)
    with stores.database.write() as session:
        row, found = _proposal(session, actor, deviation_id, now, verb="withdrawn")
        row.decision, row.decided_by = DeviationDecision.WITHDRAWN.value, actor.person_id
        row.decided_hash, row.decided_at, row.decision_recorded_at = found.content_hash, now, now
        session.flush()
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="deviation.withdrawn",
            subject=row.sop_id,
            details={"deviation": found.id, "content_hash": found.content_hash},
        )
        return views(session, [row], now)[0]


def deviable(stores: Stores, *, actor: Actor, now: datetime, sop_id: str) -> Revision:
    """Return the revision in force that the actor may propose a deviation from; raises as `propose_deviation` does."""
    with stores.database.read() as session:
        return require_deviable(session, actor, sop_id, now)


def require_deviable(session: Session, actor: Actor, sop_id: str, now: datetime) -> Revision:
    """Return the same, within a transaction."""
    actor.require(Action.PROPOSE_DEVIATION, department_in_sight(session, actor, sop_id, now))
    return _serving(session, sop_id, now)


def _serving(session: Session, sop_id: str, now: datetime) -> Revision:
    row = sops.in_force_row(session, sop_id, now)
    if row is not None:
        return row
    if sops.latest_row(session, sop_id, now) is None:
        raise ConflictError(f"{sop_id} is not in force yet, so there is nothing to deviate from. Edit its draft.")
    raise GoneError(f"{sop_id} is retired, so nobody works by it any more, and nobody has to deviate from it.")


def _former(session: Session, actor: Actor, sop_id: str, follows: str, now: datetime) -> int:
    number = identifiers.parse_deviation_id(follows)
    row = None if number is None else deviations.deviation_row(session, number)
    known = None if row is None or row.sop_id != sop_id else views(session, [row], now)[0]
    if row is None or known is None or not may_see(actor, known) or known.state not in PUBLIC:
        raise InvalidInputError(
            f"There is no approved deviation {follows[:20]} from {sop_id} that this could follow. Nothing was stored; "
            "look at its deviations, or leave it empty.",
            fields={"follows": f"must be an approved deviation from {sop_id}"},
        )
    return row.id


def _proposal(
    session: Session, actor: Actor, deviation_id: str, now: datetime, *, verb: str
) -> tuple[Deviation, DeviationView]:
    row = deviation_in_sight(session, actor, deviation_id, now)
    found = views(session, [row], now)[0]
    actor.require(Action.PROPOSE_DEVIATION, found.department)
    if found.state is not DeviationState.PROPOSED:
        raise ConflictError(
            f"{found.id} is {found.state.replace('_', ' ')}, so it cannot be {verb} any more. Nothing was changed; "
            "what is approved never changes: end it, and propose another one."
        )
    return row, found


def _write(
    session: Session, row: Deviation, terms: Terms, serving: Revision, actor: Actor, *, number: int, now: datetime
) -> DeviationWording:
    return deviations.add_wording(
        session,
        row,
        terms,
        number=number,
        revision=serving.number,
        content_hash=terms_hash(terms, sop_id=row.sop_id, revision=serving.number, follows=row.follows_id),
        person_id=actor.person_id,
        now=now,
    )


def _record(
    session: Session, actor: Actor, action: str, row: Deviation, *, wording: DeviationWording, now: datetime
) -> None:
    # What is done and why are people's words and may name some: the audit trail, kept for ever, holds their hash.
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=action,
        subject=row.sop_id,
        details={
            "deviation": identifiers.deviation_id(row.id),
            "content_hash": wording.content_hash,
            "revision": wording.revision,
            "begins_at": format_instant(wording.begins_at),
            "ends_at": format_instant(wording.ends_at),
            **({} if row.follows_id is None else {"follows": identifiers.deviation_id(row.follows_id)}),
        },
    )
