"""Obligations as they are stored, and as the rules read them: of some tickets, of one SOP, of all that may be open."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from sop_server.domain.facts import Facts, NotNeeded, ObligationFact, RevisionFact, RevisionKind, Significance
from sop_server.storage import ticket_facts
from sop_server.storage.sops import tickets_of_revisions
from sop_server.storage.tables import NotNeeded as NotNeededRow
from sop_server.storage.tables import Obligation, Revision, RevisionTicket

BY_TICKET = "ticket"
BY_REVISION = "revision"
TRIAGE = "triage"

_CHUNK = 500


def obligation_row(session: Session, obligation_id: int) -> Obligation | None:
    """Return one obligation; inside a writing transaction it is held until the end."""
    return session.scalar(select(Obligation).where(Obligation.id == obligation_id).with_for_update())


def obligation_rows(session: Session, ticket_ids: Collection[int]) -> Sequence[Obligation]:
    """Return the obligations of tickets, in the order in which they came to be."""
    return session.scalars(
        select(Obligation).where(Obligation.ticket_id.in_(sorted(ticket_ids))).order_by(Obligation.id)
    ).all()


def not_needed_row(session: Session, obligation_id: int) -> NotNeededRow | None:
    """Return the proposal that an obligation is not needed."""
    return session.scalar(select(NotNeededRow).where(NotNeededRow.obligation_id == obligation_id))


def add_obligation(
    session: Session, *, ticket_id: int, sop_id: str | None, origin: str, window_hours: float, now: datetime
) -> Obligation:
    """Store an obligation; it keeps the window length that it is born with."""
    row = Obligation(
        ticket_id=ticket_id,
        sop_id=sop_id,
        origin=origin,
        window_hours=window_hours,
        recorded_at=now,
        uncounted_from=None,
    )
    session.add(row)
    session.flush()
    return row


def propose_not_needed(
    session: Session, obligation_id: int, *, reason: str, person_id: int, now: datetime
) -> NotNeededRow:
    """Store that a person proposes an obligation as not needed."""
    row = NotNeededRow(obligation_id=obligation_id, reason=reason, proposed_by=person_id, proposed_at=now)
    session.add(row)
    session.flush()
    return row


def facts_of_tickets(session: Session, at: datetime, ticket_ids: Collection[int]) -> Facts:
    """Return what the states of all obligations of these tickets follow from, in a fixed number of queries."""
    wanted = sorted(set(ticket_ids))
    found: list[ObligationFact] = []
    for start in range(0, len(wanted), _CHUNK):
        found += _load(session, at, _query(at).where(Obligation.ticket_id.in_(wanted[start : start + _CHUNK])))
    return _facts(session, at, found, wanted)


def facts_of_sop(session: Session, at: datetime, sop_id: str) -> Facts:
    """Return what the states of all obligations of one SOP follow from."""
    found = _load(session, at, _query(at).where(Obligation.sop_id == sop_id))
    return _facts(session, at, found, {fact.ticket_id for fact in found})


def facts_of_obligation(session: Session, at: datetime, obligation_id: int) -> Facts:
    """Return what the state of one obligation follows from."""
    found = _load(session, at, _query(at).where(Obligation.id == obligation_id))
    return _facts(session, at, found, {fact.ticket_id for fact in found})


def facts_of_open(session: Session, at: datetime) -> Facts:
    """Return what the states of all obligations that may be open follow from; some of them will turn out not to be."""
    found = _load(session, at, _query(at).where(*_may_be_open(at)))
    return _facts(session, at, found, {fact.ticket_id for fact in found})


def _may_be_open(at: datetime) -> tuple[ColumnElement[bool], ...]:
    meeting, later, older = aliased(Revision), aliased(Revision), aliased(Revision)
    # A later revision that reverts, by its word or by its text, may have opened the obligation again; one that came
    # into force no later kept this one from ever being served.
    undone = (
        select(later.id)
        .where(
            later.sop_id == meeting.sop_id,
            later.number > meeting.number,
            or_(
                later.reverts.is_not(None),
                later.effective_from <= meeting.effective_from,
                select(older.id)
                .where(
                    older.sop_id == later.sop_id,
                    older.number < later.number,
                    older.content_hash == later.content_hash,
                )
                .exists(),
            ),
        )
        .exists()
    )
    met = (
        select(meeting.id)
        .join(RevisionTicket, RevisionTicket.revision_id == meeting.id)
        .where(
            RevisionTicket.ticket_id == Obligation.ticket_id,
            meeting.sop_id == Obligation.sop_id,
            meeting.effective_from <= at,
            ~undone,
        )
        .exists()
    )
    return (
        or_(Obligation.uncounted_from.is_(None), Obligation.uncounted_from > at),
        or_(NotNeededRow.confirmed_at.is_(None), NotNeededRow.confirmed_at > at),
        ~met,
    )


def _query(at: datetime) -> Select[Obligation, NotNeededRow]:
    return (
        select(Obligation, NotNeededRow)
        .join(
            NotNeededRow,
            and_(NotNeededRow.obligation_id == Obligation.id, NotNeededRow.proposed_at <= at),
            isouter=True,
        )
        .where(Obligation.recorded_at <= at)
        .order_by(Obligation.id)
    )


def _load(session: Session, at: datetime, query: Select[Obligation, NotNeededRow]) -> list[ObligationFact]:
    return [_fact(row, proposal, at) for row, proposal in session.execute(query)]


def _fact(row: Obligation, proposal: NotNeededRow | None, at: datetime) -> ObligationFact:
    known = None
    if proposal is not None:
        confirmed = proposal.confirmed_at is not None and proposal.confirmed_at <= at
        known = NotNeeded(
            proposed_by=proposal.proposed_by,
            reason=proposal.reason,
            proposed_at=proposal.proposed_at,
            confirmed_by=proposal.confirmed_by if confirmed else None,
            confirmed_at=proposal.confirmed_at if confirmed else None,
        )
    uncounted = row.uncounted_from is not None and row.uncounted_from <= at
    return ObligationFact(
        id=row.id,
        ticket_id=row.ticket_id,
        sop_id=row.sop_id,
        window_hours=row.window_hours,
        recorded_at=row.recorded_at,
        uncounted_from=row.uncounted_from if uncounted else None,
        proposal=known,
    )


def _facts(session: Session, at: datetime, found: Sequence[ObligationFact], ticket_ids: Iterable[int]) -> Facts:
    return Facts(
        at=at,
        revisions=_revisions(session, at, {fact.sop_id for fact in found if fact.sop_id is not None}),
        tickets=ticket_facts.load_tickets(session, at, set(ticket_ids)),
        obligations=tuple(found),
    )


def _revisions(session: Session, at: datetime, sop_ids: Collection[str]) -> Mapping[str, tuple[RevisionFact, ...]]:
    """Return the revisions of SOPs with what the clock reads of them; links and systems are left out."""
    rows: list[Revision] = []
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows += session.scalars(
            select(Revision)
            .where(Revision.sop_id.in_(wanted[start : start + _CHUNK]), Revision.recorded_at <= at)
            .order_by(Revision.sop_id, Revision.number)
        )
    tickets = tickets_of_revisions(session, [row.id for row in rows])
    found: dict[str, list[RevisionFact]] = {}
    for row in rows:
        fact = RevisionFact(
            sop_id=row.sop_id,
            number=row.number,
            kind=RevisionKind(row.kind),
            significance=Significance(row.significance),
            content_hash=row.content_hash,
            effective_from=row.effective_from,
            approved_at=row.approved_at,
            recorded_at=row.recorded_at,
            title=row.title,
            department=row.department,
            owner=row.owner,
            tickets=tickets.get(row.id, ()),
            reverts=row.reverts,
        )
        found.setdefault(row.sop_id, []).append(fact)
    return {sop_id: tuple(revisions) for sop_id, revisions in found.items()}
