"""People: who they are, what they may do, which teams they are in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import Doer
from sop_server.domain.grant_ends import check_end, check_reason
from sop_server.domain.instants import format_instant
from sop_server.domain.people import clean_email, clean_name
from sop_server.domain.permissions import Action, Grant, Role
from sop_server.domain.roles import clean_slug, format_grant, parse_grant
from sop_server.errors import ConflictError, ForbiddenError, NotFoundError
from sop_server.services.accounts import team_reach
from sop_server.services.accounts.guarding import refuse_outlasting, require_another_administrator
from sop_server.services.accounts.person_views import PersonView, seen_by, view_of
from sop_server.services.paging import Page, check_limit
from sop_server.services.stores import Stores
from sop_server.storage import audit, credentials, leaving, people, provider_links, role_grants
from sop_server.storage.database import Session
from sop_server.storage.tables import Membership, Person, PersonState, RoleGrant


@dataclass(frozen=True, slots=True)
class PersonAdded:
    """What became of `add_person`: the person, and whether the account is new."""

    person: PersonView
    created: bool


def add_person(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    email: str,
    name: str,
    roles: Sequence[str] = (),
    teams: Sequence[str] = (),
    until: datetime | None = None,
    reason: str | None = None,
) -> PersonAdded:
    """Add a person, or give one who exists the name, the roles and the teams named; nothing is taken away.

    Roles that are given `until` an instant end by themselves, and say why. Departments and teams come to be when they
    are first named. Raises ForbiddenError, InvalidInputError, and ConflictError where a role is held with another end.
    """
    actor.require_anywhere(Action.ADMINISTER)
    grants = [parse_grant(role) for role in roles]
    for grant in grants:
        actor.require(Action.ADMINISTER, grant.department)
    address, clean = clean_email(email), clean_name(name)
    slugs = [clean_slug(team, what="team", field="teams") for team in teams]
    with stores.database.write() as session:
        person = people.person_by_email(session, address)
        created = person is None
        if person is None:
            person = _new_person(session, actor, email=address, name=clean, now=now)
        elif person.name != clean:
            _require_reach(session, actor, person, now)
            person.name = clean
            _record(session, actor, "person.renamed", person, now)
        _grant(session, actor, person, grants, now, until=until, reason=reason)
        _join(session, actor, person, slugs, now)
        return PersonAdded(_view(session, person, now), created)


def rename_person(stores: Stores, *, actor: Doer, now: datetime, email: str, name: str) -> PersonView:
    """Correct a person's name."""
    actor.require_anywhere(Action.ADMINISTER)
    with stores.database.write() as session:
        person = _existing(session, email)
        _require_reach(session, actor, person, now)
        person.name = clean_name(name)
        _record(session, actor, "person.renamed", person, now)
        return _view(session, person, now)


def deactivate_person(stores: Stores, *, actor: Doer, now: datetime, email: str) -> PersonView:
    """Let a person do nothing any more, at once and on every device. What they did keeps their name."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.write() as session:
        person = _existing(session, email)
        if people.is_active(session, person.id, now):
            require_another_administrator(session, person, now)
            _set_state(session, actor, person, now, active=False)
            credentials.end_sessions(session, person.id, now=now)
            credentials.void_links(session, person.id, now=now)
            _record(session, actor, "person.deactivated", person, now)
        return _view(session, person, now)


def reactivate_person(stores: Stores, *, actor: Doer, now: datetime, email: str) -> PersonView:
    """Let a person in again, with the roles and teams that were not ended."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.write() as session:
        person = _existing(session, email)
        if person.erased_at is not None:
            raise ConflictError(f"The data of {person.name} was erased. Add them as a new person. Nothing was changed.")
        if not people.is_active(session, person.id, now):
            _set_state(session, actor, person, now, active=True)
            leaving.end_stand_ins(session, person.id, now=now)
            _record(session, actor, "person.reactivated", person, now)
        return _view(session, person, now)


def grant_role(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    email: str,
    role: str,
    until: datetime | None = None,
    reason: str | None = None,
) -> PersonView:
    """Give a person a role, `R` or `R@DEPARTMENT`, for good or `until` an instant and for a reason.

    One that is held already changes nothing; ConflictError where it is held with another end than is asked for.
    ForbiddenError where somebody gives themselves one that outlasts their own role as an administrator.
    """
    actor.require_anywhere(Action.ADMINISTER)
    grant = parse_grant(role)
    actor.require(Action.ADMINISTER, grant.department)
    with stores.database.write() as session:
        person = _existing(session, email)
        if until is None:
            _refuse_ending(session, person, grant, now)
        _grant(session, actor, person, [grant], now, until=until, reason=reason)
        return _view(session, person, now)


def set_end(
    stores: Stores, *, actor: Doer, now: datetime, email: str, role: str, until: datetime | None, reason: str
) -> PersonView:
    """Say until when a person holds a role, None for no end, and why. What was said before is kept.

    Nobody moves the end of a role of their own. Raises ForbiddenError, InvalidInputError for an end in the past,
    NotFoundError where they do not hold it, ConflictError where no administrator without an end would be left.
    """
    actor.require_anywhere(Action.ADMINISTER)
    grant = parse_grant(role)
    actor.require(Action.ADMINISTER, grant.department)
    why = check_reason(reason)
    end = None if until is None else check_end(until, now=now)
    with stores.database.write() as session:
        person = _existing(session, email)
        if person.id == actor.person_id:
            raise ForbiddenError("Nobody moves the end of a role of their own. Ask another administrator.")
        held = _held(session, person, grant, now)
        if end is not None and grant == Grant(Role.ADMIN, None):
            require_another_administrator(session, person, now)
        for row in held:
            role_grants.say_end(session, row, ends_at=end, reason=why, by=actor.person_id, now=now)
        # The reason is kept with the role: the trail is for ever, and a reason may name somebody.
        told = "no end" if end is None else format_instant(end)
        _record(session, actor, "role.end_set", person, now, role=format_grant(grant), until=told)
        return _view(session, person, now)


def end_role(stores: Stores, *, actor: Doer, now: datetime, email: str, role: str) -> PersonView:
    """End a role of a person; raises NotFoundError where they do not hold it."""
    actor.require_anywhere(Action.ADMINISTER)
    grant = parse_grant(role)
    actor.require(Action.ADMINISTER, grant.department)
    with stores.database.write() as session:
        person = _existing(session, email)
        held = _held(session, person, grant, now)
        if grant == Grant(Role.ADMIN, None):
            require_another_administrator(session, person, now)
        for row in held:
            role_grants.say_end(session, row, ends_at=now, reason=None, by=actor.person_id, now=now)
        _record(session, actor, "role.ended", person, now, role=format_grant(grant))
        return _view(session, person, now)


def join_team(stores: Stores, *, actor: Doer, now: datetime, email: str, team: str) -> PersonView:
    """Put a person into a team, from now on."""
    actor.require_anywhere(Action.ADMINISTER)
    slug = clean_slug(team, what="team", field="team")
    with stores.database.write() as session:
        person = _existing(session, email)
        _join(session, actor, person, [slug], now)
        return _view(session, person, now)


def leave_team(stores: Stores, *, actor: Doer, now: datetime, email: str, team: str) -> PersonView:
    """Take a person out of a team, from now on; raises NotFoundError where they are not in it."""
    actor.require_anywhere(Action.ADMINISTER)
    slug = clean_slug(team, what="team", field="team")
    with stores.database.write() as session:
        person = _existing(session, email)
        team_reach.require_team(session, actor, slug)
        memberships = [row for row in people.open_memberships(session, [person.id], now) if row.team == slug]
        if not memberships:
            raise NotFoundError(f"{person.name} is not in the team “{slug}”. Nothing was changed.")
        for row in memberships:
            row.left_at = row.left_recorded_at = now
        _record(session, actor, "team.left", person, now, team=slug)
        return _view(session, person, now)


def get_person(stores: Stores, *, actor: Doer, now: datetime, email: str) -> PersonView:
    """Return one person; administrators see everyone, others themselves."""
    if actor.email != email.strip().lower():
        actor.require_anywhere(Action.ADMINISTER)
    with stores.database.read() as session:
        return seen_by(session, actor, [_view(session, _existing(session, email), now)])[0]


def list_people(
    stores: Stores, *, actor: Doer, now: datetime, words: str | None = None, limit: int = 50, cursor: str | None = None
) -> Page[PersonView]:
    """Return people by address; `words` keeps those whose name or address contains them."""
    actor.require_anywhere(Action.ADMINISTER)
    with stores.database.read() as session:
        found = people.people(session, now, words=words, after=cursor, limit=check_limit(limit) + 1)
        shown = tuple(seen_by(session, actor, [view_of(facts) for facts in found[:limit]]))
    return Page(shown, shown[-1].email if len(found) > limit else None)


def _new_person(session: Session, actor: Doer, *, email: str, name: str, now: datetime) -> Person:
    person = Person(email=email, name=name, password_hash=None, created_at=now)
    session.add(person)
    session.flush()
    _set_state(session, actor, person, now, active=True)
    _record(session, actor, "person.added", person, now)
    return person


def _set_state(session: Session, actor: Doer, person: Person, now: datetime, *, active: bool) -> None:
    session.add(
        PersonState(person_id=person.id, active=active, happened_at=now, recorded_at=now, recorded_by=actor.person_id)
    )
    session.flush()


def _grant(
    session: Session,
    actor: Doer,
    person: Person,
    grants: Sequence[Grant],
    now: datetime,
    *,
    until: datetime | None,
    reason: str | None,
) -> None:
    end = None if until is None else check_end(until, now=now)
    why = check_reason(reason) if end is not None or reason else None
    held = {Grant(Role(row.role), row.department): row for row in people.open_grants(session, [person.id], now)}
    people.ensure_departments(session, [grant.department for grant in grants], now=now)
    for grant in dict.fromkeys(grants):
        if grant in held:
            if end is not None and held[grant].ended_at != end:
                raise _held_otherwise(person, grant, held[grant].ended_at)
            # Given by groups so far, and from now on by hand too: leaving the group does not end it.
            if provider_links.keep_grants(session, [held[grant].id], now=now):
                _record(session, actor, "role.granted", person, now, role=format_grant(grant), before="by groups")
            continue
        refuse_outlasting(session, actor, person, grant, until=end, now=now)
        row = RoleGrant(
            person_id=person.id,
            role=grant.role.value,
            department=grant.department,
            happened_at=now,
            recorded_at=now,
            granted_by=actor.person_id,
            reason=why,
        )
        session.add(row)
        told = {} if end is None else {"until": format_instant(end)}
        if end is not None:
            role_grants.say_end(session, row, ends_at=end, reason=why, by=actor.person_id, now=now)
        _record(session, actor, "role.granted", person, now, role=format_grant(grant), **told)


def _refuse_ending(session: Session, person: Person, grant: Grant, now: datetime) -> None:
    """Raise ConflictError where the role is held and ends by itself: “given from now on” would not be true of it."""
    for row in people.open_grants(session, [person.id], now):
        if _same(row, grant) and row.ended_at is not None:
            raise _held_otherwise(person, grant, row.ended_at)


def _held_otherwise(person: Person, grant: Grant, ends_at: datetime | None) -> ConflictError:
    end = "without an end" if ends_at is None else f"until {format_instant(ends_at)}"
    return ConflictError(
        f"{person.name} holds the role “{format_grant(grant)}” already, {end}. Change its end instead. "
        "Nothing was changed."
    )


def _held(session: Session, person: Person, grant: Grant, now: datetime) -> Sequence[RoleGrant]:
    held = [row for row in people.open_grants(session, [person.id], now) if _same(row, grant)]
    if not held:
        raise NotFoundError(f"{person.name} does not hold the role “{format_grant(grant)}”. Nothing was changed.")
    return held


def _join(session: Session, actor: Doer, person: Person, slugs: Sequence[str], now: datetime) -> None:
    for slug in slugs:
        if people.team(session, slug) is None:
            people.ensure_teams(session, [slug], now=now, department=team_reach.home_of_new(actor))
    member_of = {row.team: row.id for row in people.open_memberships(session, [person.id], now)}
    for slug in dict.fromkeys(slugs):
        if slug in member_of:
            if provider_links.keep_memberships(session, [member_of[slug]], now=now):
                _record(session, actor, "team.joined", person, now, team=slug, before="by groups")
            continue
        team_reach.require_team(session, actor, slug)
        session.add(Membership(person_id=person.id, team=slug, joined_at=now, recorded_at=now))
        _record(session, actor, "team.joined", person, now, team=slug)


def _require_reach(session: Session, actor: Doer, person: Person, now: datetime) -> None:
    """Raise ForbiddenError unless the actor administers everything that the person holds."""
    for grant in people.open_grants(session, [person.id], now):
        actor.require(Action.ADMINISTER, grant.department)


def _existing(session: Session, email: str) -> Person:
    person = people.person_by_email(session, email.strip().lower())
    if person is None:
        raise NotFoundError(f"Nobody is known as “{email}”. Check the address, or add the person first.")
    return person


def _same(row: RoleGrant, grant: Grant) -> bool:
    return row.role == grant.role.value and row.department == grant.department


def _record(session: Session, actor: Doer, action: str, person: Person, now: datetime, **details: str) -> None:
    audit.record(session, at=now, actor=actor.email, action=action, subject=person.email, details=details)


def _view(session: Session, person: Person, now: datetime) -> PersonView:
    session.flush()
    (facts,) = people.people(session, now, ids=[person.id])
    return view_of(facts)
