"""What somebody holds: SOPs, processes and drafts to hand over, ways in to end, roles that nobody else has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.drafts import DraftState
from sop_server.domain.facts import ProcessStatus
from sop_server.domain.permissions import Action, Grant, Role
from sop_server.domain.roles import format_grant
from sop_server.services.drafts.rules import rules_of
from sop_server.storage import audiences, credentials, drafts, leaving, people, processes, second_factors, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Person

_GUARDED = (Role.EDITOR, Role.APPROVER, Role.MANAGER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Held:
    """A SOP or process that names somebody, as owner, as deputy or both, and the other of the two where there is one.

    `instead_of` is who the SOP names and left before, where this person stands in for them.
    """

    id: str
    title: str
    department: str | None
    as_owner: bool
    as_deputy: bool
    other: str | None
    instead_of: int | None = None


@dataclass(frozen=True, slots=True)
class HeldDraft:
    """An open draft that somebody began."""

    number: int
    id: str
    sop_id: str
    title: str
    department: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A role that nobody would have for a department; None: for what has no department, and for all."""

    department: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that somebody holds. `stuck` are drafts in review that nobody else may decide."""

    sops: tuple[Held, ...]
    processes: tuple[Held, ...]
    drafts: tuple[HeldDraft, ...]
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    sessions: int
    tokens: int
    second_factor: bool
    gaps: tuple[Gap, ...]
    stuck: tuple[str, ...]

    @property
    def needs_successor(self) -> bool:
        """Whether there is anything that somebody has to take over."""
        return bool(self.sops or self.processes or self.drafts)

    @property
    def departments(self) -> tuple[str, ...]:
        """The departments in which something has to be taken over, by name."""
        places = [one.department for one in (*self.sops, *self.processes)]
        return tuple(sorted({one for one in (*places, *(draft.department for draft in self.drafts)) if one}))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to hand over and nothing to end."""
        ways_in = (self.roles, self.teams, self.sessions, self.tokens, self.second_factor)
        return not self.needs_successor and not any(ways_in)


def holdings(session: Session, person: Person, now: datetime) -> Holdings:
    """Return what a person holds at `now`. SOPs that are being handed over already are left out."""
    underway = leaving.underway(session, person.id)
    standing_in = tuple(_standing_in(session, person, now))
    apart = {*underway, *(one.id for one in standing_in)}
    grants = [Grant(Role(row.role), row.department) for row in people.open_grants(session, [person.id], now)]
    return Holdings(
        sops=(
            *(
                _held(person.email, row.sop_id, row.title, row.department, row.owner, row.deputy)
                for row in leaving.naming(session, person.email, at=now)
                if row.sop_id not in apart
            ),
            *standing_in,
        ),
        processes=tuple(
            _held(person.email, process_id, row.name, row.department, row.owner, row.deputy)
            for process_id, row in sorted(processes.newest_versions(session, now).items())
            if row.status == ProcessStatus.ACTIVE and person.email in {_lower(row.owner), _lower(row.deputy)}
        ),
        drafts=tuple(
            HeldDraft(
                draft.id, identifiers.draft_id(draft.id), draft.sop_id, draft.title, draft.department, draft.state
            )
            for draft in leaving.drafts_seen_to_by(session, person.id)
        ),
        roles=tuple(sorted(format_grant(grant) for grant in grants)),
        teams=tuple(row.team for row in people.open_memberships(session, [person.id], now)),
        sessions=credentials.count_open_sessions(session, person.id),
        tokens=sum(row.revoked_at is None for row in credentials.tokens_of(session, person.id)),
        second_factor=second_factors.key_row(session, person.id) is not None,
        gaps=_gaps(session, person, grants, now),
        stuck=_stuck(session, person, now),
    )


def uncovered(
    holders: Iterable[tuple[str, str | None]], asked: Iterable[tuple[str, str | None]]
) -> list[tuple[str, str | None]]:
    """Return the (role, department) among `asked` that none of the holders covers; a role for all covers each."""
    held = set(holders)
    return [(role, where) for role, where in asked if (role, where) not in held and (role, None) not in held]


def _gaps(session: Session, person: Person, grants: Sequence[Grant], now: datetime) -> tuple[Gap, ...]:
    every = [row.slug for row in people.departments(session)]
    asked = [
        (grant.role.value, department)
        for grant in grants
        if grant.role in _GUARDED
        for department in ([None, *every] if grant.department is None else [grant.department])
    ]
    missing = uncovered(leaving.role_holders(session, now, but=person.id), dict.fromkeys(asked))
    return tuple(Gap(department, role) for role, department in missing)


def _stuck(session: Session, person: Person, now: datetime) -> tuple[str, ...]:
    actor = people.load_actor(session, person.id, now)
    if actor is None:
        return ()
    waiting = drafts.draft_rows(session, states=[DraftState.IN_REVIEW])
    authors = drafts.authors_by_draft(session, [draft.id for draft in waiting])
    rules = rules_of(session, waiting, now=now)
    found = []
    for draft in waiting:
        rule = rules[draft.id]
        if rule.may_decide(actor) and person.id not in authors[draft.id]:
            able = {one.id for one in audiences.people_who_may(session, Action.DECIDE, rule.departments, now)}
            if not able.difference(authors[draft.id], [person.id]):
                found.append(identifiers.draft_id(draft.id))
    return tuple(sorted(found))


def _standing_in(session: Session, person: Person, now: datetime) -> Iterable[Held]:
    rows = leaving.standing_in(session, person.id, at=now)
    left = people.persons_by_id(session, [departure.person_id for _, departure in rows])
    serving = {row.sop_id: row for row in sops.in_force_rows(session, now, ids=[row.sop_id for row, _ in rows])}
    for row, departure in rows:
        on = serving[row.sop_id]
        held = _held(left[departure.person_id].email, on.sop_id, on.title, on.department, on.owner, on.deputy)
        yield replace(
            held, instead_of=departure.person_id, other=None if _lower(held.other) == person.email else held.other
        )


def _held(  # noqa: PLR0917 - the columns of one row
    email: str, number: str, title: str, department: str | None, owner: str | None, deputy: str | None
) -> Held:
    as_owner, as_deputy = _lower(owner) == email, _lower(deputy) == email
    others = [one for one in (owner, deputy) if one and _lower(one) != email]
    return Held(number, title, department, as_owner, as_deputy, others[0] if others else None)


def _lower(email: str | None) -> str | None:
    return None if email is None else email.lower()
