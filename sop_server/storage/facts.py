"""The snapshot that reports are made from: everything recorded by an instant, of the library or of a few SOPs.

A whole snapshot is a fixed number of queries, read as plain columns: ten thousand SOPs pass through here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sop_server.domain.facts import (
    AcknowledgementFact,
    Criticality,
    Facts,
    FeedbackFact,
    FeedbackKind,
    MembershipFact,
    PersonFact,
    PersonState,
    ProcessFact,
    ProcessStatus,
    ProcessVersion,
    ReviewFact,
    ReviewOutcome,
    RevisionFact,
    RevisionKind,
    Significance,
)
from sop_server.storage import ticket_facts
from sop_server.storage.tables import (
    Acknowledgement,
    Feedback,
    Membership,
    Person,
    Process,
    Review,
    Revision,
    RevisionLink,
    RevisionTicket,
    Sop,
)
from sop_server.storage.tables import PersonState as PersonStateRow
from sop_server.storage.tables import ProcessVersion as ProcessVersionRow


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the library a snapshot is of: these SOPs, or all where `sop_ids` is None."""

    sop_ids: frozenset[str] | None = None

    def of(self, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> list[ColumnElement[bool]]:
        """Return the condition that keeps this part."""
        return [] if self.sop_ids is None else [column.in_(sorted(self.sop_ids))]


def load_facts(session: Session, at: datetime) -> Facts:
    """Return everything recorded by `at`."""
    part = Part()
    tickets, obligations = ticket_facts.load(session, at, sop_ids=None)
    return Facts(
        at=at,
        revisions=_revisions(session, at, part),
        processes=_processes(session, at),
        tickets=tickets,
        obligations=obligations,
        reviews=_reviews(session, at, part),
        acknowledgements=_acknowledgements(session, at),
        memberships=_memberships(session, at),
        feedback=_feedback(session, at, part),
        people=_people(session, at, None),
    )


def load_facts_of(session: Session, at: datetime, sop_ids: Collection[str]) -> Facts:
    """Return what was recorded by `at` of some SOPs and of what their staleness depends on; no processes."""
    wanted = frozenset(sop_ids)
    linked = session.scalars(
        select(RevisionLink.target)
        .join(Revision, Revision.id == RevisionLink.revision_id)
        .where(Revision.sop_id.in_(sorted(wanted)))
    )
    revisions = _revisions(session, at, Part(wanted | frozenset(linked)))
    tickets, obligations = ticket_facts.load(session, at, sop_ids=wanted)
    emails = {
        email.lower()
        for sop_id in wanted
        for revision in revisions.get(sop_id, ())
        for email in (revision.owner, revision.deputy)
        if email is not None
    }
    part = Part(wanted)
    return Facts(
        at=at,
        revisions=revisions,
        tickets=tickets,
        obligations=obligations,
        reviews=_reviews(session, at, part),
        feedback=_feedback(session, at, part),
        people=_people(session, at, emails),
    )


_REVISION_COLUMNS = (
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
    Revision.deputy,
    Revision.processes,
    Revision.systems,
    Revision.audience,
    Revision.path_links,
    Revision.review_every_days,
    Revision.reverts,
)


def _revisions(session: Session, at: datetime, part: Part) -> Mapping[str, tuple[RevisionFact, ...]]:
    recorded = [Revision.recorded_at <= at, *part.of(Revision.sop_id)]
    rows = session.execute(select(*_REVISION_COLUMNS).where(*recorded).order_by(Revision.sop_id, Revision.number)).all()
    links = _grouped(session, select(RevisionLink.revision_id, RevisionLink.target).join(Revision).where(*recorded))
    tickets = _grouped(
        session, select(RevisionTicket.revision_id, RevisionTicket.ticket_id).join(Revision).where(*recorded)
    )
    alive = _alive(session, at, part, links)
    paths = _known_paths(session, rows)
    found: dict[str, list[RevisionFact]] = {}
    for row in rows:
        targets = tuple(sorted({*links.get(row.id, ()), *(paths[path] for path in row.path_links if path in paths)}))
        broken = [target for target in targets if target not in alive]
        broken += [path for path in row.path_links if path not in paths]
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
            deputy=row.deputy,
            processes=tuple(row.processes),
            systems=tuple(row.systems),
            audience=tuple(row.audience),
            links=targets,
            broken_links=tuple(broken),
            review_every_days=row.review_every_days,
            tickets=tuple(tickets.get(row.id, ())),
            reverts=row.reverts,
        )
        found.setdefault(row.sop_id, []).append(fact)
    return {sop_id: tuple(revisions) for sop_id, revisions in found.items()}


def _grouped(session: Session, query: Select[int, Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for key, value in session.execute(query):
        found.setdefault(key, []).append(value)
    return found


def _alive(session: Session, at: datetime, part: Part, links: Mapping[int, Iterable[str]]) -> set[str]:
    """Return the SOPs that a link may lead to at the instant: in force or approved to come, and not retired."""
    targets = sorted({target for several in links.values() for target in several})
    query = select(Revision.sop_id, Revision.kind).where(Revision.recorded_at <= at).order_by(Revision.number)
    if part.sop_ids is not None:
        query = query.where(Revision.sop_id.in_(targets))
    last = dict(session.execute(query.where(or_(Revision.kind != "retire", Revision.effective_from <= at))).all())
    return {sop_id for sop_id, kind in last.items() if kind != RevisionKind.RETIRE}


def _known_paths(session: Session, rows: Iterable[Any]) -> Mapping[str, str]:
    wanted = {path for row in rows for path in row.path_links}
    if not wanted:
        return {}
    return {path: sop_id for path, sop_id in session.execute(select(Sop.path, Sop.id)) if path in wanted}


def _processes(session: Session, at: datetime) -> Mapping[str, ProcessFact]:
    versions: dict[str, list[ProcessVersion]] = {}
    for row in session.scalars(
        select(ProcessVersionRow)
        .where(ProcessVersionRow.recorded_at <= at)
        .order_by(ProcessVersionRow.happened_at, ProcessVersionRow.id)
    ):
        versions.setdefault(row.process_id, []).append(
            ProcessVersion(
                name=row.name,
                department=row.department,
                criticality=Criticality(row.criticality),
                owner=row.owner,
                deputy=row.deputy,
                systems=tuple(row.systems),
                status=ProcessStatus(row.status),
                happened_at=row.happened_at,
                recorded_at=row.recorded_at,
            )
        )
    return {
        row.id: ProcessFact(row.id, row.registered_at, row.recorded_at, tuple(versions[row.id]))
        for row in session.scalars(select(Process).order_by(Process.id))
        if row.id in versions
    }


def _reviews(session: Session, at: datetime, part: Part) -> tuple[ReviewFact, ...]:
    rows = session.execute(
        select(Review.sop_id, Review.revision, Review.outcome, Review.happened_at, Review.recorded_at, Review.bulk)
        .where(Review.recorded_at <= at, *part.of(Review.sop_id))
        .order_by(Review.happened_at, Review.id)
    )
    return tuple(
        ReviewFact(sop_id, revision, ReviewOutcome(outcome), happened_at, recorded_at, bulk)
        for sop_id, revision, outcome, happened_at, recorded_at, bulk in rows
    )


def _acknowledgements(session: Session, at: datetime) -> tuple[AcknowledgementFact, ...]:
    rows = session.execute(
        select(
            Acknowledgement.sop_id,
            Acknowledgement.revision,
            Acknowledgement.person_id,
            Acknowledgement.happened_at,
            Acknowledgement.recorded_at,
        ).where(Acknowledgement.recorded_at <= at)
    )
    return tuple(AcknowledgementFact(*row) for row in rows)


def _memberships(session: Session, at: datetime) -> tuple[MembershipFact, ...]:
    rows = session.scalars(select(Membership).where(Membership.recorded_at <= at).order_by(Membership.id))
    return tuple(
        MembershipFact(
            person_id=row.person_id,
            team=row.team,
            joined_at=row.joined_at,
            recorded_at=row.recorded_at,
            left_at=row.left_at if _known(row.left_recorded_at, at) else None,
            left_recorded_at=row.left_recorded_at if _known(row.left_recorded_at, at) else None,
        )
        for row in rows
    )


def _feedback(session: Session, at: datetime, part: Part) -> tuple[FeedbackFact, ...]:
    rows = session.execute(
        select(
            Feedback.id,
            Feedback.sop_id,
            Feedback.kind,
            Feedback.happened_at,
            Feedback.recorded_at,
            Feedback.triaged_at,
            Feedback.triage_recorded_at,
        )
        .where(Feedback.recorded_at <= at, *part.of(Feedback.sop_id))
        .order_by(Feedback.id)
    )
    return tuple(
        FeedbackFact(
            number,
            sop_id,
            FeedbackKind(kind),
            happened_at,
            recorded_at,
            triaged_at if _known(triage_recorded_at, at) else None,
            triage_recorded_at if _known(triage_recorded_at, at) else None,
        )
        for number, sop_id, kind, happened_at, recorded_at, triaged_at, triage_recorded_at in rows
    )


def _people(session: Session, at: datetime, emails: Collection[str] | None) -> Mapping[int, PersonFact]:
    query = (
        select(Person.id, Person.email, PersonStateRow.active, PersonStateRow.happened_at, PersonStateRow.recorded_at)
        .join(PersonStateRow, PersonStateRow.person_id == Person.id)
        .where(PersonStateRow.recorded_at <= at)
        .order_by(PersonStateRow.happened_at, PersonStateRow.id)
    )
    if emails is not None:
        query = query.where(Person.email.in_(sorted(emails)))
    states: dict[int, list[PersonState]] = {}
    addresses: dict[int, str] = {}
    for person_id, email, active, happened_at, recorded_at in session.execute(query):
        addresses[person_id] = email
        states.setdefault(person_id, []).append(PersonState(active, happened_at, recorded_at))
    return {
        person_id: PersonFact(person_id, addresses[person_id], tuple(several)) for person_id, several in states.items()
    }


def _known(recorded_at: datetime | None, at: datetime) -> bool:
    return recorded_at is not None and recorded_at <= at
