"""Facts as the tests need them: every instant is hours or days around `GO_LIVE`."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sop_server.domain.facts import (
    AcknowledgementFact,
    Criticality,
    Facts,
    FeedbackFact,
    FeedbackKind,
    GoLiveConfirmation,
    MembershipFact,
    NotNeeded,
    ObligationFact,
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
    TicketFact,
    TicketStatus,
    TicketVersion,
)

GO_LIVE = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
LONG_AGO = GO_LIVE - timedelta(days=300)

MAJOR, MINOR = Significance.MAJOR, Significance.MINOR


def after(hours: float = 0, *, days: float = 0) -> datetime:
    """Return the instant so long after the go-live; negative is before it."""
    return GO_LIVE + timedelta(hours=hours, days=days)


def revision(
    number: int = 1,
    effective_from: datetime = LONG_AGO,
    *,
    sop: str = "SOP-0001",
    text: str | None = None,
    tickets: tuple[int, ...] = (),
    kind: RevisionKind = RevisionKind.EDIT,
    significance: Significance | None = None,
    recorded_at: datetime | None = None,
    reverts: int | None = None,
    department: str | None = "payments",
    owner: str | None = "asha@example.com",
    deputy: str | None = "ben@example.com",
    processes: tuple[str, ...] = (),
    systems: tuple[str, ...] = (),
    audience: tuple[str, ...] = (),
    links: tuple[str, ...] = (),
    broken_links: tuple[str, ...] = (),
    review_every_days: int = 365,
) -> RevisionFact:
    """Return a revision; r1 is major and later ones minor unless said otherwise, each with a text of its own."""
    return RevisionFact(
        sop_id=sop,
        number=number,
        kind=kind,
        significance=significance or (MAJOR if number == 1 else MINOR),
        content_hash=text or f"text of {sop} r{number}",
        effective_from=effective_from,
        approved_at=effective_from,
        recorded_at=recorded_at or effective_from,
        title=f"Title of {sop}",
        department=department,
        owner=owner,
        deputy=deputy,
        processes=processes,
        systems=systems,
        audience=audience,
        links=links,
        broken_links=broken_links,
        review_every_days=review_every_days,
        tickets=tickets,
        reverts=reverts,
    )


def version(
    recorded_at: datetime = LONG_AGO,
    *,
    status: TicketStatus = TicketStatus.PLANNED,
    effective_at: datetime | None = None,
    planned_end: datetime | None = None,
    actual_end: datetime | None = None,
    announced_at: datetime | None = None,
    created_at: datetime | None = None,
    systems: tuple[str, ...] = (),
    processes: tuple[str, ...] = (),
) -> TicketVersion:
    """Return what a ticket says from `recorded_at` on; it was created then unless said otherwise."""
    return TicketVersion(
        status=status,
        effective_at=effective_at,
        planned_end=planned_end,
        actual_end=actual_end,
        announced_at=announced_at,
        created_at=created_at or recorded_at,
        systems=systems,
        processes=processes,
        recorded_at=recorded_at,
    )


def ticket(
    *versions: TicketVersion, number: int = 1, source: str = "jira", confirmations: tuple[GoLiveConfirmation, ...] = ()
) -> TicketFact:
    """Return a ticket, stated to go live at `GO_LIVE` and known long before unless versions are given."""
    return TicketFact(
        id=number,
        source=source,
        key=f"CHG-{number}",
        title=f"Change {number}",
        versions=versions or (version(effective_at=GO_LIVE),),
        confirmations=confirmations,
    )


def confirmation(t0: datetime, recorded_at: datetime) -> GoLiveConfirmation:
    """Return a person's word on when a change went live."""
    return GoLiveConfirmation(t0=t0, person_id=1, reason="Seen in production", recorded_at=recorded_at)


def obligation(
    number: int = 1,
    *,
    ticket: int = 1,
    sop: str | None = "SOP-0001",
    window_hours: float = 48.0,
    uncounted_from: datetime | None = None,
    proposal: NotNeeded | None = None,
    recorded_at: datetime = LONG_AGO,
) -> ObligationFact:
    """Return an obligation of 48 hours."""
    return ObligationFact(
        id=number,
        ticket_id=ticket,
        sop_id=sop,
        window_hours=window_hours,
        recorded_at=recorded_at,
        uncounted_from=uncounted_from,
        proposals=() if proposal is None else (proposal,),
    )


def not_needed(proposed_at: datetime, confirmed_at: datetime | None) -> NotNeeded:
    """Return a proposal, confirmed by a second person where an instant is given."""
    return NotNeeded(
        proposed_by=1,
        reason="The SOP does not name this field",
        proposed_at=proposed_at,
        confirmed_by=None if confirmed_at is None else 2,
        confirmed_at=confirmed_at,
    )


def declined(proposed_at: datetime, declined_at: datetime) -> NotNeeded:
    """Return a proposal to which a second person said no."""
    return replace(
        not_needed(proposed_at, None), declined_by=2, declined_at=declined_at, declined_because="Step 3 names it"
    )


def process(
    process_id: str = "PROC-001",
    *,
    criticality: Criticality = Criticality.NORMAL,
    registered_at: datetime = LONG_AGO,
    recorded_at: datetime | None = None,
    retired_at: datetime | None = None,
    department: str | None = "payments",
    owner: str | None = "asha@example.com",
) -> ProcessFact:
    """Return a process of the register, recorded when it was registered unless said otherwise."""
    known_at = recorded_at or registered_at

    def said(status: ProcessStatus, happened_at: datetime, known: datetime) -> ProcessVersion:
        return ProcessVersion(
            name=f"Process {process_id}",
            department=department,
            criticality=criticality,
            owner=owner,
            deputy=None,
            systems=(),
            status=status,
            happened_at=happened_at,
            recorded_at=known,
        )

    versions = [said(ProcessStatus.ACTIVE, registered_at, known_at)]
    if retired_at is not None:
        versions.append(said(ProcessStatus.RETIRED, retired_at, retired_at))
    return ProcessFact(id=process_id, registered_at=registered_at, recorded_at=known_at, versions=tuple(versions))


def person(person_id: int, email: str | None = None, *, left_at: datetime | None = None) -> PersonFact:
    """Return an active person, or one who was until `left_at`."""
    states = [PersonState(active=True, happened_at=LONG_AGO, recorded_at=LONG_AGO)]
    if left_at is not None:
        states.append(PersonState(active=False, happened_at=left_at, recorded_at=left_at))
    return PersonFact(id=person_id, email=email or f"person{person_id}@example.com", states=tuple(states))


ASHA = person(101, "asha@example.com")
BEN = person(102, "ben@example.com")


def member(
    person_id: int, team: str = "tier2", joined_at: datetime = LONG_AGO, *, left_at: datetime | None = None
) -> MembershipFact:
    """Return a membership that was recorded when it began."""
    return MembershipFact(
        person_id=person_id,
        team=team,
        joined_at=joined_at,
        recorded_at=joined_at,
        left_at=left_at,
        left_recorded_at=left_at,
    )


def acknowledgement(
    person_id: int, happened_at: datetime, *, sop: str = "SOP-0001", revision: int = 1
) -> AcknowledgementFact:
    """Return a person's "read and understood"."""
    return AcknowledgementFact(
        sop_id=sop, revision=revision, person_id=person_id, happened_at=happened_at, recorded_at=happened_at
    )


def review(
    happened_at: datetime,
    *,
    sop: str = "SOP-0001",
    outcome: ReviewOutcome = ReviewOutcome.CONFIRMED,
    bulk: bool = False,
) -> ReviewFact:
    """Return a periodic review that confirms unless said otherwise."""
    return ReviewFact(
        sop_id=sop, revision=1, outcome=outcome, happened_at=happened_at, recorded_at=happened_at, bulk=bulk
    )


def report(
    number: int,
    happened_at: datetime,
    *,
    sop: str | None = "SOP-0001",
    kind: FeedbackKind = FeedbackKind.OUTDATED,
    triaged_at: datetime | None = None,
) -> FeedbackFact:
    """Return feedback, triaged where an instant is given."""
    return FeedbackFact(
        id=number,
        sop_id=sop,
        kind=kind,
        happened_at=happened_at,
        recorded_at=happened_at,
        triaged_at=triaged_at,
        triage_recorded_at=triaged_at,
    )


def library(
    at: datetime,
    *,
    revisions: Iterable[RevisionFact] = (),
    processes: Iterable[ProcessFact] = (),
    tickets: Iterable[TicketFact] = (),
    obligations: Iterable[ObligationFact] = (),
    reviews: Iterable[ReviewFact] = (),
    acknowledgements: Iterable[AcknowledgementFact] = (),
    memberships: Iterable[MembershipFact] = (),
    feedback: Iterable[FeedbackFact] = (),
    people: Iterable[PersonFact] = (ASHA, BEN),
) -> Facts:
    """Return a snapshot of these facts."""
    by_sop: dict[str, list[RevisionFact]] = {}
    for fact in revisions:
        by_sop.setdefault(fact.sop_id, []).append(fact)
    return Facts(
        at=at,
        revisions={sop: tuple(sorted(found, key=lambda fact: fact.number)) for sop, found in by_sop.items()},
        processes={fact.id: fact for fact in processes},
        tickets={fact.id: fact for fact in tickets},
        obligations=tuple(obligations),
        reviews=tuple(reviews),
        acknowledgements=tuple(acknowledgements),
        memberships=tuple(memberships),
        feedback=tuple(feedback),
        people={fact.id: fact for fact in people},
    )
