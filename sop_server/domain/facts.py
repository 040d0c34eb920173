"""What is known by an instant: the facts that every rule of the reports reads, and nothing else.

A snapshot holds the facts *recorded* by its instant `at`; what they say about later instants (a scheduled revision, a
planned go-live) is in it too, so the rules compare `happened_at` and `effective_from` with `at` themselves. A fact that
is written in two steps (a membership and its end, feedback and its triage) holds its second step only where that step
was recorded by `at`.

What a library has by the ten thousand is a named tuple: made in a seventh of the time of a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from sop_server.domain.break_glass import BrokenGlassFact
from sop_server.domain.deviation_facts import DeviationFact

Key = TypeVar("Key")
Value = TypeVar("Value")


class RevisionKind(StrEnum):
    """What a revision did to its SOP."""

    EDIT = "edit"
    RETIRE = "retire"


class Significance(StrEnum):
    """Whether a revision asks every reader to read again."""

    MAJOR = "major"
    MINOR = "minor"


class Criticality(StrEnum):
    """How much depends on a process."""

    CRITICAL = "critical"
    NORMAL = "normal"


class ProcessStatus(StrEnum):
    """Whether the operation still does it."""

    ACTIVE = "active"
    RETIRED = "retired"


class TicketStatus(StrEnum):
    """What became of a business change."""

    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReviewOutcome(StrEnum):
    """What a periodic review decided."""

    CONFIRMED = "confirmed"
    NEEDS_REVISION = "needs_revision"
    RETIRE = "retire"


class FeedbackKind(StrEnum):
    """What a reader reports about a SOP."""

    OUTDATED = "outdated"
    UNCLEAR = "unclear"
    EDGE_CASE = "edge_case"
    AI_BYPASSED = "ai_bypassed"


class RevisionFact(NamedTuple):
    """An approved revision and the front matter that the rules read; `tickets` are ticket ids.

    `links` are the SOPs it refers to, in front matter or text; `broken_links` are references that lead nowhere.
    """

    sop_id: str
    number: int
    kind: RevisionKind
    significance: Significance
    content_hash: str
    effective_from: datetime
    approved_at: datetime
    recorded_at: datetime
    title: str
    department: str | None = None
    owner: str | None = None
    deputy: str | None = None
    processes: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    broken_links: tuple[str, ...] = ()
    review_every_days: int = 365
    tickets: tuple[int, ...] = ()
    reverts: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessVersion:
    """What the register says of a process from `happened_at` on."""

    name: str
    department: str | None
    criticality: Criticality
    owner: str | None
    deputy: str | None
    systems: tuple[str, ...]
    status: ProcessStatus
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ProcessFact:
    """An entry of the process register; `versions` in the order in which they happened, at least one.

    `recorded_at` is the instant at which the register first knew of it: its grace runs from there.
    """

    id: str
    registered_at: datetime
    recorded_at: datetime
    versions: tuple[ProcessVersion, ...]

    def version(self, at: datetime) -> ProcessVersion | None:
        """Return what the register says of it at the instant; None before it was registered."""
        for version in reversed(self.versions):
            if version.happened_at <= at:
                return version
        return None


class TicketVersion(NamedTuple):
    """What a ticket said from `recorded_at` on, until its next version."""

    status: TicketStatus
    effective_at: datetime | None
    planned_end: datetime | None
    actual_end: datetime | None
    announced_at: datetime | None
    created_at: datetime
    systems: tuple[str, ...]
    processes: tuple[str, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class GoLiveConfirmation:
    """A person says when a change took effect, and why; `person_id` is who."""

    t0: datetime
    person_id: int
    reason: str
    recorded_at: datetime


class TicketFact(NamedTuple):
    """A business change; `versions` (at least one) and `confirmations` in the order in which they were recorded."""

    id: int
    source: str
    key: str
    title: str
    versions: tuple[TicketVersion, ...]
    confirmations: tuple[GoLiveConfirmation, ...] = ()

    @property
    def reference(self) -> str:
        """The ticket as people write it, `source:key`."""
        return f"{self.source}:{self.key}"

    @property
    def first_known_at(self) -> datetime:
        """The instant at which the library first heard of it."""
        return self.versions[0].recorded_at


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """A proposal that an obligation is not needed, and what a second person said of it: yes, or no and why."""

    proposed_by: int
    reason: str
    proposed_at: datetime
    confirmed_by: int | None = None
    confirmed_at: datetime | None = None
    declined_by: int | None = None
    declined_at: datetime | None = None
    declined_because: str | None = None

    def known_by(self, at: datetime) -> "NotNeeded":
        """Return it as it was at an instant after it was proposed: without what was said of it later."""
        known = self
        if known.confirmed_at is not None and known.confirmed_at > at:
            known = replace(known, confirmed_by=None, confirmed_at=None)
        if known.declined_at is not None and known.declined_at > at:
            known = replace(known, declined_by=None, declined_at=None, declined_because=None)
        return known


class ObligationFact(NamedTuple):
    """One (ticket, SOP) pair, or the triage of a ticket where `sop_id` is None.

    `uncounted_from` is the instant at which named SOPs replaced a triage obligation. `proposals` that nothing is needed
    are in their order; all but the last of them were declined.
    """

    id: int
    ticket_id: int
    sop_id: str | None
    window_hours: float
    recorded_at: datetime
    uncounted_from: datetime | None = None
    proposals: tuple[NotNeeded, ...] = ()

    @property
    def proposal(self) -> NotNeeded | None:
        """The proposal that stands, confirmed or waiting; None where nobody made one, or it was declined."""
        last = self.proposals[-1] if self.proposals else None
        return None if last is None or last.declined_at is not None else last


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """A periodic review; `bulk` where many were decided in one go, or nothing but a date was given."""

    sop_id: str
    revision: int
    outcome: ReviewOutcome
    happened_at: datetime
    recorded_at: datetime
    bulk: bool = False


class AcknowledgementFact(NamedTuple):
    """One person's "read and understood" of one revision."""

    sop_id: str
    revision: int
    person_id: int
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class MembershipFact:
    """One person's time in one team; `left_at` is None while its end is not recorded."""

    person_id: int
    team: str
    joined_at: datetime
    recorded_at: datetime
    left_at: datetime | None = None
    left_recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedbackFact:
    """A reader's report; `triaged_at` is None while its triage is not recorded."""

    id: int
    sop_id: str | None
    kind: FeedbackKind
    happened_at: datetime
    recorded_at: datetime
    triaged_at: datetime | None = None
    triage_recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonState:
    """From `happened_at` on this person is active, or is not."""

    active: bool
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PersonFact:
    """Somebody with an account; `email` is lower case, `states` in the order in which they happened."""

    id: int
    email: str
    states: tuple[PersonState, ...]

    def state(self, at: datetime) -> PersonState | None:
        """Return the state at the instant; None before there was an account."""
        for state in reversed(self.states):
            if state.happened_at <= at:
                return state
        return None

    def active(self, at: datetime) -> bool:
        """Whether the person is active at the instant."""
        state = self.state(at)
        return state is not None and state.active


def _nothing() -> Mapping[Key, Value]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything recorded by `at`: of the whole library, or of one SOP and what it depends on.

    `revisions` is by SOP id, each in ascending number, and holds no SOP without revisions. Of one SOP it also needs the
    revisions of the SOPs that it links to, its obligations with their tickets, and the open triage obligations.
    """

    at: datetime
    revisions: Mapping[str, tuple[RevisionFact, ...]] = field(default_factory=_nothing)
    processes: Mapping[str, ProcessFact] = field(default_factory=_nothing)
    tickets: Mapping[int, TicketFact] = field(default_factory=_nothing)
    obligations: tuple[ObligationFact, ...] = ()
    reviews: tuple[ReviewFact, ...] = ()
    acknowledgements: tuple[AcknowledgementFact, ...] = ()
    memberships: tuple[MembershipFact, ...] = ()
    feedback: tuple[FeedbackFact, ...] = ()
    people: Mapping[int, PersonFact] = field(default_factory=_nothing)
    deviations: tuple[DeviationFact, ...] = ()
    broken_glass: tuple[BrokenGlassFact, ...] = ()
