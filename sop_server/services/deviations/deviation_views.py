"""What the doors show of deviations, and who may see which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import deviations as rules
from sop_server.domain import identifiers
from sop_server.domain.deviation_facts import DeviationFact
from sop_server.domain.deviations import PUBLIC, DeviationState
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import NotFoundError
from sop_server.storage import deviations, people, sops, tickets
from sop_server.storage.database import Session
from sop_server.storage.tables import Deviation, DeviationWording, Person, Revision
from sop_server.storage.tickets import SopStanding


@dataclass(frozen=True, slots=True)
class Wording:
    """What a proposal said, from when on, and who wrote it."""

    number: int
    person: str
    person_name: str
    at: datetime
    content_hash: str


@dataclass(frozen=True, slots=True)
class DeviationView:
    """One deviation as it stands. `starts_at` is never before its approval; `stops_at` is its end, or an early one.

    `follows` is the id of the one that it takes up; `in_row` which one in a row on its SOP it is, or would be once it
    is approved. `changed_by` is the revision that changed its SOP since it was written. Who decided and who ended it
    is None while nobody did.
    """

    id: str
    sop_id: str
    sop_title: str | None
    department: str | None
    owner: str | None
    state: DeviationState
    revision: int
    step: str
    instead: str
    why: str
    reference: str
    teams: tuple[str, ...]
    control: str
    begins_at: datetime
    starts_at: datetime
    ends_at: datetime
    stops_at: datetime
    follows: str | None
    in_row: int
    changed_by: int | None
    content_hash: str
    proposed_by: str
    proposed_by_name: str
    proposed_at: datetime
    wordings: tuple[Wording, ...]
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    decided_because: str | None
    ended_by: str | None
    ended_by_name: str | None
    ended_at: datetime | None
    ended_because: str | None

    def may_be_decided_by(self, actor: Actor) -> bool:
        """Whether somebody may approve or refuse it: a second person with the role, while it waits."""
        wrote = {one.person for one in self.wordings} | {self.proposed_by}
        waits = self.state is DeviationState.PROPOSED and actor.email not in wrote
        return waits and actor.may(Action.DECIDE_DEVIATION, self.department)

    def may_be_edited_by(self, actor: Actor) -> bool:
        """Whether somebody may write it anew, or withdraw it."""
        return self.state is DeviationState.PROPOSED and actor.may(Action.PROPOSE_DEVIATION, self.department)

    def may_be_ended_by(self, actor: Actor) -> bool:
        """Whether somebody may end it before its time."""
        return self.state in rules.RUNNING and actor.may(Action.END_DEVIATION, self.department)


@dataclass(frozen=True, slots=True)
class _Around:
    """What views are made from besides their own rows."""

    wordings: Mapping[int, list[DeviationWording]]
    standings: Mapping[str, SopStanding]
    histories: Mapping[str, list[Revision]]
    persons: Mapping[int, Person]
    known: Mapping[str, list[DeviationFact]]

    def who(self, person_id: int | None) -> tuple[str, str] | tuple[None, None]:
        person = None if person_id is None else self.persons[person_id]
        return (None, None) if person is None else (person.email, person.name)


def may_see(actor: Actor, found: DeviationView) -> bool:
    """Whether a deviation exists for somebody: what was approved with its SOP, the rest as drafts do."""
    if not actor.may(Action.READ, found.department):
        return False
    return found.state in PUBLIC or actor.may(Action.SEE_DRAFTS, found.department)


def as_seen(actor: Actor, found: DeviationView) -> DeviationView:
    """Return a deviation as somebody sees it: how it was written is for those who see drafts."""
    return found if actor.may(Action.SEE_DRAFTS, found.department) else replace(found, wordings=())


def deviation_in_sight(session: Session, actor: Actor, deviation_id: str, now: datetime) -> Deviation:
    """Return a deviation; NotFoundError where there is none of this id for the actor."""
    number = identifiers.parse_deviation_id(deviation_id)
    row = None if number is None else deviations.deviation_row(session, number)
    if row is None or not may_see(actor, views(session, [row], now)[0]):
        raise NotFoundError(f"There is no deviation {deviation_id}. Check the address, or look under Deviations.")
    return row


def views(session: Session, rows: Sequence[Deviation], now: datetime) -> list[DeviationView]:
    """Return deviations as they stand at the present, by a fixed number of queries however many they are."""
    if not rows:
        return []
    wordings = deviations.wordings(session, [row.id for row in rows])
    sop_ids = sorted({row.sop_id for row in rows})
    people_of = {one.person_id for several in wordings.values() for one in several}
    people_of |= {one for row in rows for one in (row.proposed_by, row.decided_by, row.ended_by) if one is not None}
    known: dict[str, list[DeviationFact]] = {}
    for fact in deviations.facts(session, now, sop_ids):
        known.setdefault(fact.sop_id, []).append(fact)
    around = _Around(
        wordings=wordings,
        standings=tickets.sop_standings(session, sop_ids, now),
        histories=sops.histories(session, sop_ids),
        persons=people.persons_by_id(session, people_of),
        known=known,
    )
    return [_view(row, around, now) for row in rows]


def _view(row: Deviation, around: _Around, now: datetime) -> DeviationView:
    written = around.wordings[row.id]
    decided_by, decided_by_name = around.who(row.decided_by)
    ended_by, ended_by_name = around.who(row.ended_by)
    proposer = around.persons[row.proposed_by]
    fact = deviations.fact_of(row, written[-1], decided_by_name, at=now)
    standing = around.standings.get(row.sop_id)
    changed = rules.changed_by(fact, around.histories.get(row.sop_id, ()), now)
    return DeviationView(
        id=identifiers.deviation_id(row.id),
        sop_id=row.sop_id,
        sop_title=None if standing is None else standing.title,
        department=None if standing is None else standing.department,
        owner=None if standing is None else standing.owner,
        state=rules.state(fact, now),
        revision=fact.revision,
        step=fact.step,
        instead=fact.instead,
        why=fact.why,
        reference=fact.reference,
        teams=fact.teams,
        control=fact.control,
        begins_at=fact.begins_at,
        starts_at=rules.starts_at(fact),
        ends_at=fact.ends_at,
        stops_at=rules.stops_at(fact),
        follows=None if fact.follows is None else identifiers.deviation_id(fact.follows),
        in_row=rules.place_if_approved(fact, around.known.get(row.sop_id, ()), now=now),
        changed_by=None if changed is None else changed.number,
        content_hash=fact.content_hash,
        proposed_by=proposer.email,
        proposed_by_name=proposer.name,
        proposed_at=row.happened_at,
        wordings=tuple(
            Wording(
                one.number,
                around.persons[one.person_id].email,
                around.persons[one.person_id].name,
                one.happened_at,
                one.content_hash,
            )
            for one in written
        ),
        decided_by=decided_by,
        decided_by_name=decided_by_name,
        decided_at=row.decided_at,
        decided_because=row.decided_because,
        ended_by=ended_by,
        ended_by_name=ended_by_name,
        ended_at=row.ended_at,
        ended_because=row.ended_because,
    )
