"""Deviations as they are stored, and the facts that reports and pages read of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from sop_server.domain.deviation_facts import DeviationDecision, DeviationFact
from sop_server.domain.deviations import Terms
from sop_server.storage.database import is_writing
from sop_server.storage.tables import Deviation, DeviationWording, Person

_CHUNK = 500

_KNOWN = (
    select(Deviation, DeviationWording, Person.name)
    .join(DeviationWording, DeviationWording.deviation_id == Deviation.id)
    .outerjoin(Person, Person.id == Deviation.decided_by)
    .where(Deviation.recorded_at <= bindparam("at"), DeviationWording.recorded_at <= bindparam("at"))
    .order_by(Deviation.id, DeviationWording.number)
)
_KNOWN_OF = _KNOWN.where(Deviation.sop_id.in_(bindparam("ids", expanding=True)))


def facts(session: Session, at: datetime, sop_ids: Sequence[str] | None = None) -> tuple[DeviationFact, ...]:
    """Return every deviation as it was known at an instant, of all SOPs or of some, by one query."""
    if sop_ids is None:
        rows = session.execute(_KNOWN, {"at": at})
    else:
        rows = session.execute(_KNOWN_OF, {"at": at, "ids": sop_ids})
    # Of several wordings the last one that was known stays.
    return tuple({row.id: fact_of(row, wording, name, at=at) for row, wording, name in rows}.values())


def fact_of(row: Deviation, wording: DeviationWording, decided_by: str | None, *, at: datetime) -> DeviationFact:
    """Return a deviation in one of its wordings as it was known at an instant."""
    decided = row.decision_recorded_at is not None and row.decision_recorded_at <= at
    ended = row.end_recorded_at is not None and row.end_recorded_at <= at
    return DeviationFact(
        id=row.id,
        sop_id=row.sop_id,
        revision=wording.revision,
        step=wording.step,
        instead=wording.instead,
        why=wording.why,
        reference=wording.reference,
        teams=tuple(wording.teams),
        control=wording.control,
        begins_at=wording.begins_at,
        ends_at=wording.ends_at,
        follows=row.follows_id,
        content_hash=wording.content_hash,
        proposed_at=row.happened_at,
        decision=DeviationDecision(row.decision) if decided and row.decision is not None else None,
        decided_at=row.decided_at if decided else None,
        decided_by=decided_by if decided else None,
        ended_at=row.ended_at if ended else None,
    )


def deviation_row(session: Session, number: int) -> Deviation | None:
    """Return one deviation; inside a writing transaction it is held until the end."""
    query = select(Deviation).where(Deviation.id == number)
    return session.scalar(query.with_for_update() if is_writing(session) else query)


def deviation_rows(
    session: Session, *, before: int | None = None, limit: int, sop_id: str | None = None
) -> Sequence[Deviation]:
    """Return deviations, the newest first."""
    query = select(Deviation).order_by(Deviation.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Deviation.id < before)
    if sop_id is not None:
        query = query.where(Deviation.sop_id == sop_id)
    return session.scalars(query).all()


def rows_to_tell(session: Session, now: datetime, *, proposer: int, refused_after: datetime) -> Sequence[Deviation]:
    """Return what waits for a decision, is in force or still to come, and what was refused to one person lately."""
    decided = or_(Deviation.decision.is_(None), Deviation.decision == DeviationDecision.APPROVED.value)
    refused = and_(
        Deviation.proposed_by == proposer,
        Deviation.decision == DeviationDecision.REFUSED.value,
        Deviation.decided_at > refused_after,
    )
    waiting = and_(decided, Deviation.ended_at.is_(None), _lasting(now))
    return session.scalars(select(Deviation).where(or_(waiting, refused)).order_by(Deviation.id)).all()


def decided_rows(session: Session, decision: DeviationDecision) -> Sequence[Deviation]:
    """Return the deviations on which somebody decided so."""
    return session.scalars(select(Deviation).where(Deviation.decision == decision.value).order_by(Deviation.id)).all()


def running_sops(session: Session, now: datetime) -> set[str]:
    """Return the SOPs with an approved deviation that has not ended; it may still be to come."""
    approved = Deviation.decision == DeviationDecision.APPROVED.value
    return set(session.scalars(select(Deviation.sop_id).where(approved, Deviation.ended_at.is_(None), _lasting(now))))


def _lasting(now: datetime) -> ColumnElement[bool]:
    return (
        select(DeviationWording.id)
        .where(DeviationWording.deviation_id == Deviation.id, DeviationWording.ends_at > now)
        .exists()
    )


def wordings(session: Session, ids: Collection[int]) -> Mapping[int, list[DeviationWording]]:
    """Return the wordings of deviations, each in their order."""
    found: dict[int, list[DeviationWording]] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        for row in session.scalars(
            select(DeviationWording)
            .where(DeviationWording.deviation_id.in_(wanted[start : start + _CHUNK]))
            .order_by(DeviationWording.deviation_id, DeviationWording.number)
        ):
            found.setdefault(row.deviation_id, []).append(row)
    return found


def add_deviation(session: Session, *, sop_id: str, follows: int | None, proposed_by: int, now: datetime) -> Deviation:
    """Store that somebody proposes a deviation; its first wording is added right after."""
    row = Deviation(sop_id=sop_id, follows_id=follows, proposed_by=proposed_by, happened_at=now, recorded_at=now)
    session.add(row)
    session.flush()
    return row


def add_wording(
    session: Session,
    row: Deviation,
    terms: Terms,
    *,
    number: int,
    revision: int,
    content_hash: str,
    person_id: int,
    now: datetime,
) -> DeviationWording:
    """Store what a proposal says from now on."""
    wording = DeviationWording(
        deviation_id=row.id,
        number=number,
        revision=revision,
        step=terms.step,
        instead=terms.instead,
        why=terms.why,
        reference=terms.reference,
        teams=list(terms.teams),
        control=terms.control,
        begins_at=terms.begins_at,
        ends_at=terms.ends_at,
        content_hash=content_hash,
        person_id=person_id,
        happened_at=now,
        recorded_at=now,
    )
    session.add(wording)
    session.flush()
    return wording


def terms_in(wording: DeviationWording) -> Terms:
    """Return what a wording permits."""
    return Terms(
        step=wording.step,
        instead=wording.instead,
        why=wording.why,
        reference=wording.reference,
        teams=tuple(wording.teams),
        control=wording.control,
        begins_at=wording.begins_at,
        ends_at=wording.ends_at,
    )
