"""The snapshot that reports are made from: everything recorded by an instant, of the library or of a few SOPs.

A whole snapshot is a fixed number of queries. What never changes once it is written is decoded once (`kept_facts`): ten
thousand SOPs and a hundred thousand facts pass through here for each report.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

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
)
from sop_server.storage import broken_glass, deviations, revision_facts, ticket_facts
from sop_server.storage.former_owners import former_owners
from sop_server.storage.kept_facts import KeptFacts, Known, Size, as_read, in_order, kept_facts, recorded
from sop_server.storage.kept_facts import sizes as kept_sizes
from sop_server.storage.tables import Acknowledgement, Feedback, Membership, Person, Process, Review
from sop_server.storage.tables import PersonState as PersonStateRow
from sop_server.storage.tables import ProcessVersion as ProcessVersionRow

_OUTCOMES = {outcome.value: outcome for outcome in ReviewOutcome}
_FEEDBACK_KINDS = {kind.value: kind for kind in FeedbackKind}

_REVIEW = (
    Review.id,
    Review.sop_id,
    Review.revision,
    Review.outcome,
    Review.happened_at,
    Review.recorded_at,
    Review.bulk,
)
_REVIEWS = select(*_REVIEW).where(Review.id > bindparam("after")).order_by(Review.id)
_REVIEWS_OF = (
    select(*_REVIEW)
    .where(Review.sop_id.in_(bindparam("ids", expanding=True)), Review.recorded_at <= bindparam("at"))
    .order_by(Review.happened_at, Review.id)
)
_ACKNOWLEDGEMENTS = (
    select(
        Acknowledgement.sop_id,
        Acknowledgement.revision,
        Acknowledgement.person_id,
        Acknowledgement.happened_at,
        Acknowledgement.recorded_at,
    )
    .where(Acknowledgement.id > bindparam("after"))
    .order_by(Acknowledgement.id)
)
_STATE = select(
    PersonStateRow.id,
    Person.id,
    Person.email,
    PersonStateRow.active,
    PersonStateRow.happened_at,
    PersonStateRow.recorded_at,
).join(Person, PersonStateRow.person_id == Person.id)
_STATES = _STATE.where(PersonStateRow.id > bindparam("after")).order_by(PersonStateRow.id)
_STATES_OF = _STATE.where(
    Person.email.in_(bindparam("emails", expanding=True)), PersonStateRow.recorded_at <= bindparam("at")
).order_by(PersonStateRow.happened_at, PersonStateRow.id)
_MEMBERSHIPS = (
    select(
        Membership.person_id,
        Membership.team,
        Membership.joined_at,
        Membership.recorded_at,
        Membership.left_at,
        Membership.left_recorded_at,
    )
    .where(Membership.recorded_at <= bindparam("at"))
    .order_by(Membership.id)
)
_FEEDBACK = (
    select(
        Feedback.id,
        Feedback.sop_id,
        Feedback.kind,
        Feedback.happened_at,
        Feedback.recorded_at,
        Feedback.triaged_at,
        Feedback.triage_recorded_at,
    )
    .where(Feedback.recorded_at <= bindparam("at"))
    .order_by(Feedback.id)
)
_FEEDBACK_OF = _FEEDBACK.where(Feedback.sop_id.in_(bindparam("ids", expanding=True)))
_PROCESS_VERSION = select(
    ProcessVersionRow.id,
    ProcessVersionRow.process_id,
    Process.registered_at,
    Process.recorded_at.label("known_at"),
    ProcessVersionRow.name,
    ProcessVersionRow.department,
    ProcessVersionRow.criticality,
    ProcessVersionRow.owner,
    ProcessVersionRow.deputy,
    ProcessVersionRow.systems,
    ProcessVersionRow.status,
    ProcessVersionRow.happened_at,
    ProcessVersionRow.recorded_at,
).join(Process, Process.id == ProcessVersionRow.process_id)
_PROCESS_VERSIONS = _PROCESS_VERSION.where(ProcessVersionRow.id > bindparam("after")).order_by(ProcessVersionRow.id)


def load_facts(session: Session, at: datetime) -> Facts:
    """Return everything recorded by `at`."""
    kept, sizes = kept_facts(session), kept_sizes(session)
    tickets, obligations = ticket_facts.load(session, at, kept=kept, sizes=sizes)
    return Facts(
        at=at,
        revisions=revision_facts.whole(session, at, kept, sizes),
        processes=_processes(session, at, kept, sizes),
        tickets=tickets,
        obligations=obligations,
        reviews=recorded(
            kept.get("review", sizes["review"], read=lambda after: _read_reviews(session, after), shape=in_order), at
        ),
        acknowledgements=recorded(
            kept.get(
                "acknowledgement",
                sizes["acknowledgement"],
                read=lambda after: _read_acknowledgements(session, after),
                shape=as_read,
            ),
            at,
        ),
        memberships=_memberships(session, at),
        feedback=_feedback(session, at, None),
        broken_glass=broken_glass.facts(session, at),
        people=_people(
            [
                *former_owners(session),
                *kept.get(
                    "person_state",
                    sizes["person_state"],
                    read=lambda after: session.execute(_STATES, {"after": after}).all(),
                    shape=in_order,
                ).facts,
            ],
            at,
        ),
        deviations=deviations.facts(session, at),
    )


def load_facts_of(session: Session, at: datetime, sop_ids: Collection[str]) -> Facts:
    """Return what was recorded by `at` of some SOPs and of what their staleness depends on; no processes.

    It is what pages show beside a SOP that was in force at `at`, so revisions are in it that were recorded later.
    """
    revisions = revision_facts.part(session, at, sop_ids)
    tickets, obligations = ticket_facts.load_of(session, at, sop_ids)
    emails = {
        email.lower()
        for sop_id in sop_ids
        for revision in revisions.get(sop_id, ())
        for email in (revision.owner, revision.deputy)
        if email is not None
    }
    wanted = sorted(sop_ids)
    return Facts(
        at=at,
        revisions=revisions,
        tickets=tickets,
        obligations=obligations,
        reviews=tuple(_review(*row) for row in session.execute(_REVIEWS_OF, {"ids": wanted, "at": at})),
        feedback=_feedback(session, at, wanted),
        people=_people(
            [*former_owners(session, emails), *session.execute(_STATES_OF, {"emails": sorted(emails), "at": at})], at
        )
        if emails
        else {},
        deviations=deviations.facts(session, at, wanted),
    )


def _read_reviews(session: Session, after: int) -> list[ReviewFact]:
    return [_review(*row) for row in session.execute(_REVIEWS, {"after": after})]


def _review(  # noqa: PLR0917 - the columns of one row, in their order
    _id: int,
    sop_id: str,
    revision: int,
    outcome: str,
    happened_at: datetime,
    recorded_at: datetime,
    bulk: bool,  # noqa: FBT001 - a column
) -> ReviewFact:
    return ReviewFact(sop_id, revision, _OUTCOMES[outcome], happened_at, recorded_at, bulk)


def _read_acknowledgements(session: Session, after: int) -> list[AcknowledgementFact]:
    return [AcknowledgementFact(*row) for row in session.execute(_ACKNOWLEDGEMENTS, {"after": after})]


@dataclass(frozen=True, slots=True)
class _Processes:
    """Every version of the register, and what they make of it once all of them are known."""

    known: Known[Any]
    facts: Mapping[str, ProcessFact]

    @property
    def latest(self) -> datetime:
        """When the last of them was recorded."""
        return self.known.latest


def _processes(session: Session, at: datetime, kept: KeptFacts, sizes: Mapping[str, Size]) -> Mapping[str, ProcessFact]:
    register = kept.get(
        "process_version",
        sizes["process_version"],
        read=lambda after: session.execute(_PROCESS_VERSIONS, {"after": after}).all(),
        shape=_register,
    )
    return register.facts if at >= register.latest else _assembled(recorded(register.known, at))


def _register(rows: Sequence[Any]) -> _Processes:
    known = in_order(rows)
    return _Processes(known, _assembled(known.facts))


def _assembled(rows: Sequence[Any]) -> Mapping[str, ProcessFact]:
    versions: dict[str, list[ProcessVersion]] = {}
    identities: dict[str, tuple[datetime, datetime]] = {}
    for row in rows:
        identities[row.process_id] = (row.registered_at, row.known_at)
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
        process_id: ProcessFact(process_id, *identities[process_id], tuple(versions[process_id]))
        for process_id in sorted(versions)
    }


def _memberships(session: Session, at: datetime) -> tuple[MembershipFact, ...]:
    return tuple(
        MembershipFact(
            person_id=person_id,
            team=team,
            joined_at=joined_at,
            recorded_at=recorded_at,
            left_at=left_at if _known(left_recorded_at, at) else None,
            left_recorded_at=left_recorded_at if _known(left_recorded_at, at) else None,
        )
        for person_id, team, joined_at, recorded_at, left_at, left_recorded_at in session.execute(
            _MEMBERSHIPS, {"at": at}
        )
    )


def _feedback(session: Session, at: datetime, sop_ids: Sequence[str] | None) -> tuple[FeedbackFact, ...]:
    if sop_ids is None:
        rows = session.execute(_FEEDBACK, {"at": at})
    else:
        rows = session.execute(_FEEDBACK_OF, {"at": at, "ids": sop_ids})
    return tuple(
        FeedbackFact(
            number,
            sop_id,
            _FEEDBACK_KINDS[kind],
            happened_at,
            recorded_at,
            triaged_at if _known(triage_recorded_at, at) else None,
            triage_recorded_at if _known(triage_recorded_at, at) else None,
        )
        for number, sop_id, kind, happened_at, recorded_at, triaged_at, triage_recorded_at in rows
    )


def _people(rows: Sequence[Any], at: datetime) -> Mapping[int, PersonFact]:
    states: dict[int, list[PersonState]] = {}
    addresses: dict[int, str] = {}
    for _, person_id, email, active, happened_at, recorded_at in rows:
        if recorded_at <= at:
            addresses[person_id] = email
            states.setdefault(person_id, []).append(PersonState(active, happened_at, recorded_at))
    return {
        person_id: PersonFact(person_id, addresses[person_id], tuple(several)) for person_id, several in states.items()
    }


def _known(recorded_at: datetime | None, at: datetime) -> bool:
    return recorded_at is not None and recorded_at <= at
