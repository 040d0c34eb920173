"""Departures, and who stands in for whom until the SOPs themselves say so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from sop_server.domain.drafts import EDITABLE, OPEN, DraftState
from sop_server.storage.people import active_at
from sop_server.storage.serving import is_served
from sop_server.storage.tables import (
    Departure,
    DepartureGap,
    Draft,
    DraftKeeper,
    HandOver,
    Person,
    Revision,
    RoleGrant,
)

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who stands in on a SOP, and for whom, by their addresses and names."""

    sop_id: str
    left: str
    left_name: str
    successor: str
    successor_name: str


def departure_row(session: Session, departure_id: int) -> Departure | None:
    """Return one departure."""
    return session.get(Departure, departure_id)


def departures_of(session: Session, person_id: int) -> Sequence[Departure]:
    """Return the departures of a person, the oldest first."""
    return session.scalars(select(Departure).where(Departure.person_id == person_id).order_by(Departure.id)).all()


def hand_overs_of(session: Session, departure_id: int) -> Sequence[HandOver]:
    """Return what was handed over by a departure, by SOP."""
    return session.scalars(
        select(HandOver).where(HandOver.departure_id == departure_id).order_by(HandOver.sop_id)
    ).all()


def unwritten(session: Session, *, limit: int) -> Sequence[HandOver]:
    """Return hand-overs whose draft is still to be written, the oldest first."""
    return session.scalars(
        select(HandOver)
        .where(HandOver.draft_id.is_(None), HandOver.problem.is_(None), HandOver.ended_at.is_(None))
        .order_by(HandOver.id)
        .limit(limit)
    ).all()


def underway(session: Session, person_id: int) -> Mapping[str, HandOver]:
    """Return by SOP what is being handed over from a person: its draft is open, or still to be written."""
    rows = session.scalars(
        select(HandOver)
        .join(Departure, Departure.id == HandOver.departure_id)
        .outerjoin(Draft, Draft.id == HandOver.draft_id)
        .where(
            Departure.person_id == person_id,
            HandOver.ended_at.is_(None),
            or_(HandOver.draft_id.is_(None) & HandOver.problem.is_(None), Draft.state.in_(sorted(OPEN))),
        )
    )
    return {row.sop_id: row for row in rows}


def end_stand_ins(session: Session, person_id: int, *, now: datetime, sop_ids: Collection[str] | None = None) -> None:
    """Let nobody stand in for a person any more, on all SOPs or on some."""
    mine = select(Departure.id).where(Departure.person_id == person_id)
    query = (
        update(HandOver)
        .where(HandOver.departure_id.in_(mine), HandOver.ended_at.is_(None))
        .values(ended_at=now, end_recorded_at=now)
    )
    if sop_ids is not None:
        query = query.where(HandOver.sop_id.in_(sorted(sop_ids)))
    session.execute(query)


def stand_ins(session: Session, sop_ids: Collection[str], *, at: datetime) -> Mapping[str, StandIn]:
    """Return who stands in at `at` on each of the SOPs, for whoever their front matter still names."""
    left, successor = aliased(Person), aliased(Person)
    found: dict[str, StandIn] = {}
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(HandOver.sop_id, left.email, left.name, successor.email, successor.name)
            .join(Departure, Departure.id == HandOver.departure_id)
            .join(left, left.id == Departure.person_id)
            .join(successor, successor.id == HandOver.successor_id)
            .where(HandOver.sop_id.in_(wanted[start : start + _CHUNK]), *_holds(at))
            .order_by(HandOver.id)
        )
        found.update({row[0]: StandIn(*row) for row in rows})
    return found


def stood_in_ids(session: Session, person_id: int, *, at: datetime) -> Sequence[str]:
    """Return the SOPs in force at `at` that name who left, and on which this person stands in for them."""
    return session.scalars(
        select(HandOver.sop_id)
        .join(Departure, Departure.id == HandOver.departure_id)
        .join(Person, Person.id == Departure.person_id)
        .join(Revision, Revision.sop_id == HandOver.sop_id)
        .where(
            HandOver.successor_id == person_id,
            *_holds(at),
            *is_served(at),
            or_(func.lower(Revision.owner) == Person.email, func.lower(Revision.deputy) == Person.email),
        )
        .distinct()
        .order_by(HandOver.sop_id)
    ).all()


def naming(session: Session, email: str, *, at: datetime) -> Sequence[Revision]:
    """Return the revisions in force at `at` whose front matter names this address, as owner or deputy, by SOP."""
    named = or_(func.lower(Revision.owner) == email, func.lower(Revision.deputy) == email)
    return session.scalars(select(Revision).where(named, *is_served(at)).order_by(Revision.sop_id)).all()


def drafts_seen_to_by(session: Session, person_id: int) -> Sequence[Draft]:
    """Return the open drafts that a person sees to, by id: begun and not passed on, or passed on to them."""
    kept = select(DraftKeeper.draft_id).where(DraftKeeper.keeper_id == person_id)
    rows = session.scalars(
        select(Draft)
        .where(or_(Draft.author_id == person_id, Draft.id.in_(kept)), Draft.state.in_(sorted(EDITABLE)))
        .order_by(Draft.id)
    ).all()
    seeing_to = keepers(session, [row.id for row in rows])
    return [
        row for row in rows if seeing_to.get(row.id, row.author_id) == person_id and not is_hand_over(session, row.id)
    ]


def standing_in(session: Session, person_id: int, *, at: datetime) -> Sequence[tuple[HandOver, Departure]]:
    """Return where a person stands in for somebody on a SOP that still names them."""
    ids = stood_in_ids(session, person_id, at=at)
    rows = session.execute(
        select(HandOver, Departure)
        .join(Departure, Departure.id == HandOver.departure_id)
        .where(HandOver.successor_id == person_id, HandOver.sop_id.in_(ids), *_holds(at))
        .order_by(HandOver.sop_id)
    )
    return [(row, departure) for row, departure in rows]


def role_holders(session: Session, at: datetime, *, but: int | None = None) -> frozenset[tuple[str, str | None]]:
    """Return every (role, department) that somebody active holds at `at`, but for one person's own."""
    query = (
        select(RoleGrant.role, RoleGrant.department)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.happened_at <= at,
            or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at > at),
            active_at(at) == true(),
        )
        .distinct()
    )
    if but is not None:
        query = query.where(RoleGrant.person_id != but)
    return frozenset((role, department) for role, department in session.execute(query))


def keepers(session: Session, draft_ids: Collection[int]) -> Mapping[int, int]:
    """Return who sees to drafts that somebody who left began, by the draft; the last word counts."""
    rows = session.execute(
        select(DraftKeeper.draft_id, DraftKeeper.keeper_id)
        .where(DraftKeeper.draft_id.in_(sorted(draft_ids)))
        .order_by(DraftKeeper.id)
    )
    found: dict[int, int] = {}
    found.update((draft_id, keeper_id) for draft_id, keeper_id in rows)
    return found


def is_hand_over(session: Session, draft_id: int) -> bool:
    """Whether the server wrote this draft to hand a SOP over."""
    return session.scalar(select(HandOver.id).where(HandOver.draft_id == draft_id)) is not None


def hand_overs_among(session: Session, draft_ids: Collection[int]) -> frozenset[int]:
    """Return those of the drafts that the server wrote to hand a SOP over."""
    wanted = HandOver.draft_id.in_(sorted(draft_ids))
    return frozenset(one for one in session.scalars(select(HandOver.draft_id).where(wanted)) if one is not None)


def waiting(session: Session) -> Sequence[tuple[Departure, HandOver, Draft]]:
    """Return the hand-overs that are in review, by departure and SOP."""
    rows = session.execute(
        select(Departure, HandOver, Draft)
        .join(HandOver, HandOver.departure_id == Departure.id)
        .join(Draft, Draft.id == HandOver.draft_id)
        .where(Draft.state == DraftState.IN_REVIEW)
        .order_by(Departure.id, HandOver.sop_id)
    )
    return [(departure, row, draft) for departure, row, draft in rows]


def handed_over_sops(session: Session) -> frozenset[str]:
    """Return every SOP that was ever handed over."""
    return frozenset(session.scalars(select(HandOver.sop_id).distinct()))


def hand_over_drafts(session: Session, person_id: int) -> Sequence[Draft]:
    """Return the drafts that hand SOPs over from a person or to them."""
    return session.scalars(
        select(Draft)
        .join(HandOver, HandOver.draft_id == Draft.id)
        .join(Departure, Departure.id == HandOver.departure_id)
        .where(or_(Departure.person_id == person_id, HandOver.successor_id == person_id))
    ).all()


def gaps(session: Session) -> Sequence[DepartureGap]:
    """Return what departures left without anybody, then."""
    return session.scalars(select(DepartureGap).order_by(DepartureGap.id)).all()


def _holds(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return HandOver.happened_at <= at, or_(HandOver.ended_at.is_(None), HandOver.ended_at > at)
