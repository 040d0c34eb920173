"""Deciding on a draft: approval bound to the exact text, or a request for changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sop_server.domain import identifiers, signatures
from sop_server.domain.drafts import (
    ApprovalRule,
    Decision,
    DraftState,
    check_effective_from,
    clean_comment,
    require_not_author,
    require_same_content,
    require_state,
)
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.signatures import Signature
from sop_server.errors import BusyError, ConflictError, ForbiddenError, InvalidInputError, SopError
from sop_server.services.accounts.signing import Attempt, sign
from sop_server.services.drafts import rebasing
from sop_server.services.drafts.draft_commits import SYSTEM
from sop_server.services.drafts.draft_views import DraftView, Looking, draft_in_sight, view
from sop_server.services.drafts.rules import require_signature, rules_of
from sop_server.services.publication import publishing, reconciling
from sop_server.services.publication.publishing import Publication
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, leaving, people, sops, ticket_references
from sop_server.storage.database import Session
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import Approval, Draft, PublishIntent

_NOT_PUBLISHED_YET = (
    "Your approval is kept and the draft is approved, but it could not be published yet. The server publishes it by "
    "itself as soon as it can, mostly within a minute; do not approve it again. If the draft does not show a "
    "revision by then, tell an administrator: `sop-server check --repair` says what is in the way."
)

_EVENTS = {
    Decision.APPROVE: "draft.approved",
    Decision.REQUEST_CHANGES: "draft.changes_requested",
    Decision.BREAK_GLASS: "draft.glass_broken",
    Decision.CONFIRM: "revision.confirmed",
    Decision.OBJECT: "revision.objected",
}

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Approved:
    """What an approval brought about: `revision` is None while further approvals are needed."""

    draft_id: str
    sop_id: str
    state: DraftState
    revision: int | None
    effective_from: datetime
    in_force: bool
    approvals_missing: bool


def approve(
    stores: Stores,
    *,
    actor: Actor,
    draft_id: str,
    content_hash: str,
    now: datetime,
    effective_from: datetime | None = None,
    comment: str = "",
    attempt: Attempt | None = None,
) -> Approved:
    """Approve the text with this hash; the approval that completes what is needed publishes it before returning.

    `attempt` is what the approver signs with, where a department asks for it. Raises ForbiddenError (an author, no
    approver of the department, or a wrong password), ConflictError with the draft's hash (another text, or a base that
    moved), InvalidInputError (an instant in the past, no signature), BusyError where the approval stands but could not
    be published yet: the reconciler publishes it.
    """
    actor.require_anywhere(Action.DECIDE)
    signature = _signature(stores, actor=actor, draft_id=draft_id, content_hash=content_hash, attempt=attempt, now=now)
    outcome, published = decide_and_publish(
        stores,
        actor=actor,
        draft_id=draft_id,
        now=now,
        told=_NOT_PUBLISHED_YET,
        decide=lambda: _decide(
            stores,
            actor=actor,
            draft_id=draft_id,
            content_hash=content_hash,
            now=now,
            effective_from=effective_from,
            comment=comment,
            signature=signature,
        ),
    )
    if published is None:
        return outcome
    return Approved(
        draft_id=draft_id,
        sop_id=published.sop_id,
        state=DraftState.PUBLISHED,
        revision=published.revision,
        effective_from=published.effective_from,
        in_force=published.in_force,
        approvals_missing=False,
    )


def request_changes(
    stores: Stores, *, actor: Actor, draft_id: str, comment: str, now: datetime, content_hash: str | None = None
) -> DraftView:
    """Send a draft back to its author with what has to change."""
    actor.require_anywhere(Action.DECIDE)
    with stores.library.lock(), stores.database.write() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        require_approver(session, draft, actor, now=now)
        require_state(DraftState(draft.state), {DraftState.IN_REVIEW}, verb="sent back")
        if content_hash is not None:
            require_same_content(content_hash, draft.content_hash)
        if not comment.strip():
            raise InvalidInputError(
                "Say what has to change, so that the author can do it.", fields={"comment": "must not be empty"}
            )
        drafts.void_approvals(session, draft.id, now=now)
        store_decision(session, draft, actor, Decision.REQUEST_CHANGES, comment=comment, effective_from=None, now=now)
        draft.state = DraftState.CHANGES_REQUESTED
        draft.updated_at = now
        session.flush()
        return view(stores, session, draft, Looking(actor, now))


def approval_rule(session: Session, draft: Draft, *, now: datetime) -> ApprovalRule:
    """Return what a draft needs."""
    return rules_of(session, [draft], now=now)[draft.id]


def decide_and_publish(
    stores: Stores,
    *,
    actor: Actor,
    draft_id: str,
    now: datetime,
    told: str,
    decide: Callable[[], tuple[Outcome, PublishIntent | None]],
) -> tuple[Outcome, Publication | None]:
    """Take a decision under the library lock, and publish what it leads to; None where it leads to nothing yet.

    Raises BusyError with `told` where the decision is kept and could not be carried out.
    """
    with stores.library.lock():
        # What a crash left is carried out first: a decision on top of it would publish without it.
        try:
            reconciling.reconcile(stores, now=now)
        except SopError as error:
            if _is_kept(stores, actor, draft_id, now=now):
                raise BusyError(told) from error
            raise
        outcome, intent = decide()
        if intent is None:
            return outcome, None
        try:
            (published,) = publishing.publish(stores, [intent])
        except SopError as error:
            # The intent is committed: whatever went wrong since, what the error says of nothing being changed is over.
            raise BusyError(told) from error
    return outcome, published


def _signature(
    stores: Stores, *, actor: Actor, draft_id: str, content_hash: str, attempt: Attempt | None, now: datetime
) -> Signature | None:
    """Have an approver sign; None where no department asks for it. Nothing is used up for what cannot be decided."""
    with stores.database.read() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        rule = require_approver(session, draft, actor, now=now)
        if not rule.signature or draft.state != DraftState.IN_REVIEW:
            return None
        require_same_content(content_hash, draft.content_hash)
        meaning = signatures.approving(draft.kind)
    # A password takes tens of milliseconds: never while the library or the database is held.
    return sign(stores, actor=actor, attempt=attempt, meaning=meaning, content_hash=content_hash, now=now)


def _is_kept(stores: Stores, actor: Actor, draft_id: str, *, now: datetime) -> bool:
    """Whether a draft was approved already and is only not published yet: who asks again is told that."""
    with stores.database.read() as session:
        return draft_in_sight(session, actor, draft_id, now=now).state == DraftState.APPROVED


def _decide(
    stores: Stores,
    *,
    actor: Actor,
    draft_id: str,
    content_hash: str,
    now: datetime,
    effective_from: datetime | None,
    comment: str,
    signature: Signature | None,
) -> tuple[Approved, PublishIntent | None]:
    with stores.database.write() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        rule = require_approver(session, draft, actor, now=now)
        require_state(DraftState(draft.state), {DraftState.IN_REVIEW}, verb="approved")
        begins = check_effective_from(effective_from, now=now)
        now = after_what_was_decided(session, draft, max(now, stores.clock()))
        begins = max(begins, now)
        require_same_content(content_hash, draft.content_hash)
        if effective_from is None and draft.effective_from is not None:
            begins = max(now, draft.effective_from)
        rebasing.require_begins_with_base(session, draft, begins=begins)
        if rebasing.bring_up(stores, session, draft, now=now, begins=begins):
            session.commit()
            raise ConflictError(
                rebasing.CONFLICT
                if draft.conflicted
                else "Another revision was published meanwhile and was merged into this draft. Nothing was decided; "
                "look at the merged text and decide on that.",
                content_hash=draft.content_hash,
            )
        require_signature(rule, signature)
        draft.effective_from = begins if begins > now else None
        store_decision(
            session,
            draft,
            actor,
            Decision.APPROVE,
            comment=comment,
            effective_from=begins,
            now=now,
            signature=signature,
        )
        approvers = _approvers(session, draft, rule, now=now)
        complete = rule.complete(approver for approver, _ in approvers)
        intent = intent_of(session, draft, [row for _, row in approvers], now=now) if complete else None
        outcome = Approved(
            draft_id=draft_id,
            sop_id=draft.sop_id,
            state=DraftState(draft.state),
            revision=None,
            effective_from=begins,
            in_force=False,
            approvals_missing=not complete,
        )
    return outcome, intent


def after_what_was_decided(session: Session, draft: Draft, now: datetime) -> datetime:
    """Return the instant of this decision, which is not before that of any revision published until now.

    Whoever asked first may have waited for the library behind somebody who asked later: as of the first one's own
    instant, the other's revision would not be there yet, nor one that came into force while they waited, and its text
    would be published over.
    """
    return max([now, *(row.approved_at for row in sops.revision_rows(session, draft.sop_id))])


def require_approver(session: Session, draft: Draft, actor: Actor, *, now: datetime) -> ApprovalRule:
    """Return what a draft needs; raises ForbiddenError unless the actor may decide on it."""
    rule = approval_rule(session, draft, now=now)
    if not rule.may_decide(actor):
        actor.require(Action.DECIDE, rule.departments[0])
        raise ForbiddenError("You are not an approver of the department that this draft belongs to.")
    require_not_author(actor.person_id, drafts.authors(session, draft.id))
    return rule


def _standing(session: Session, draft: Draft) -> list[Approval]:
    return [
        approval
        for approval in drafts.approvals(session, [draft.id]).get(draft.id, [])
        if approval.voided_at is None
        and approval.decision == Decision.APPROVE
        and approval.content_hash == draft.content_hash
    ]


def _approvers(session: Session, draft: Draft, rule: ApprovalRule, *, now: datetime) -> list[tuple[Actor, Approval]]:
    """Return the standing approvals of those who may still give them: a role may have ended since.

    Nor does that of somebody count who wrote of the draft, whenever that was.
    """
    wrote = drafts.authors(session, draft.id)
    loaded = [
        (people.load_actor(session, row.person_id, now), row)
        for row in _standing(session, draft)
        if row.person_id and row.person_id not in wrote
    ]
    return [(approver, row) for approver, row in loaded if approver is not None and rule.may_decide(approver)]


def store_decision(
    session: Session,
    draft: Draft,
    actor: Actor,
    decision: Decision,
    *,
    comment: str,
    effective_from: datetime | None,
    now: datetime,
    signature: Signature | None = None,
    more: Mapping[str, object] | None = None,
) -> Approval:
    """Write down what a person decided on the text that the draft has, with the event that tells it, and `more`."""
    if decision is Decision.APPROVE and any(row.person_id == actor.person_id for row in _standing(session, draft)):
        raise ConflictError("You approved this very text already; another approver is still needed.")
    row = Approval(
        draft_id=draft.id,
        kind="person",
        content_hash=draft.content_hash,
        person_id=actor.person_id,
        decision=decision,
        comment=clean_comment(comment),
        effective_from=effective_from,
        decided_at=now,
        signature=None if signature is None else signatures.as_stored(signature),
    )
    session.add(row)
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=_EVENTS[decision],
        subject=draft.sop_id,
        details={
            "draft": identifiers.draft_id(draft.id),
            "content_hash": draft.content_hash,
            "significance": draft.significance,
            **({} if signature is None else {"signed_with": signature.signed_with, "meaning": signature.meaning}),
            **(more or {}),
        },
    )
    session.flush()
    return row


def intent_of(
    session: Session,
    draft: Draft,
    standing: Sequence[Approval],
    *,
    now: datetime,
    break_glass: Mapping[str, object] | None = None,
) -> PublishIntent:
    """Write down that a draft is to be published: by its approvals, or by the one record of a broken glass."""
    begins = max([now, *(row.effective_from for row in standing if row.effective_from is not None)])
    authors = drafts.authors(session, draft.id)
    persons = people.persons_by_id(session, {*authors, *(row.person_id for row in standing if row.person_id)})
    tickets = drafts.ticket_ids(session, [draft.id]).get(draft.id, [])
    labels = ticket_references.labels(session, tickets)
    sop = sops.sop_row(session, draft.sop_id)
    if leaving.is_hand_over(session, draft.id):
        author = SYSTEM
    else:
        person = persons[draft.author_id or authors[0]]
        author = Identity(person.name, person.email)
    return publishing.intent_of_draft(
        session,
        draft,
        path="" if sop is None else sop.path,
        author=author,
        author_emails=[persons[number].email for number in authors],
        approvals=[
            {
                "id": row.id,
                "email": persons[row.person_id].email,
                "name": persons[row.person_id].name,
                "at": row.decided_at.isoformat(),
                "signature": row.signature,
            }
            for row in standing
            if row.person_id is not None
        ],
        tickets=[{"id": ticket, "label": labels[ticket]} for ticket in tickets],
        effective_from=begins,
        now=now,
        break_glass=break_glass,
    )
