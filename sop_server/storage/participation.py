"""What readers and owners do with SOPs in force, as it is stored: acknowledgements, feedback, reviews."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, bindparam, cast, func, or_, select, true
from sqlalchemy.orm import Session

from sop_server.storage.database import is_writing
from sop_server.storage.people import active_at
from sop_server.storage.serving import is_served
from sop_server.storage.tables import Acknowledgement, Feedback, Membership, Person, Review, Revision

_CHUNK = 500

_ACKNOWLEDGED = (
    select(Acknowledgement.sop_id, Acknowledgement.revision, Acknowledgement.happened_at)
    .where(Acknowledgement.person_id == bindparam("person_id"))
    .order_by(Acknowledgement.revision)
)
_ACKNOWLEDGED_OF = _ACKNOWLEDGED.where(Acknowledgement.sop_id == bindparam("sop_id"))


@dataclass(frozen=True, slots=True)
class TextToRead:
    """One revision of a SOP with what decides whether it has to be read."""

    sop_id: str
    number: int
    kind: str
    significance: str
    effective_from: datetime
    title: str
    department: str | None
    change_summary: str


def for_teams(
    session: Session, teams: Collection[str], at: datetime, *, among: Collection[str] | None = None
) -> Mapping[str, frozenset[str]]:
    """Return the SOPs in force at `at` with one of the teams in their audience, and which of the teams those are.

    With `among`, a page of ids, no other SOP is looked at.
    """
    if not teams or (among is not None and not among):
        return {}
    # The list is JSON in every database: its text narrows the rows down, Python decides.
    named = or_(*(cast(Revision.audience, String).contains(f'"{team}"', autoescape=True) for team in sorted(teams)))
    query = select(Revision.sop_id, Revision.audience).where(*is_served(at), named)
    if among is not None:
        query = query.where(Revision.sop_id.in_(among))
    rows = session.execute(query)
    found = {sop_id: frozenset(audience) & frozenset(teams) for sop_id, audience in rows}
    return {sop_id: of_mine for sop_id, of_mine in found.items() if of_mine}


def texts(session: Session, sop_ids: Collection[str], at: datetime) -> Mapping[str, list[TextToRead]]:
    """Return the revisions of SOPs that came into force by `at`, in ascending number."""
    found: dict[str, list[TextToRead]] = {}
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(
                Revision.sop_id,
                Revision.number,
                Revision.kind,
                Revision.significance,
                Revision.effective_from,
                Revision.title,
                Revision.department,
                Revision.change_summary,
            )
            .where(Revision.sop_id.in_(wanted[start : start + _CHUNK]), Revision.effective_from <= at)
            .order_by(Revision.sop_id, Revision.number)
        )
        for row in rows:
            found.setdefault(row.sop_id, []).append(TextToRead(*row))
    return found


def last_acknowledged(session: Session, person_id: int) -> Mapping[str, tuple[int, datetime]]:
    """Return the highest revision of each SOP that a person acknowledged, and when they did."""
    rows = session.execute(_ACKNOWLEDGED, {"person_id": person_id})
    return {sop_id: (revision, happened_at) for sop_id, revision, happened_at in rows}


def last_acknowledged_of(session: Session, person_id: int, sop_id: str) -> tuple[int, datetime] | None:
    """Return the highest revision of one SOP that a person acknowledged, and when they did."""
    rows = session.execute(_ACKNOWLEDGED_OF, {"person_id": person_id, "sop_id": sop_id}).all()
    return (rows[-1].revision, rows[-1].happened_at) if rows else None


def acknowledgement(session: Session, person_id: int, sop_id: str, revision: int) -> Acknowledgement | None:
    """Return a person's acknowledgement of one revision."""
    return session.scalar(
        select(Acknowledgement).where(
            Acknowledgement.person_id == person_id,
            Acknowledgement.sop_id == sop_id,
            Acknowledgement.revision == revision,
        )
    )


def add_acknowledgement(session: Session, *, person_id: int, sop_id: str, revision: int, now: datetime) -> None:
    """Store that a person read and understood a revision."""
    session.add(
        Acknowledgement(sop_id=sop_id, revision=revision, person_id=person_id, happened_at=now, recorded_at=now)
    )
    session.flush()


def audience_size(session: Session, teams: Collection[str], at: datetime) -> int:
    """Return how many active people are in any of the teams at `at`."""
    return (
        session.scalar(
            select(func.count(func.distinct(Person.id)))
            .select_from(Person)
            .join(Membership, Membership.person_id == Person.id)
            .where(
                Membership.team.in_(sorted(teams)),
                Membership.joined_at <= at,
                or_(Membership.left_at.is_(None), Membership.left_at > at),
                active_at(at) == true(),
            )
        )
        or 0
    )


def feedback_row(session: Session, feedback_id: int) -> Feedback | None:
    """Return one report; inside a writing transaction it is held until the end."""
    query = select(Feedback).where(Feedback.id == feedback_id)
    return session.scalar(query.with_for_update() if is_writing(session) else query)


def feedback_rows(
    session: Session,
    *,
    before: int | None = None,
    limit: int,
    sop_id: str | None = None,
    kind: str | None = None,
    triaged: bool | None = None,
    reporter_id: int | None = None,
) -> Sequence[Feedback]:
    """Return reports, the newest first."""
    query = select(Feedback).order_by(Feedback.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Feedback.id < before)
    if sop_id is not None:
        query = query.where(Feedback.sop_id == sop_id)
    if kind is not None:
        query = query.where(Feedback.kind == kind)
    if triaged is not None:
        query = query.where(Feedback.triaged_at.is_not(None) if triaged else Feedback.triaged_at.is_(None))
    if reporter_id is not None:
        query = query.where(Feedback.reporter_id == reporter_id)
    return session.scalars(query).all()


def add_feedback(
    session: Session,
    *,
    sop_id: str | None,
    revision: int | None,
    kind: str,
    case_reference: str,
    what_happened: str,
    what_was_done: str,
    reporter_id: int,
    now: datetime,
) -> Feedback:
    """Store a report."""
    row = Feedback(
        sop_id=sop_id,
        revision=revision,
        kind=kind,
        case_reference=case_reference,
        what_happened=what_happened,
        what_was_done=what_was_done,
        reporter_id=reporter_id,
        happened_at=now,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


def add_review(
    session: Session,
    *,
    sop_id: str,
    revision: int,
    outcome: str,
    note: str,
    person_id: int | None,
    bulk: bool,
    now: datetime,
) -> Review:
    """Store a periodic review."""
    row = Review(
        sop_id=sop_id,
        revision=revision,
        outcome=outcome,
        note=note,
        person_id=person_id,
        bulk=bulk,
        happened_at=now,
        recorded_at=now,
    )
    session.add(row)
    session.flush()
    return row


def reviews(session: Session, sop_id: str) -> Sequence[Review]:
    """Return the reviews of a SOP, the newest first."""
    return session.scalars(
        select(Review).where(Review.sop_id == sop_id).order_by(Review.happened_at.desc(), Review.id.desc())
    ).all()
