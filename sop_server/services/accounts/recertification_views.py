"""What people are shown of a campaign: as much of it as lies in the departments whose roles they decide about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action, Actor, Grant, Role
from sop_server.domain.recertification import Counted, Outcome, Tally, Watchers, refusal, tally, tally_by_department
from sop_server.domain.roles import format_grant
from sop_server.errors import NotFoundError
from sop_server.services.paging import Page, check_limit, number_after
from sop_server.services.stores import Stores
from sop_server.storage import people, recertifications
from sop_server.storage.database import Session
from sop_server.storage.recertifications import Item
from sop_server.storage.tables import Person, Recertification, RecertificationItem


@dataclass(frozen=True, slots=True)
class AskedView:
    """Who was asked to decide about the roles of a department, and as what: manager or admin."""

    department: str | None
    role: Role
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecertificationView:
    """A campaign; its figures are of the departments that the person who asks sees, `department` None is all."""

    id: str
    department: str | None
    note: str | None
    period: str | None
    opened_at: datetime
    opened_by_name: str | None
    due_at: datetime
    closed_at: datetime | None
    figures: Tally
    by_department: tuple[tuple[str | None, Tally], ...]
    asked: tuple[AskedView, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemView:
    """A role in a campaign as it was held when that was opened, and what became of it.

    `refusal` says why the person who asks may not decide about it, None where they may; what is decided, or over,
    nobody decides about again.
    """

    id: int
    email: str
    name: str
    active: bool
    role: str
    department: str | None
    since: datetime
    until: datetime | None
    granted_by_name: str | None
    outcome: Outcome | None
    decided_at: datetime | None
    decided_by_name: str | None
    note: str | None
    bulk: bool
    refusal: str | None


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which roles of a campaign: of a department, of people by name or address, those alone to decide."""

    department: str | None = None
    words: str | None = None
    undecided: bool = False


def list_recertifications(stores: Stores, *, actor: Doer, now: datetime) -> tuple[RecertificationView, ...]:
    """Return the campaigns in which there are roles that the actor decides about, the newest first."""
    actor.require_anywhere(Action.RECERTIFY)
    reach = actor.reach(Action.RECERTIFY)
    with stores.database.read() as session:
        rows = recertifications.campaigns(session, reach)
        counts = recertifications.counts(session, [row.id for row in rows], reach, now=now)
        names = _names(session, [row.opened_by for row in rows])
        return tuple(_campaign(row, counts.get(row.id, ()), names) for row in rows)


def get_recertification(stores: Stores, *, actor: Doer, now: datetime, recertification_id: str) -> RecertificationView:
    """Return one campaign, with who was asked; NotFoundError where there is none for the actor."""
    with stores.database.read() as session:
        return campaign_view(session, actor, recertification_id, now=now)


def campaign_view(session: Session, actor: Doer, recertification_id: str, *, now: datetime) -> RecertificationView:
    """Return a campaign as `get_recertification` does."""
    row = in_sight(session, actor, recertification_id)
    reach = actor.reach(Action.RECERTIFY)
    counts = recertifications.counts(session, [row.id], reach, now=now).get(row.id, ())
    asked: dict[tuple[str | None, str], list[str]] = {}
    for one, person in recertifications.asked(session, row.id):
        if reach is None or one.department in reach:
            asked.setdefault((one.department, one.role), []).append(person.name)
    told = tuple(AskedView(department, Role(role), tuple(names)) for (department, role), names in asked.items())
    return _campaign(row, counts, _names(session, [row.opened_by]), told)


def list_items(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    recertification_id: str,
    wanted: ItemFilter,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[ItemView]:
    """Return a part of the roles in a campaign, in the order in which they were put into it."""
    after = number_after(cursor) or 0
    with stores.database.read() as session:
        row = in_sight(session, actor, recertification_id)
        found = recertifications.items(
            session,
            row.id,
            actor.reach(Action.RECERTIFY),
            now=now,
            department=wanted.department,
            words=wanted.words,
            undecided=wanted.undecided,
            after=after,
            limit=check_limit(limit) + 1,
        )
        watchers = recertifications.watchers(session, now)
        names = _names(session, [one for item in found for one in (item.row.granted_by, item.row.decided_by)])
    shown = tuple(item_view(item, actor, row, watchers, names, now=now) for item in found[:limit])
    return Page(shown, str(shown[-1].id) if len(found) > limit else None)


def in_sight(session: Session, actor: Doer, recertification_id: str) -> Recertification:
    """Return a campaign that the actor may see; NotFoundError for any other, as where there is none."""
    actor.require_anywhere(Action.RECERTIFY)
    number = identifiers.parse_recertification_id(recertification_id)
    row = None if number is None else recertifications.one(session, number)
    reach = actor.reach(Action.RECERTIFY)
    if row is None or not (reach is None or row.department is None or row.department in reach):
        raise NotFoundError(f"There is no re-certification {recertification_id}. Look at the list of them.")
    return row


def role_of(row: RecertificationItem) -> str:
    """Return the role of an item as people write it."""
    return format_grant(Grant(Role(row.role), row.department))


def outcome_of(item: Item, now: datetime) -> Outcome | None:
    """Return what became of a role: one that ended otherwise is gone, whether the campaign was told already or not."""
    if item.row.outcome is not None:
        return Outcome(item.row.outcome)
    return Outcome.GONE if item.ended_at is not None and item.ended_at <= now else None


def item_view(
    item: Item, actor: Actor, campaign: Recertification, watchers: Watchers, names: Mapping[int, str], *, now: datetime
) -> ItemView:
    """Return a role as the actor sees it."""
    row, outcome = item.row, outcome_of(item, now)
    over = campaign.closed_at is not None or campaign.due_at <= now
    why = None if over else refusal(actor, holder=row.person_id, department=row.department, watchers=watchers)
    if outcome is not None or over:
        why = "It is decided." if outcome is not None else "The due date has passed."
    return ItemView(
        id=row.id,
        email=item.person.email,
        name=item.person.name,
        active=item.active,
        role=role_of(row),
        department=row.department,
        since=row.since,
        until=row.until,
        granted_by_name=None if row.granted_by is None else names[row.granted_by],
        outcome=outcome,
        decided_at=row.decided_at if row.outcome is not None else item.ended_at if outcome else None,
        decided_by_name=None if row.decided_by is None else names[row.decided_by],
        note=row.note,
        bulk=row.bulk,
        refusal=why,
    )


def _campaign(
    row: Recertification,
    counts: Iterable[Counted],
    names: Mapping[int, str],
    asked: Sequence[AskedView] = (),
) -> RecertificationView:
    found = list(counts)
    return RecertificationView(
        id=identifiers.recertification_id(row.id),
        department=row.department,
        note=row.note,
        period=row.period,
        opened_at=row.opened_at,
        opened_by_name=None if row.opened_by is None else names[row.opened_by],
        due_at=row.due_at,
        closed_at=row.closed_at,
        figures=tally(found),
        by_department=tally_by_department(found),
        asked=tuple(asked),
    )


def _names(session: Session, person_ids: Iterable[int | None]) -> Mapping[int, str]:
    found: Mapping[int, Person] = people.persons_by_id(session, {one for one in person_ids if one is not None})
    return {person_id: person.name for person_id, person in found.items()}
