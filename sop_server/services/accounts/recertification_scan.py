"""What the scan does about roles: it opens, reminds, closes, and finds what nobody looks after."""

from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.findings import Found
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.recertification import REMINDER, Running, access_findings, refusal
from sop_server.services.accounts import notice_mails
from sop_server.services.accounts.recertifications import close_due, open_scheduled
from sop_server.services.stores import Stores
from sop_server.storage import recertifications
from sop_server.storage.database import Session


def keep_up(stores: Stores, *, now: datetime) -> None:
    """Close the campaigns that are due, open that of the period, remind of those that soon will be due; idempotent."""
    close_due(stores, now=now)
    open_scheduled(stores, now=now)
    if stores.mailer is not None:
        _remind(stores, now=now)


def find(session: Session, *, schedule: str, now: datetime) -> list[Found]:
    """Return what is wrong with the confirmation of roles."""
    running = [row for row in recertifications.open_campaigns(session) if row.due_at < now]
    counts = recertifications.counts(session, [row.id for row in running], None, now=now)
    return access_findings(
        now=now,
        schedule=schedule,
        running=[
            Running(
                row.id,
                row.department,
                row.due_at,
                sum(one.number for one in counts.get(row.id, ()) if one.outcome is None),
            )
            for row in running
        ],
        spared=recertifications.spared(session, now),
        since=recertifications.oldest_grants(session, now),
        certified=recertifications.last_certified(session),
    )


def roles_to_decide(stores: Stores, *, actor: Actor, now: datetime) -> list[tuple[str, datetime, datetime, int]]:
    """Return the open campaigns in which roles wait for the actor: id, opened, due, how many roles."""
    if not actor.may_anywhere(Action.RECERTIFY):
        return []
    with stores.database.read() as session:
        if not recertifications.open_campaigns(session):
            return []
        watchers = recertifications.watchers(session, now)
        reach = actor.reach(Action.RECERTIFY)
        waiting = recertifications.waiting(session, now=now, reach=reach, apart=watchers.people)
        mine: dict[int, int] = {}
        for campaign, holder, department, number in waiting:
            if refusal(actor, holder=holder, department=department, watchers=watchers) is None:
                mine[campaign] = mine.get(campaign, 0) + number
        rows = [row for row in recertifications.open_campaigns(session) if row.id in mine]
        return [(identifiers.recertification_id(row.id), row.opened_at, row.due_at, mine[row.id]) for row in rows]


def _remind(stores: Stores, *, now: datetime) -> None:
    with stores.database.read() as session:
        soon = [row.id for row in recertifications.open_campaigns(session) if row.due_at - now <= REMINDER]
        if not soon:
            return
        watchers = recertifications.watchers(session, now)
        every = recertifications.waiting(session, now=now, reach=None, apart=watchers.people)
        waiting = [one for one in every if one[0] in soon]
    persons: dict[int, set[int]] = {}
    for campaign, holder, department, _ in waiting:
        persons.setdefault(campaign, set()).update(watchers.of(department, but=holder)[1])
    with stores.database.write() as session:
        for campaign, asked in persons.items():
            row = recertifications.one(session, campaign)
            if row is not None and row.due_at - row.opened_at > REMINDER:
                notice_mails.ask_to_recertify(session, row, asked, now=now, again=True)
