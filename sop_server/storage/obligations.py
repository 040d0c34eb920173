"""Obligations as they are stored, and as the rules read them: of some tickets, of one SOP, of all that may be open."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from sop_server.domain.facts import Facts, ObligationFact, RevisionFact, RevisionKind, Significance
from sop_server.storage import not_needed, ticket_facts
from sop_server.storage.database import is_writing
from sop_server.storage.sops import tickets_of_revisions
from sop_server.storage.tables import NotNeeded as NotNeededRow
from sop_server.storage.tables import Obligation, Revision, RevisionTicket

BY_TICKET = "ticket"
BY_REVISION = "revision"
TRIAGE = "triage"

_CHUNK = 500
_READ_BY_CLOCK = (
    Revision.id,
    Revision.sop_id,
    Revision.number,
    Revision.kind,
    Revision.significance,
    Revision.content_hash,
    Revision.effective_from,
    Revision.approved_at,
    Revision.recorded_at,
    Revision.title,
    Revision.department,
    Revision.owner,
    Revision.reverts,
)


def obligation_row(session: Session, obligation_id: int) -> Obligation | None:
    """Return one obligation; inside a writing transaction it is held until the end."""
    query = select(Obligation).where(Obligation.id == obligation_id)
    return session.scalar(query.with_for_update() if is_writing(session) else query)


def obligation_rows(session: Session, ticket_ids: Collection[int]) -> Sequence[Obligation]:
    """Return the obligations of tickets, in the order in which they came to be."""
    return session.scalars(
        select(Obligation).where(Obligation.ticket_id.in_(sorted(ticket_ids))).order_by(Obligation.id)
    ).all()


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
    found: list[ObligationFact] = []
    wanted = _may_be_open(session, at)
    for start in range(0, len(wanted), _CHUNK):
        found += _load(session, at, _query(at).where(Obligation.id.in_(wanted[start : start + _CHUNK])))
    return _facts(session, at, found, {fact.ticket_id for fact in found})


def _may_be_open(session: Session, at: datetime) -> list[int]:
    # As a difference of sets the database does this ten times faster than as a condition on each obligation.
    answered = (
        select(RevisionTicket.ticket_id, Revision.sop_id)
        .join(Revision, Revision.id == RevisionTicket.revision_id)
        .where(Revision.effective_from <= at)
    )
    counted = (
        Obligation.recorded_at <= at,
        or_(Obligation.uncounted_from.is_(None), Obligation.uncounted_from > at),
    )
    owed = select(Obligation.ticket_id, Obligation.sop_id).where(*counted)
    unanswered = {(ticket_id, sop_id) for ticket_id, sop_id in session.execute(owed.except_(answered))}
    reopened = _may_have_reopened(session)
    tickets = sorted({ticket_id for ticket_id, _ in unanswered})
    found: set[int] = set()
    for column, values in ((Obligation.ticket_id, tickets), (Obligation.sop_id, sorted(reopened))):
        for start in range(0, len(values), _CHUNK):
            rows = session.execute(
                select(Obligation.id, Obligation.ticket_id, Obligation.sop_id)
                .join(
                    NotNeededRow,
                    and_(NotNeededRow.obligation_id == Obligation.id, NotNeededRow.confirmed_at <= at),
                    isouter=True,
                )
                .where(column.in_(values[start : start + _CHUNK]), *counted, NotNeededRow.id.is_(None))
            )
            found.update(
                obligation_id
                for obligation_id, ticket_id, sop_id in rows
                if (ticket_id, sop_id) in unanswered or sop_id in reopened
            )
    return sorted(found)


def _may_have_reopened(session: Session) -> set[str]:
    """Return the SOPs of which a reference may not have stopped the clock, or not for good.

    They have a revision that reverts, by its word or by its text, or one that was overtaken and never served.
    """
    later = aliased(Revision)
    reverts = select(Revision.sop_id).where(Revision.reverts.is_not(None))
    repeats = select(Revision.sop_id).group_by(Revision.sop_id, Revision.content_hash).having(func.count() > 1)
    overtaken = select(Revision.sop_id).join(
        later,
        and_(
            later.sop_id == Revision.sop_id,
            later.number > Revision.number,
            later.effective_from <= Revision.effective_from,
        ),
    )
    return {sop_id for query in (reverts, repeats, overtaken) for sop_id in session.scalars(query)}


def _query(at: datetime) -> Select[Obligation]:
    return select(Obligation).where(Obligation.recorded_at <= at).order_by(Obligation.id)


def _load(session: Session, at: datetime, query: Select[Obligation]) -> list[ObligationFact]:
    rows = session.scalars(query).all()
    proposed = not_needed.proposals(session, at, {row.id for row in rows}) if rows else {}
    return [
        ObligationFact(
            id=row.id,
            ticket_id=row.ticket_id,
            sop_id=row.sop_id,
            window_hours=row.window_hours,
            recorded_at=row.recorded_at,
            uncounted_from=row.uncounted_from if row.uncounted_from is not None and row.uncounted_from <= at else None,
            proposals=proposed.get(row.id, ()),
        )
        for row in rows
    ]


def _facts(session: Session, at: datetime, found: Sequence[ObligationFact], ticket_ids: Iterable[int]) -> Facts:
    return Facts(
        at=at,
        revisions=_revisions(session, at, {fact.sop_id for fact in found if fact.sop_id is not None}),
        tickets=ticket_facts.load_tickets(session, at, set(ticket_ids)),
        obligations=tuple(found),
    )


def _revisions(session: Session, at: datetime, sop_ids: Collection[str]) -> Mapping[str, tuple[RevisionFact, ...]]:
    """Return the revisions of SOPs with what the clock reads of them; links and systems are left out."""
    rows: list[Row[Any]] = []
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows += session.execute(
            select(*_READ_BY_CLOCK)
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
