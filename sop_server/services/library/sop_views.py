"""What the doors show of SOPs and their revisions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sop_server.domain import identifiers
from sop_server.domain.break_glass import BrokenGlassFact, GlassState
from sop_server.domain.deviations import DeviationMark, DeviationState
from sop_server.domain.facts import ReviewFact
from sop_server.domain.obligations import ObligationStatus
from sop_server.domain.revisions import RevisionState
from sop_server.domain.signatures import Signature, from_stored
from sop_server.domain.staleness import StaleReason
from sop_server.rendering.outline import Heading
from sop_server.storage.tables import BrokenGlass, PublishIntent, Revision


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be known of a SOP besides its text: why it is stale, worst first, and what deviates from it."""

    stale: tuple[StaleReason, ...] = ()
    deviations: tuple[DeviationMark, ...] = ()


NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class SopSummary:
    """A SOP in force, as lists show it. `stale` is worst first; `deviations` are those in force, then those to come."""

    sop_id: str
    title: str
    department: str | None
    owner: str | None
    deputy: str | None
    processes: tuple[str, ...]
    systems: tuple[str, ...]
    tags: tuple[str, ...]
    audience: tuple[str, ...]
    revision: int
    significance: str
    change_summary: str
    effective_from: datetime
    content_hash: str
    stale: tuple[StaleReason, ...]
    deviations: tuple[DeviationMark, ...]

    @property
    def deviates(self) -> tuple[DeviationMark, ...]:
        """What is done otherwise at this instant."""
        return tuple(one for one in self.deviations if one.state is DeviationState.IN_FORCE)


@dataclass(frozen=True, slots=True)
class RevisionApproval:
    """Who approved a revision, and when; `signature` where they signed it."""

    person: str
    name: str
    at: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class GlassView:
    """That one person published a revision alone, and what a second one said of it; no approval.

    `name` and `answered_by` are names as they were then, `draft_id` is the draft that an objection opened. `loud` while
    everybody has to be told.
    """

    name: str
    reason: str
    at: datetime
    signature: Signature | None
    confirm_by: datetime
    state: GlassState
    answered_by: str | None
    answered_at: datetime | None
    answer_reason: str | None
    answer_signature: Signature | None
    draft_id: str | None
    loud: bool


@dataclass(frozen=True, slots=True)
class RevisionTicket:
    """A ticket that a revision references."""

    id: int
    label: str


@dataclass(frozen=True, slots=True)
class RevisionView:
    """One revision as the history shows it; `markdown` and `html` are empty in lists.

    One with `break_glass` was not approved: it has neither `approvals` nor `approved_at`.
    """

    sop_id: str
    revision: int
    kind: str
    state: RevisionState
    title: str
    significance: str
    author: str
    author_name: str
    approvals: tuple[RevisionApproval, ...]
    tickets: tuple[RevisionTicket, ...]
    change_summary: str
    approved_at: datetime | None
    effective_from: datetime
    content_hash: str
    commit: str
    reverts: int | None
    break_glass: GlassView | None = None
    markdown: str = ""
    html: str = ""
    outline: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class SopPage:
    """One SOP at an instant, with its text and what stands around it.

    `next_review_at` is when its review is due, `last_review` the last one that confirmed it.

    `unreflected` are the changes that are live and that it does not reflect yet, the oldest first. `break_glass` tells
    that one person published it alone, until a second one confirmed it.
    """

    summary: SopSummary
    path: str
    markdown: str
    html: str
    outline: tuple[Heading, ...]
    front_matter: Mapping[str, object]
    coming: tuple[RevisionView, ...]
    next_review_at: datetime
    last_review: ReviewFact | None
    at: datetime
    latest_revision: int
    unreflected: tuple[ObligationStatus, ...]
    break_glass: GlassView | None = None


def summarise(row: Revision, marks: Marks) -> SopSummary:
    """Return a revision in force as lists show it."""
    return SopSummary(
        sop_id=row.sop_id,
        title=row.title,
        department=row.department,
        owner=row.owner,
        deputy=row.deputy,
        processes=tuple(row.processes),
        systems=tuple(row.systems),
        tags=tuple(row.tags),
        audience=tuple(row.audience),
        revision=row.number,
        significance=row.significance,
        change_summary=row.change_summary,
        effective_from=row.effective_from,
        content_hash=row.content_hash,
        stale=marks.stale,
        deviations=marks.deviations,
    )


def glass_view(fact: BrokenGlassFact, row: BrokenGlass, intent: PublishIntent | None, *, at: datetime) -> GlassView:
    """Return a broken glass as it stood at an instant, while its revision is the one in force."""
    told = None if intent is None or intent.break_glass is None else intent.break_glass.get("signature")
    return GlassView(
        name=fact.name,
        reason=fact.reason,
        at=fact.happened_at,
        signature=_signed(from_stored(told), fact.name),
        confirm_by=fact.due_at,
        state=fact.state(at),
        answered_by=fact.answer_name,
        answered_at=fact.answered_at,
        answer_reason=fact.answer_reason,
        answer_signature=None if fact.open else from_stored(row.answer_signature),
        draft_id=None if fact.draft_id is None else identifiers.draft_id(fact.draft_id),
        loud=fact.loud(fact.revision),
    )


def revision_view(
    row: Revision,
    intent: PublishIntent | None,
    state: RevisionState,
    glass: GlassView | None = None,
    *,
    erased: Mapping[tuple[int, str], tuple[str, str]],
) -> RevisionView:
    """Return one revision with who approved it; its text is added by who shows it.

    Whoever was `erased` since is called what they are called now, though its commit has their name.
    """
    author, author_name = erased.get((row.intent_id, row.author_email), (row.author_email, row.author_name))
    return RevisionView(
        sop_id=row.sop_id,
        revision=row.number,
        kind=row.kind,
        state=state,
        title=row.title,
        significance=row.significance,
        author=author,
        author_name=author_name,
        approvals=tuple(
            _approval(one, erased.get((row.intent_id, str(one["email"]))))
            for one in ([] if intent is None else intent.approvals)
        ),
        tickets=tuple(
            RevisionTicket(int(one["id"]), str(one["label"])) for one in ([] if intent is None else intent.tickets)
        ),
        change_summary=row.change_summary,
        approved_at=row.approved_at if glass is None else None,
        effective_from=row.effective_from,
        content_hash=row.content_hash,
        commit=row.commit_oid,
        reverts=row.reverts,
        break_glass=glass,
    )


def _approval(told: Mapping[str, Any], erased: tuple[str, str] | None) -> RevisionApproval:
    email, name = erased or (str(told["email"]), str(told["name"]))
    return RevisionApproval(email, name, str(told["at"]), _signed(from_stored(told.get("signature")), name))


def _signed(signature: Signature | None, name: str) -> Signature | None:
    return None if signature is None else replace(signature, name=name)
