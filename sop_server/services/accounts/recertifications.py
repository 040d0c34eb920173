"""Re-certification: opening a campaign, deciding about roles, and what happens when it is due."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer, System
from sop_server.domain.free_text import clean_line
from sop_server.domain.grant_ends import MAX_REASON
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action, Actor, Role
from sop_server.domain.recertification import LONGEST, Outcome, Verdict, Watchers, period, refusal
from sop_server.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from sop_server.services.accounts import notice_mails
from sop_server.services.accounts.guarding import is_last_administrator
from sop_server.services.accounts.recertification_views import (
    RecertificationView,
    campaign_view,
    in_sight,
    outcome_of,
    role_of,
)
from sop_server.services.stores import Stores
from sop_server.storage import audit, people, recertifications, role_grants
from sop_server.storage.database import Session
from sop_server.storage.recertifications import Item
from sop_server.storage.tables import Recertification, RoleGrant

SCHEDULE = System("schedule")
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a decision: of how many roles it holds, and of how many it does not and why."""

    done: int
    passed_over: tuple[str, ...]


def open_recertification(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    department: str | None,
    due_at: datetime,
    note: str | None = None,
) -> RecertificationView:
    """Have every role that is held in a department, or anywhere, confirmed or removed by `due_at`.

    The campaign holds the roles of this instant, but for those that wait in another one. Raises ForbiddenError,
    InvalidInputError for a due date in the past or a department that is not there, ConflictError where nothing is left.
    """
    actor.require_anywhere(Action.ADMINISTER)
    actor.require(Action.ADMINISTER, department)
    if not now < due_at <= now + LONGEST:
        raise InvalidInputError(
            "A re-certification is due on a day to come, within a year. Nothing was opened.",
            fields={"due_at": "must lie ahead, within a year"},
        )
    with stores.database.write() as session:
        if department is not None and people.department(session, department) is None:
            raise InvalidInputError(
                f"There is no department “{department}”. Nothing was opened.", fields={"department": "is not known"}
            )
        row = _open(stores, session, actor, now, department=department, due_at=due_at, note=_note(note), of=None)
        if row is None:
            raise ConflictError(
                "There is no role to decide about: none is held there, or all of them wait in a re-certification that "
                "is open. Nothing was opened."
            )
        return campaign_view(session, actor, _name(row), now=now)


def open_scheduled(stores: Stores, *, now: datetime) -> str | None:
    """Open the campaign of the present period where a schedule asks for one and there is none; returns its id."""
    name = period(stores.policy.recertification, now)
    if name is None:
        return None
    with stores.database.read() as session:
        if recertifications.of_period(session, name) is not None:
            return None
    with stores.database.write() as session:
        if recertifications.of_period(session, name) is not None:
            return None
        due_at = now + timedelta(days=stores.policy.recertification_days)
        row = _open(stores, session, SCHEDULE, now, department=None, due_at=due_at, note=None, of=name)
        return None if row is None else _name(row)


def decide(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    recertification_id: str,
    items: Collection[int],
    verdict: str,
    note: str | None = None,
) -> Decided:
    """Keep or remove roles in a campaign; a removed one ends at once. The first decision about a role stands.

    Several are kept at once with one note, and reported as such; those of them that the actor may not decide about, or
    that are decided, are passed over. About one role alone the same is an error: NotFoundError, ForbiddenError,
    ConflictError. InvalidInputError where the note is missing.
    """
    actor.require_anywhere(Action.RECERTIFY)
    with stores.database.write() as session:
        campaign = in_sight(session, actor, recertification_id)
        chosen, why = _verdict(verdict, items, note)
        if campaign.closed_at is not None or campaign.due_at <= now:
            raise ConflictError(
                "This re-certification is over, and its report does not change any more. Nothing was decided; give or "
                "end the role on the person's page."
            )
        # A number that no database holds is that of no role.
        ids = [one for one in items if 0 < one < 10**identifiers.MAX_DIGITS]
        found = recertifications.items(session, campaign.id, actor.reach(Action.RECERTIFY), now=now, ids=ids)
        if not found:
            raise NotFoundError("There is no such role in this re-certification. Look at it again.")
        watchers = recertifications.watchers(session, now)
        bulk = len(items) > 1
        done, passed = 0, []
        for item in found:
            hindrance = _hindrance(session, actor, item, chosen, watchers, now=now)
            if hindrance is None:
                _settle(session, actor, campaign, item, verdict=chosen, note=why, bulk=bulk, now=now)
                done += 1
            elif not bulk:
                raise hindrance
            else:
                passed.append(f"{item.person.name}, {role_of(item.row)}: {hindrance.message}")
        _close_if_done(session, campaign, now=now)
        return Decided(done, tuple(passed))


def close_due(stores: Stores, *, now: datetime) -> list[str]:
    """End what nobody confirmed in campaigns that are due, and close them; returns a sentence for each.

    In parts, so that nobody waits for long; whoever runs it again goes on from there and changes nothing twice.
    """
    with stores.database.read() as session:
        due = [row.id for row in recertifications.open_campaigns(session) if row.due_at <= now]
    told = []
    for recertification_id in due:
        while (sentence := _close_part(stores, recertification_id, now=now)) is None:
            pass
        told += [sentence] if sentence else []
    return told


def _open(
    stores: Stores,
    session: Session,
    actor: Doer,
    now: datetime,
    *,
    department: str | None,
    due_at: datetime,
    note: str | None,
    of: str | None,
) -> Recertification | None:
    grants = recertifications.grants_to_decide(session, department, now)
    if not grants:
        return None
    row = Recertification(
        department=department, period=of, note=note, opened_at=now, opened_by=actor.person_id, due_at=due_at
    )
    asked = sorted(
        _asked(grants, recertifications.watchers(session, now)), key=lambda one: (one[0] or "", one[1], one[2])
    )
    recertifications.add(session, row, grants=grants, asked=asked)
    details = {"department": department or "all", "due": format_instant(due_at), "roles": len(grants)}
    _record(session, actor.email, "recertification.opened", row, now=now, details=details)
    if stores.mailer is not None:
        notice_mails.ask_to_recertify(session, row, {person_id for _, person_id, _ in asked}, now=now)
    return row


def _asked(grants: Iterable[RoleGrant], watchers: Watchers) -> set[tuple[str | None, int, Role]]:
    """Return who is to decide about any of the roles, by department and as what."""
    found = set()
    for holder, department in {(grant.person_id, grant.department) for grant in grants}:
        role, persons = watchers.of(department, but=holder)
        found |= {(department, person_id, role) for person_id in persons}
    return found


def _verdict(verdict: str, items: Collection[int], note: str | None) -> tuple[Verdict, str | None]:
    try:
        chosen = Verdict(verdict)
    except ValueError as error:
        raise InvalidInputError(
            "Say whether the role is kept or removed. Nothing was decided.", fields={"decision": "keep or remove"}
        ) from error
    why = _note(note)
    if not items:
        raise InvalidInputError("Name the roles that are decided. Nothing was.", fields={"items": "none is named"})
    if chosen is Verdict.REMOVE and len(items) > 1:
        raise InvalidInputError(
            "Roles are removed one by one. Nothing was decided.", fields={"items": "one role to remove"}
        )
    if why is None and (chosen is Verdict.REMOVE or len(items) > 1):
        raise InvalidInputError(
            "Say why: whoever audits this reads the note alone. Nothing was decided.", fields={"note": "is missing"}
        )
    return chosen, why


def _note(text: str | None) -> str | None:
    return clean_line(text or "", field="note", most=MAX_REASON, what="The note") or None


def _hindrance(
    session: Session, actor: Actor, item: Item, verdict: Verdict, watchers: Watchers, *, now: datetime
) -> ConflictError | ForbiddenError | None:
    """Return why a decision about a role can not be taken; None where it can."""
    row = item.row
    why = refusal(actor, holder=row.person_id, department=row.department, watchers=watchers)
    if why is not None:
        return ForbiddenError(why)
    outcome = outcome_of(item, now)
    if outcome is Outcome.GONE:
        return ConflictError(f"The role ended already, on {format_instant(item.ended_at or now)}. Nothing was decided.")
    if outcome is not None:
        by = people.person_row(session, row.decided_by) if row.decided_by is not None else None
        return ConflictError(
            f"{by.name if by else 'Somebody'} decided about it before you: it is {outcome}. That stands; yours was "
            "not kept."
        )
    if verdict is Verdict.REMOVE and _last(session, item, now):
        return ConflictError(
            f"{item.person.name} is the only administrator of this library whose role has no end, so it was not "
            "removed. Make somebody else an administrator without an end first."
        )
    return None


def _last(session: Session, item: Item, now: datetime) -> bool:
    everywhere = item.row.role == Role.ADMIN.value and item.row.department is None
    return everywhere and is_last_administrator(session, item.row.person_id, now)


def _settle(
    session: Session,
    actor: Actor,
    campaign: Recertification,
    item: Item,
    *,
    verdict: Verdict,
    note: str | None,
    bulk: bool,
    now: datetime,
) -> None:
    row = item.row
    row.outcome = Outcome.KEPT if verdict is Verdict.KEEP else Outcome.REMOVED
    row.decided_at, row.decided_by, row.note, row.bulk = now, actor.person_id, note, bulk
    details: dict[str, object] = {"recertification": _name(campaign), "role": role_of(row), "decision": verdict.value}
    details |= {"bulk": True} if bulk else {}
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action="recertification.decided",
        subject=item.person.email,
        details=details,
    )
    if verdict is Verdict.REMOVE:
        _end(session, actor.email, campaign, item, note or "", by=actor.person_id, now=now)


def _end(
    session: Session,
    actor: str,
    campaign: Recertification,
    item: Item,
    reason: str,
    *,
    by: int | None,
    now: datetime,
) -> None:
    grant = recertifications.grant(session, item.row.grant_id)
    if grant is None:
        return
    role_grants.say_end(session, grant, ends_at=now, reason=reason, by=by, now=now)
    audit.record(
        session,
        at=now,
        actor=actor,
        action="role.ended",
        subject=item.person.email,
        details={"role": role_of(item.row), "recertification": _name(campaign)},
    )


def _close_part(stores: Stores, recertification_id: int, *, now: datetime) -> str | None:
    """Settle some roles of a campaign that is due; returns what to tell once it is closed, "" where somebody else did.

    None where there is more of it.
    """
    with stores.database.write() as session:
        campaign = recertifications.one(session, recertification_id)
        if campaign is None or campaign.closed_at is not None:
            return ""
        found = recertifications.items(session, campaign.id, None, now=now, unsettled=True, limit=_AT_ONCE + 1)
        for item in found[:_AT_ONCE]:
            _settle_undecided(session, campaign, item, now=now)
        if len(found) > _AT_ONCE:
            return None
        _close(session, campaign, now=now)
        return f"{_name(campaign)} is closed."


def _settle_undecided(session: Session, campaign: Recertification, item: Item, *, now: datetime) -> None:
    """End a role that nobody confirmed; that of the last administrator is loudly kept."""
    row, doer = item.row, _name(campaign)
    row.decided_at = now
    if outcome_of(item, now) is Outcome.GONE:
        row.outcome, row.decided_at = Outcome.GONE, item.ended_at
    elif _last(session, item, now):
        row.outcome = Outcome.SPARED
        row.note = "Nobody confirmed it; without it nobody would administer the library."
        details = {"recertification": _name(campaign), "role": role_of(row)}
        audit.record(
            session,
            at=now,
            actor=doer,
            action="recertification.spared",
            subject=item.person.email,
            details=details,
        )
    else:
        row.outcome = Outcome.ENDED
        reason = f"Nobody confirmed it in {_name(campaign)}."
        _end(session, doer, campaign, item, reason, by=None, now=now)
    session.flush()


def _close_if_done(session: Session, campaign: Recertification, *, now: datetime) -> None:
    """Close a campaign in which nothing is left to decide."""
    session.flush()
    left: Sequence[Item] = recertifications.items(session, campaign.id, None, now=now, undecided=True, limit=1)
    if left:
        return
    for item in recertifications.items(session, campaign.id, None, now=now, unsettled=True):
        _settle_undecided(session, campaign, item, now=now)
    _close(session, campaign, now=now)


def _close(session: Session, campaign: Recertification, *, now: datetime) -> None:
    campaign.closed_at = now
    session.flush()
    figures = campaign_view(session, SCHEDULE, _name(campaign), now=now).figures
    details = {name: getattr(figures, name) for name in ("total", "kept", "bulk", "removed", "ended", "gone", "spared")}
    _record(session, _name(campaign), "recertification.closed", campaign, now=now, details=details)


def _name(campaign: Recertification) -> str:
    return identifiers.recertification_id(campaign.id)


def _record(
    session: Session, actor: str, action: str, row: Recertification, *, now: datetime, details: dict[str, object]
) -> None:
    audit.record(session, at=now, actor=actor, action=action, subject=_name(row), details=details)
