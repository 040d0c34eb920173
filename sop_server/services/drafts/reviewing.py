"""What an approver has to see before deciding: what changes, for whom, and what it meets."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain import front_matter, identifiers
from sop_server.domain.content import normalise
from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.domain.facts import Significance
from sop_server.domain.golive import go_live
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.signatures import approving
from sop_server.rendering.markdown import render
from sop_server.rendering.raw_diff import DiffLine, raw_diff
from sop_server.rendering.redline import Redline, redline
from sop_server.services.changes.ticket_sight import tickets_in_sight
from sop_server.services.drafts import rebasing
from sop_server.services.drafts.approving import approval_rule
from sop_server.services.drafts.draft_views import DraftView, Looking, draft_in_sight, view
from sop_server.services.library.linking import resolver
from sop_server.services.stores import Stores
from sop_server.storage import audiences, drafts, sops, ticket_facts
from sop_server.storage.database import Session
from sop_server.storage.tables import Draft


@dataclass(frozen=True, slots=True)
class Meeting:
    """A ticket that the revision would answer: after how long since its go-live (None: before it)."""

    ticket_id: str
    label: str
    title: str
    t0: datetime
    exposure: timedelta | None


@dataclass(frozen=True, slots=True)
class DraftReview:
    """A draft as an approver sees it.

    `redline` and `lines` are against the revision that it is based on; both empty for a retirement. `readers` have
    to read again. `signature` is what an approver declares where a department asks for one, `may_break_glass` whether
    the viewer may publish it alone in an emergency. `merge` is the text with conflict markers where the base moved and
    lines collide, else None.
    """

    draft: DraftView
    html: str
    redline: Redline
    lines: tuple[DiffLine, ...]
    base_title: str | None
    next_revision: int
    approvers: tuple[str, ...]
    needed: int
    may_decide: bool
    is_author: bool
    may_edit: bool
    readers: int
    meets: tuple[Meeting, ...]
    overtaken_by: int | None
    merge: str | None
    signature: str | None
    may_break_glass: bool


def review_of(stores: Stores, *, actor: Actor, draft_id: str, now: datetime) -> DraftReview:
    """Return everything that the review page shows of a draft."""
    actor.require_anywhere(Action.SEE_DRAFTS)
    with stores.database.read() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        shown = view(stores, session, draft, Looking(actor, now))
        base = None if draft.base_revision is None else sops.revision_row(session, draft.sop_id, draft.base_revision)
        before = "" if base is None else normalise(stores.library.read(base.blob_oid))
        after = "" if draft.kind == DraftKind.RETIRE else shown.content
        sop = sops.sop_row(session, draft.sop_id)
        resolve = resolver(session, path=sop.path if sop else "", at=now)
        rule = approval_rule(session, draft, now=now)
        authors = drafts.authors(session, draft.id)
        approvers = [
            one.name
            for one in audiences.people_who_may(session, Action.DECIDE, rule.departments, now)
            if one.id not in authors
        ]
        newest = rebasing.overtaking(session, draft, now=now)
        merged = rebasing.merged_text(stores, session, draft, newest, now=now) if newest is not None else None
        return DraftReview(
            draft=shown,
            html=render(front_matter.parse(shown.content).body, resolve=resolve).html,
            redline=redline(front_matter.parse(before).body, front_matter.parse(after).body, resolve=resolve),
            lines=tuple(raw_diff(before, after)),
            base_title=None if base is None else base.title,
            next_revision=sops.next_revision_number(session, draft.sop_id),
            approvers=tuple(approvers),
            needed=rule.needed,
            may_decide=rule.may_decide(actor) and draft.state == DraftState.IN_REVIEW,
            is_author=actor.person_id in authors,
            may_edit=actor.may(Action.DRAFT, draft.department),
            readers=_readers(session, draft, shown.content, now=now),
            meets=_meets(session, draft, actor, now=now),
            overtaken_by=None if newest is None else newest.number,
            merge=normalise(merged.content) if merged is not None and merged.conflicted else None,
            signature=approving(draft.kind) if rule.signature else None,
            may_break_glass=rule.break_glass
            and rule.may_decide_alone(actor)
            and draft.state == DraftState.IN_REVIEW
            and draft.kind != DraftKind.RETIRE,
        )


def _readers(session: Session, draft: Draft, content: str, *, now: datetime) -> int:
    if draft.significance != Significance.MAJOR or draft.kind == DraftKind.RETIRE:
        return 0
    audience = front_matter.parse(content).front.audience
    return audiences.count_members(session, audience, now) if audience else 0


def _meets(session: Session, draft: Draft, actor: Actor, *, now: datetime) -> tuple[Meeting, ...]:
    begins = max(now, draft.effective_from) if draft.effective_from else now
    ids = tickets_in_sight(session, actor, drafts.ticket_ids(session, [draft.id]).get(draft.id, []), now)
    meetings: list[Meeting] = []
    for ticket in ticket_facts.load_tickets(session, now, ids).values():
        t0 = go_live(ticket, now).t0
        exposure = begins - t0 if begins > t0 else None
        meetings.append(Meeting(identifiers.ticket_id(ticket.id), ticket.reference, ticket.title, t0, exposure))
    return tuple(meetings)
