"""Drafts, what was decided on them, and the intents to publish."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sop_server.domain.drafts import PUBLISHES, Decision
from sop_server.storage.database import is_writing
from sop_server.storage.tables import (
    Approval,
    DepartmentSetting,
    Draft,
    DraftCommit,
    DraftTicket,
    ImportedFile,
    Mark,
    PublishIntent,
    Quarantine,
)

MAIN = "main"

_CHUNK = 500


def draft_row(session: Session, draft_id: int) -> Draft | None:
    """Return one draft; inside a writing transaction it is held until the end."""
    query = select(Draft).where(Draft.id == draft_id)
    return session.scalar(query.with_for_update() if is_writing(session) else query)


def draft_rows(
    session: Session,
    *,
    states: Collection[str] | None = None,
    sop_id: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> Sequence[Draft]:
    """Return drafts, the newest first."""
    query = select(Draft).order_by(Draft.id.desc())
    if states is not None:
        query = query.where(Draft.state.in_(states))
    if sop_id is not None:
        query = query.where(Draft.sop_id == sop_id)
    if before is not None:
        query = query.where(Draft.id < before)
    if limit is not None:
        query = query.limit(limit)
    return session.scalars(query).all()


def authors(session: Session, draft_id: int) -> list[int]:
    """Return the people who saved any state of the draft, in order of first appearance."""
    found = session.scalars(
        select(DraftCommit.person_id).where(DraftCommit.draft_id == draft_id).order_by(DraftCommit.number)
    )
    return list(dict.fromkeys(person for person in found if person is not None))


def authors_by_draft(session: Session, draft_ids: Collection[int]) -> Mapping[int, list[int]]:
    """Return the people who saved any state, for many drafts at once."""
    rows = session.execute(
        select(DraftCommit.draft_id, DraftCommit.person_id)
        .where(DraftCommit.draft_id.in_(draft_ids), DraftCommit.person_id.is_not(None))
        .order_by(DraftCommit.draft_id, DraftCommit.number)
    )
    found: dict[int, list[int]] = {draft_id: [] for draft_id in draft_ids}
    for draft_id, person_id in rows:
        if person_id is not None and person_id not in found[draft_id]:
            found[draft_id].append(person_id)
    return found


def commits(session: Session, draft_id: int) -> Sequence[DraftCommit]:
    """Return the saved states of a draft, oldest first."""
    return session.scalars(
        select(DraftCommit).where(DraftCommit.draft_id == draft_id).order_by(DraftCommit.number)
    ).all()


def continue_history(session: Session, *, of: int, in_draft: int) -> None:
    """Give a draft the saved states of another one, whose text it goes on with: their authors stay authors."""
    session.add_all(
        DraftCommit(
            draft_id=in_draft,
            number=state.number,
            oid=state.oid,
            content_hash=state.content_hash,
            person_id=state.person_id,
            at=state.at,
        )
        for state in commits(session, of)
    )
    session.flush()


def tell(session: Session, draft_id: int, *, content_hash: str, comment: str, now: datetime) -> None:
    """Have the system ask for changes of a draft, so that its authors read why it came back to them."""
    session.add(
        Approval(
            draft_id=draft_id,
            kind="system",
            content_hash=content_hash,
            person_id=None,
            decision=Decision.REQUEST_CHANGES,
            comment=comment,
            effective_from=None,
            decided_at=now,
        )
    )
    session.flush()


def ticket_ids(session: Session, draft_ids: Collection[int]) -> Mapping[int, list[int]]:
    """Return the tickets that each draft references."""
    rows = session.execute(
        select(DraftTicket.draft_id, DraftTicket.ticket_id)
        .where(DraftTicket.draft_id.in_(draft_ids))
        .order_by(DraftTicket.ticket_id)
    )
    found: dict[int, list[int]] = {}
    for draft_id, ticket_id in rows:
        found.setdefault(draft_id, []).append(ticket_id)
    return found


def set_tickets(session: Session, draft_id: int, tickets: Collection[int]) -> None:
    """Make a draft reference exactly these tickets."""
    session.execute(delete(DraftTicket).where(DraftTicket.draft_id == draft_id))
    session.add_all(DraftTicket(draft_id=draft_id, ticket_id=ticket) for ticket in sorted(set(tickets)))
    session.flush()


def drafts_for_tickets(session: Session, tickets: Collection[int]) -> Sequence[tuple[int, Draft]]:
    """Return (ticket, draft) for every draft that references one of the tickets."""
    rows = session.execute(
        select(DraftTicket.ticket_id, Draft)
        .join(Draft, Draft.id == DraftTicket.draft_id)
        .where(DraftTicket.ticket_id.in_(tickets))
        .order_by(Draft.id)
    )
    return [(ticket_id, draft) for ticket_id, draft in rows]


def approvals(session: Session, draft_ids: Collection[int]) -> Mapping[int, list[Approval]]:
    """Return every decision on the drafts, oldest first, the voided ones too."""
    found: dict[int, list[Approval]] = {}
    rows = session.scalars(select(Approval).where(Approval.draft_id.in_(draft_ids)).order_by(Approval.id))
    for approval in rows:
        if approval.draft_id is not None:
            found.setdefault(approval.draft_id, []).append(approval)
    return found


def approved_hashes(session: Session) -> Mapping[int, str]:
    """Return the hash that each standing approval, or record of a broken glass, names by its id."""
    rows = session.execute(
        select(Approval.id, Approval.content_hash).where(Approval.decision.in_(PUBLISHES), Approval.voided_at.is_(None))
    )
    return dict(rows.all())


def decisions_of(intent: PublishIntent) -> list[int]:
    """Return the numbers of the decisions that an intent stands on: its approvals, or the record of a broken glass."""
    broken = [] if intent.break_glass is None else [intent.break_glass]
    return [int(one["id"]) for one in [*intent.approvals, *broken]]


def void_approvals(session: Session, draft_id: int, *, now: datetime) -> int:
    """Void what people decided on a draft so far; returns how many decisions were."""
    standing = session.scalars(
        select(Approval).where(
            Approval.draft_id == draft_id, Approval.voided_at.is_(None), Approval.person_id.is_not(None)
        )
    ).all()
    for approval in standing:
        approval.voided_at = now
    return len(standing)


def department_rules(
    session: Session, departments: Collection[str | None], *, at: datetime
) -> Sequence[DepartmentSetting]:
    """Return how those of the departments decide that ever said so."""
    named = [department for department in departments if department is not None]
    rules = {
        setting.department: setting
        for setting in session.scalars(
            select(DepartmentSetting)
            .where(DepartmentSetting.department.in_(named), DepartmentSetting.happened_at <= at)
            .order_by(DepartmentSetting.id)
        )
    }
    return list(rules.values())


def approvals_needed(session: Session, departments: Collection[str | None], *, at: datetime) -> int:
    """Return how many approvals the strictest of the departments asks for; one where none says otherwise."""
    return max([1, *(rule.approvals_needed for rule in department_rules(session, departments, at=at))])


def intents(session: Session, state: str) -> Sequence[PublishIntent]:
    """Return the intents in a state, oldest first."""
    return session.scalars(select(PublishIntent).where(PublishIntent.state == state).order_by(PublishIntent.id)).all()


def intent(session: Session, intent_id: int) -> PublishIntent | None:
    """Return one intent."""
    return session.get(PublishIntent, intent_id)


def intents_by_id(session: Session, ids: Collection[int]) -> Mapping[int, PublishIntent]:
    """Return many intents at once."""
    return {row.id: row for row in session.scalars(select(PublishIntent).where(PublishIntent.id.in_(ids)))}


def intents_in_order(session: Session, ids: Collection[int]) -> list[PublishIntent]:
    """Return any number of intents, oldest first."""
    wanted = sorted(ids)
    found: list[PublishIntent] = []
    for start in range(0, len(wanted), _CHUNK):
        chosen = PublishIntent.id.in_(wanted[start : start + _CHUNK])
        found.extend(session.scalars(select(PublishIntent).where(chosen).order_by(PublishIntent.id)))
    return found


def done_intents(session: Session) -> Sequence[PublishIntent]:
    """Return the intents that were carried out, in the order in which they were."""
    return session.scalars(select(PublishIntent).where(PublishIntent.state == "done").order_by(PublishIntent.id)).all()


def done_commits(session: Session) -> Mapping[int, str]:
    """Return the commit that carried each done intent out, by the intent's id, in the order in which they were."""
    rows = session.execute(
        select(PublishIntent.id, PublishIntent.commit_oid)
        .where(PublishIntent.state == "done", PublishIntent.commit_oid.is_not(None))
        .order_by(PublishIntent.id)
    )
    return {number: oid for number, oid in rows if oid is not None}


def mark(session: Session, name: str) -> str | None:
    """Return how far something has come."""
    row = session.get(Mark, name)
    return None if row is None else row.value


def set_mark(session: Session, name: str, value: str) -> None:
    """Store how far something has come."""
    row = session.get(Mark, name)
    if row is None:
        session.add(Mark(name=name, value=value))
    else:
        row.value = value
    session.flush()


def quarantine(session: Session, commit_oid: str, *, reason: str, now: datetime) -> bool:
    """Set a commit of `main` aside; False where it was already."""
    if session.get(Quarantine, commit_oid) is not None:
        return False
    session.add(Quarantine(commit_oid=commit_oid, reason=reason, found_at=now))
    session.flush()
    return True


def quarantined(session: Session) -> Sequence[Quarantine]:
    """Return the commits that were set aside."""
    return session.scalars(select(Quarantine).order_by(Quarantine.found_at)).all()


def imported_files(session: Session, root: str) -> Mapping[str, ImportedFile]:
    """Return what was imported from a source, by its path there."""
    return {row.path: row for row in session.scalars(select(ImportedFile).where(ImportedFile.root == root))}
