"""Break-glass: one person publishes alone in an emergency. No approval: the record says so wherever it is shown."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.break_glass import CONFIRM_WITHIN, clean_reason
from sop_server.domain.drafts import (
    ApprovalRule,
    Decision,
    DraftKind,
    DraftState,
    require_same_content,
    require_state,
)
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.signatures import Meaning, Signature
from sop_server.errors import ConflictError, ForbiddenError
from sop_server.services.accounts.signing import Attempt, sign
from sop_server.services.drafts import rebasing
from sop_server.services.drafts.approving import (
    after_what_was_decided,
    approval_rule,
    decide_and_publish,
    intent_of,
    store_decision,
)
from sop_server.services.drafts.draft_views import draft_in_sight
from sop_server.services.drafts.rules import require_signature
from sop_server.services.stores import Stores
from sop_server.storage.database import Session
from sop_server.storage.tables import Draft, PublishIntent

_NOT_PUBLISHED_YET = (
    "The glass is broken and your reason is kept, but the draft could not be published yet. The server publishes it by "
    "itself as soon as it can, mostly within a minute; do not do it again. If the draft does not show a revision by "
    "then, tell an administrator: `sop-server check --repair` says what is in the way."
)


@dataclass(frozen=True, slots=True)
class Broken:
    """What came into force without an approval, and until when a second person has to confirm it."""

    draft_id: str
    sop_id: str
    state: DraftState
    revision: int
    effective_from: datetime
    in_force: bool
    confirm_by: datetime


def break_glass(
    stores: Stores,
    *,
    actor: Actor,
    draft_id: str,
    content_hash: str,
    reason: str,
    now: datetime,
    attempt: Attempt | None = None,
) -> Broken:
    """Publish a draft in review alone, at once, with a reason: also one's own, also where several approvals are asked.

    Raises ForbiddenError (no approver of each department that it touches, or one of them has it switched off),
    InvalidInputError (no reason, no signature where one is asked for), ConflictError (another text, another state, a
    base that moved, a retirement), BusyError where it is kept and not published yet.
    """
    actor.require_anywhere(Action.DECIDE)
    signature, kept = _prepared(
        stores, actor=actor, draft_id=draft_id, content_hash=content_hash, reason=reason, attempt=attempt, now=now
    )
    decided_at, published = decide_and_publish(
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
            reason=kept,
            signature=signature,
            now=now,
        ),
    )
    if published is None:
        raise ConflictError("Nothing was published. Look at the draft again.")
    return Broken(
        draft_id=draft_id,
        sop_id=published.sop_id,
        state=DraftState.PUBLISHED,
        revision=published.revision,
        effective_from=published.effective_from,
        in_force=published.in_force,
        confirm_by=decided_at + CONFIRM_WITHIN,
    )


def require_may_break(stores: Stores, *, actor: Actor, draft_id: str, now: datetime) -> None:
    """Raise what `break_glass` would raise of who the actor is, before anything they sent is looked at."""
    with stores.database.read() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        require_alone(actor, approval_rule(session, draft, now=now))


def require_alone(actor: Actor, rule: ApprovalRule) -> None:
    """Raise ForbiddenError unless the actor may publish alone: an approver of each department, where each lets one."""
    for department in rule.departments:
        actor.require(Action.DECIDE, department)
    if not rule.break_glass:
        raise ForbiddenError(
            "The department does not let one person publish alone: an administrator switched break-glass off. "
            "Ask an approver of the department."
        )


def _prepared(
    stores: Stores,
    *,
    actor: Actor,
    draft_id: str,
    content_hash: str,
    reason: str,
    attempt: Attempt | None,
    now: datetime,
) -> tuple[Signature | None, str]:
    """Return the signature, None where none is asked for, and the reason as it is kept."""
    with stores.database.read() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        rule = approval_rule(session, draft, now=now)
        require_alone(actor, rule)
        kept = clean_reason(reason)
        _require_breakable(draft, content_hash)
    if not rule.signature:
        return None, kept
    signed = sign(stores, actor=actor, attempt=attempt, meaning=Meaning.BREAK_GLASS, content_hash=content_hash, now=now)
    return signed, kept


def _require_breakable(draft: Draft, content_hash: str) -> None:
    require_state(DraftState(draft.state), {DraftState.IN_REVIEW}, verb="published by one person alone")
    if draft.kind == DraftKind.RETIRE:
        raise ConflictError(
            "A retirement cannot be taken back, so nobody does it alone. Nothing was changed; an approver decides."
        )
    require_same_content(content_hash, draft.content_hash)


def _decide(
    stores: Stores,
    *,
    actor: Actor,
    draft_id: str,
    content_hash: str,
    reason: str,
    signature: Signature | None,
    now: datetime,
) -> tuple[datetime, PublishIntent]:
    with stores.database.write() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        rule = approval_rule(session, draft, now=now)
        require_alone(actor, rule)
        _require_breakable(draft, content_hash)
        require_signature(rule, signature)
        now = after_what_was_decided(session, draft, max(now, stores.clock()))
        rebasing.require_begins_with_base(session, draft, begins=now)
        if rebasing.bring_up(stores, session, draft, now=now, begins=now):
            session.commit()
            raise ConflictError(
                rebasing.CONFLICT
                if draft.conflicted
                else "Another revision was published meanwhile and was merged into this draft. Nothing was published; "
                "look at the merged text and decide on that.",
                content_hash=draft.content_hash,
            )
        draft.effective_from = None
        intent = _intent(session, draft, actor, rule, reason=reason, signature=signature, now=now)
    return now, intent


def _intent(
    session: Session,
    draft: Draft,
    actor: Actor,
    rule: ApprovalRule,
    *,
    reason: str,
    signature: Signature | None,
    now: datetime,
) -> PublishIntent:
    decision = store_decision(
        session,
        draft,
        actor,
        Decision.BREAK_GLASS,
        comment=reason,
        effective_from=now,
        now=now,
        signature=signature,
    )
    told = {
        "id": decision.id,
        "person_id": actor.person_id,
        "name": actor.name,
        "email": actor.email,
        "reason": reason,
        "departments": list(rule.departments),
        "at": now.isoformat(),
        "signature": decision.signature,
    }
    return intent_of(session, draft, (), now=now, break_glass=told)
