"""Hand over and end access: one transaction says who takes over and ends every way in; drafts follow from it.

What the transaction writes is enough for the rest: a process that dies behind it leaves hand-overs without a draft,
and the next `write_drafts` (this one's, the server's or that of a second call) goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.drafts import EDITABLE, DraftState
from sop_server.domain.free_text import clean_line
from sop_server.domain.permissions import Action
from sop_server.errors import ConflictError, NotFoundError
from sop_server.services.accounts.guarding import require_another_administrator
from sop_server.services.leaving.drafting import write_drafts
from sop_server.services.leaving.holdings import Holdings, holdings
from sop_server.services.leaving.planning import Plan, Successors, Transfer, plan
from sop_server.services.stores import Stores
from sop_server.storage import (
    audit,
    credentials,
    drafts,
    leaving,
    people,
    processes,
    provider_links,
    role_grants,
    second_factors,
)
from sop_server.storage.database import Session
from sop_server.storage.tables import Departure, DepartureGap, DraftKeeper, HandOver, Person, PersonState

LEFT = "person.left"
MAX_REASON = 500
AT_ONCE = 40
"""How many drafts are written before the answer; the server writes the rest in the background."""


@dataclass(frozen=True, slots=True)
class Departed:
    """What a departure did: `drafted` SOPs wait for approval; of those in `problems` (id, why) there is no draft.

    `coming` are still to be drafted, by the server in the background.
    """

    plan: Plan
    departure_id: int | None
    drafted: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]
    coming: int


def preview(stores: Stores, *, actor: Doer, now: datetime, email: str, successors: Successors) -> Plan:
    """Return what `leave` would do, and raise what it would raise."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        person = _leaver(session, actor, email)
        found = plan(session, person, successors, now)
        if found.active:
            require_another_administrator(session, person, now)
        return found


def look(stores: Stores, *, actor: Doer, now: datetime, email: str) -> Holdings:
    """Return what a person holds, before anybody is named who takes over."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        return holdings(session, _leaver(session, actor, email), now)


def leave(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    email: str,
    successors: Successors,
    reason: str = "",
    at_once: int = AT_ONCE,
) -> Departed:
    """Hand what a person holds over to others, end their access, and say what is left without anybody.

    Doing it again does what is still to be done, and nothing twice. Raises ForbiddenError, NotFoundError, ConflictError
    (oneself, the last administrator) and InvalidInputError (successors), before anything is changed.
    """
    actor.require(Action.ADMINISTER, None)
    why = clean_line(reason, field="reason", most=MAX_REASON, what="The reason")
    with stores.database.write() as session:
        person = _leaver(session, actor, email)
        person_id = person.id
        decided = plan(session, person, successors, now)
        if decided.active:
            require_another_administrator(session, person, now)
        if decided.active or not decided.held.is_empty:
            _depart(session, actor, person, decided, now, reason=why)
    write_drafts(stores, now=now, most=at_once)
    return _outcome(stores, person_id, decided)


def _leaver(session: Session, actor: Doer, email: str) -> Person:
    person = people.person_by_email(session, email.strip().lower())
    if person is None:
        raise NotFoundError(f"Nobody is known as “{email}”. Check the address.")
    if person.id == actor.person_id:
        raise ConflictError(
            "Nobody ends their own access: another administrator has to do it. Nothing was changed.",
        )
    return person


def _depart(session: Session, actor: Doer, person: Person, decided: Plan, now: datetime, *, reason: str) -> None:
    departure = _hand_over_sops(session, actor, person.id, [one for one in decided.sops if _own(one)], now, reason)
    for left in sorted({one.what.instead_of for one in decided.sops if one.what.instead_of is not None}):
        # They stood in for somebody who left before: that one's SOPs go on to somebody else, and are drafted anew.
        passed_on = [one for one in decided.sops if one.what.instead_of == left]
        _withdraw(session, actor, left, [one.what.id for one in passed_on], now)
        _hand_over_sops(session, actor, left, passed_on, now, reason)
    for one in decided.drafts:
        session.add(
            DraftKeeper(
                departure_id=departure.id,
                draft_id=one.what.number,
                keeper_id=one.to.person_id,
                happened_at=now,
                recorded_at=now,
            )
        )
    for transfer in decided.processes:
        _hand_over_process(session, actor, transfer, now)
    session.add_all(
        DepartureGap(departure_id=departure.id, department=one.department, role=one.role, recorded_at=now)
        for one in decided.gaps
    )
    _end_access(session, actor, person, now, active=decided.active)
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=LEFT,
        subject=person.email,
        details={
            "to": sorted(decided.successors),
            "sops": len(decided.sops),
            "processes": [one.what.id for one in decided.processes],
            "drafts": [one.what.id for one in decided.drafts],
            "roles": list(decided.held.roles),
            "teams": list(decided.held.teams),
            "reason": reason,
        },
    )


def _own(one: Transfer) -> bool:
    return one.what.instead_of is None


def _hand_over_sops(  # noqa: PLR0917 - one caller
    session: Session, actor: Doer, person_id: int, transfers: Sequence[Transfer], now: datetime, reason: str
) -> Departure:
    departure = Departure(
        person_id=person_id, started_by=actor.person_id, reason=reason, happened_at=now, recorded_at=now
    )
    session.add(departure)
    session.flush()
    leaving.end_stand_ins(session, person_id, now=now, sop_ids=[one.what.id for one in transfers])
    session.add_all(
        HandOver(
            departure_id=departure.id,
            sop_id=one.what.id,
            successor_id=one.to.person_id,
            happened_at=now,
            recorded_at=now,
        )
        for one in transfers
    )
    session.flush()
    return departure


def _withdraw(session: Session, actor: Doer, left: int, sop_ids: Sequence[str], now: datetime) -> None:
    """Give up the drafts that name who leaves now as the successor of who left before."""
    underway = leaving.underway(session, left)
    for sop_id in sop_ids:
        row = underway.get(sop_id)
        draft = None if row is None or row.draft_id is None else drafts.draft_row(session, row.draft_id)
        if draft is not None and draft.state in EDITABLE:
            draft.state = DraftState.WITHDRAWN
            draft.updated_at = now
            drafts.void_approvals(session, draft.id, now=now)
            told = {"draft": identifiers.draft_id(draft.id)}
            audit.record(
                session, at=now, actor=actor.email, action="draft.withdrawn", subject=draft.sop_id, details=told
            )


def _hand_over_process(session: Session, actor: Doer, one: Transfer, now: datetime) -> None:
    newest = processes.newest_versions(session, now, [one.what.id])[one.what.id]
    content = replace(processes.content_of(newest), owner=one.owner, deputy=one.deputy)
    processes.add_version(session, one.what.id, content, person_id=actor.person_id, at=now, now=now)
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action="process.handed_over",
        subject=one.what.id,
        details={"owner": one.owner, "deputy": one.deputy},
    )


def _end_access(session: Session, actor: Doer, person: Person, now: datetime, *, active: bool) -> None:
    for row in people.open_grants(session, [person.id], now):
        role_grants.say_end(session, row, ends_at=now, reason=None, by=actor.person_id, now=now)
    for member in people.open_memberships(session, [person.id], now):
        member.left_at = member.left_recorded_at = now
    credentials.end_sessions(session, person.id, now=now)
    credentials.void_links(session, person.id, now=now)
    credentials.revoke_tokens(session, person.id, now=now)
    second_factors.forget(session, person.id)
    provider_links.end_links(session, person.id, by=actor.person_id, now=now)
    if active:
        session.add(
            PersonState(
                person_id=person.id, active=False, happened_at=now, recorded_at=now, recorded_by=actor.person_id
            )
        )
        audit.record(session, at=now, actor=actor.email, action="person.deactivated", subject=person.email)
    session.flush()


def _outcome(stores: Stores, person_id: int, decided: Plan) -> Departed:
    with stores.database.read() as session:
        departures = leaving.departures_of(session, person_id)
        rows = leaving.hand_overs_of(session, departures[-1].id) if departures else []
        return Departed(
            decided,
            departures[-1].id if departures else None,
            tuple(row.sop_id for row in rows if row.draft_id is not None),
            tuple((row.sop_id, row.problem) for row in rows if row.problem is not None),
            sum(row.draft_id is None and row.problem is None and row.ended_at is None for row in rows),
        )
