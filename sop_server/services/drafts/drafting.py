"""Drafts from the first word to submission: writing, saving, submitting, withdrawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import front_matter, identifiers
from sop_server.domain.content import content_hash, normalise
from sop_server.domain.drafts import (
    EDITABLE,
    DraftKind,
    DraftState,
    check_not_too_far,
    clean_summary,
    require_state,
)
from sop_server.domain.facts import Significance
from sop_server.domain.lint import lint
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import ConflictError, ForbiddenError, GoneError, InvalidInputError, NotFoundError, StaleEditError
from sop_server.services.changes.ticket_sight import tickets_in_sight, tickets_named
from sop_server.services.drafts import rebasing
from sop_server.services.drafts.draft_commits import save_state
from sop_server.services.drafts.draft_texts import readable, text_of_new, text_on, with_id
from sop_server.services.drafts.draft_views import DraftView, Looking, draft_in_sight, view
from sop_server.services.drafts.paths import choose_path
from sop_server.services.stores import Stores
from sop_server.storage import audit, broken_glass, counters, drafts, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import Draft, Revision, Sop


@dataclass(frozen=True, slots=True)
class DraftInput:
    """What a person says of a draft. A field that is None is left as it is, or takes its default."""

    content: str | None = None
    change_summary: str | None = None
    significance: str | None = None
    tickets: Sequence[str] | None = None
    effective_from: datetime | None = None
    base_revision: int | None = None


def create_draft(
    stores: Stores,
    *,
    actor: Actor,
    given: DraftInput,
    now: datetime,
    sop_id: str | None = None,
    path: str | None = None,
    kind: str = DraftKind.EDIT,
    reverts: int | None = None,
) -> DraftView:
    """Start a draft on a SOP in force, or of a new SOP where `sop_id` is None; its id is given here for ever.

    Raises NotFoundError, GoneError (retired), ForbiddenError and InvalidInputError with the field that is wrong.
    """
    actor.require_anywhere(Action.DRAFT)
    if sop_id is not None:
        with stores.database.read() as session:
            # Who may not write on it is told that, and nothing about what they sent.
            _base(session, sop_id, None, actor=actor, now=now)
    draft_kind = _kind(kind)
    significance = _significance(given.significance)
    summary = clean_summary(given.change_summary or "")
    if given.effective_from is not None:
        check_not_too_far(given.effective_from, now=now)
    if sop_id is None and reverts is not None:
        raise InvalidInputError(
            "Only a SOP that has revisions can take one back. Say which SOP.",
            fields={"sop_id": "is required to revert"},
        )
    with stores.library.lock(), stores.database.write() as session:
        base = None if sop_id is None else _base(session, sop_id, given.base_revision, actor=actor, now=now)
        if base is None:
            text = text_of_new(given.content, draft_kind)
            sop = _register(session, text, path=path, now=now)
            text = front_matter.with_values(text, {"id": sop.id})
        else:
            sop = _existing(session, base.sop_id)
            text = text_on(stores, session, base, given.content, kind=draft_kind, reverts=reverts)
        if base is not None and draft_kind is DraftKind.RETIRE:
            title, department = base.title, base.department
        else:
            front = readable(text).front
            title, department = front.title or sop.id, front.department
        for touched in {department, base.department if base else department}:
            actor.require(Action.DRAFT, touched)
        draft = Draft(
            sop_id=sop.id,
            kind=draft_kind,
            reverts=reverts,
            base_revision=None if base is None else base.number,
            state=DraftState.DRAFT,
            significance=significance,
            change_summary=summary,
            title=title,
            department=department,
            head_oid="",
            blob_oid="",
            content_hash=content_hash(text),
            conflicted=False,
            author_id=actor.person_id,
            effective_from=given.effective_from,
            created_at=now,
            updated_at=now,
        )
        session.add(draft)
        session.flush()
        save_state(
            stores, session, draft, text, path=sop.path, author=_identity(actor), person_id=actor.person_id, now=now
        )
        _name_tickets(session, draft, given.tickets or (), actor=actor, now=now)
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="draft.created",
            subject=sop.id,
            details={"draft": identifiers.draft_id(draft.id), "content_hash": draft.content_hash, "kind": kind},
        )
        return view(stores, session, draft, Looking(actor, now))


def edit_draft(
    stores: Stores, *, actor: Actor, draft_id: str, given: DraftInput, now: datetime, version: int | None = None
) -> DraftView:
    """Save a new state of a draft; what was decided on the old text is void.

    Raises StaleEditError where `version` is not the draft's: what was sent is not stored, and not lost either.
    """
    actor.require_anywhere(Action.DRAFT)
    with stores.library.lock(), stores.database.write() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        department = sops.department_of(session, draft.sop_id, now) if draft.base_revision else draft.department
        actor.require(Action.DRAFT, department)
        if version is not None and version != draft.version:
            raise StaleEditError(
                "Somebody saved this draft after you opened it. Your text was not stored over theirs: "
                "keep it, open the draft again, and bring both together."
            )
        require_state(DraftState(draft.state), EDITABLE, verb="edited")
        before = _decided_on(session, draft)
        _change_description(session, draft, given, actor=actor, now=now)
        written = given.content is not None and _change_text(
            stores, session, draft, given.content, actor=actor, now=now
        )
        if given.base_revision is not None:
            rebasing.resolve(session, draft, given.base_revision, now=now)
        if _decided_on(session, draft) != before:
            if not written:
                # Whoever changes what an approval says it approves is an author too, and cannot approve it.
                _keep_state(stores, session, draft, actor=actor, now=now)
            drafts.void_approvals(session, draft.id, now=now)
            draft.updated_at = now
            audit.record(
                session,
                at=now,
                actor=actor.email,
                action="draft.edited",
                subject=draft.sop_id,
                details={"draft": draft_id, "content_hash": draft.content_hash},
            )
        session.flush()
        return view(stores, session, draft, Looking(actor, now))


def submit_draft(stores: Stores, *, actor: Actor, draft_id: str, now: datetime) -> DraftView:
    """Ask for approval. The text must be without errors, and on the base that is in force."""
    actor.require_anywhere(Action.DRAFT)
    with stores.library.lock(), stores.database.write() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        actor.require(Action.DRAFT, draft.department)
        require_state(DraftState(draft.state), {DraftState.DRAFT, DraftState.CHANGES_REQUESTED}, verb="submitted again")
        rebasing.require_begins_with_base(session, draft, begins=max(now, draft.effective_from or now))
        rebasing.bring_up(stores, session, draft, now=now)
        if draft.conflicted:
            session.commit()
            raise ConflictError(rebasing.CONFLICT)
        text = normalise(stores.library.read(draft.blob_oid))
        _check_ready(session, draft, text, now=now)
        draft.state = DraftState.IN_REVIEW
        if draft.kind == DraftKind.EDIT:
            draft.department = front_matter.parse(text).front.department
        draft.submitted_at = now
        draft.updated_at = now
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="draft.submitted",
            subject=draft.sop_id,
            details={"draft": draft_id, "content_hash": draft.content_hash},
        )
        session.flush()
        return view(stores, session, draft, Looking(actor, now))


def withdraw_draft(stores: Stores, *, actor: Actor, draft_id: str, now: datetime) -> DraftView:
    """Give a draft up; its text stays where it is."""
    actor.require_anywhere(Action.DRAFT)
    with stores.library.lock(), stores.database.write() as session:
        draft = draft_in_sight(session, actor, draft_id, now=now)
        actor.require(Action.DRAFT, draft.department)
        require_state(DraftState(draft.state), EDITABLE, verb="withdrawn")
        alone = broken_glass.taken_back_by(session, draft.id)
        if alone is not None and alone.person_id == actor.person_id:
            raise ForbiddenError(
                f"This draft takes back r{alone.revision}, which you published alone, so somebody else withdraws it. "
                "Nothing was changed."
            )
        draft.state = DraftState.WITHDRAWN
        draft.updated_at = now
        drafts.void_approvals(session, draft.id, now=now)
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="draft.withdrawn",
            subject=draft.sop_id,
            details={"draft": draft_id},
        )
        session.flush()
        return view(stores, session, draft, Looking(actor, now))


def _base(session: Session, sop_id: str, number: int | None, *, actor: Actor, now: datetime) -> Revision:
    # A SOP whose first revision is still to come can be written on all the same.
    newest = sops.latest_row(session, sop_id, now) or next(iter(sops.scheduled_rows(session, sop_id, at=now)), None)
    if newest is None or not actor.may(Action.READ, newest.department):
        raise NotFoundError(f"There is no SOP {sop_id} in force. Check the id, or leave it out to start a new SOP.")
    actor.require(Action.DRAFT, newest.department)
    if newest.kind == DraftKind.RETIRE:
        raise GoneError(f"{sop_id} was retired and its id is never used again. Start a new SOP instead.")
    if number is None or number == newest.number:
        return newest
    base = sops.revision_row(session, sop_id, number)
    if base is None:
        raise InvalidInputError(
            f"{sop_id} has no revision r{number} to build on; r{newest.number} is in force.",
            fields={"base_revision": "no such revision"},
        )
    return base


def _existing(session: Session, sop_id: str) -> Sop:
    sop = sops.sop_row(session, sop_id)
    if sop is None:
        raise NotFoundError(f"There is no SOP {sop_id}. Check the id.")
    return sop


def _register(session: Session, text: str, *, path: str | None, now: datetime) -> Sop:
    front = front_matter.parse(text).front
    number = counters.next_number(session, "sop")
    sop = Sop(
        id=identifiers.sop_id(number),
        number=number,
        path=choose_path(session, path=path, department=front.department, title=front.title or "sop"),
        created_at=now,
    )
    session.add(sop)
    session.flush()
    return sop


def _change_text(stores: Stores, session: Session, draft: Draft, content: str, *, actor: Actor, now: datetime) -> bool:
    """Store a new text; False where it is the one that the draft has."""
    text = with_id(normalise(content), draft.sop_id)
    if content_hash(text) == draft.content_hash:
        return False
    if draft.kind == DraftKind.RETIRE:
        raise InvalidInputError(
            f"This draft retires {draft.sop_id}, so it has no text of its own. Nothing was stored; "
            "open another draft to change the text.",
            fields={"content": "cannot be changed by a retirement"},
        )
    parsed = readable(text)
    actor.require(Action.DRAFT, parsed.front.department)
    sop = _existing(session, draft.sop_id)
    save_state(stores, session, draft, text, path=sop.path, author=_identity(actor), person_id=actor.person_id, now=now)
    draft.title = parsed.front.title or draft.sop_id
    if parsed.front.department != draft.department:
        # Who may approve was settled for the other department: it has to be asked for again.
        draft.department = parsed.front.department
        draft.state = DraftState.DRAFT
    return True


def _keep_state(stores: Stores, session: Session, draft: Draft, *, actor: Actor, now: datetime) -> None:
    text = normalise(stores.library.read(draft.blob_oid))
    path = _existing(session, draft.sop_id).path
    save_state(stores, session, draft, text, path=path, author=_identity(actor), person_id=actor.person_id, now=now)


def _change_description(session: Session, draft: Draft, given: DraftInput, *, actor: Actor, now: datetime) -> None:
    if given.change_summary is not None:
        draft.change_summary = clean_summary(given.change_summary)
    if given.significance is not None:
        draft.significance = _significance(given.significance)
    if given.effective_from is not None:
        draft.effective_from = check_not_too_far(given.effective_from, now=now)
    if given.tickets is not None:
        _name_tickets(session, draft, given.tickets, actor=actor, now=now)


def _name_tickets(session: Session, draft: Draft, references: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Let a draft name these tickets. Those that it names already and the actor cannot see are not theirs to remove."""
    named = tickets_named(session, actor, references, now)
    had = set(drafts.ticket_ids(session, [draft.id]).get(draft.id, []))
    unseen = had - tickets_in_sight(session, actor, had, now)
    drafts.set_tickets(session, draft.id, sorted(named | unseen))


def _decided_on(session: Session, draft: Draft) -> tuple[object, ...]:
    """Return all that an approval says it approves; a change of any of it makes the approval void."""
    return (
        draft.content_hash,
        draft.change_summary,
        draft.significance,
        draft.effective_from,
        draft.base_revision,
        tuple(drafts.ticket_ids(session, [draft.id]).get(draft.id, [])),
    )


def _check_ready(session: Session, draft: Draft, text: str, *, now: datetime) -> None:
    if draft.kind == DraftKind.RETIRE:
        return  # its text is the one in force, whatever is wrong with that
    errors = [problem for problem in lint(text, path=draft.sop_id) if problem.severity is front_matter.Severity.ERROR]
    if errors:
        told = "; ".join(f"line {problem.line}: {problem.message}" for problem in errors[:5])
        raise InvalidInputError(
            f"The draft cannot be submitted yet: {told}. It is kept as it is.", fields={"content": told}
        )
    current = sops.in_force_row(session, draft.sop_id, now)
    if current is not None and current.content_hash == draft.content_hash:
        raise InvalidInputError(
            f"The draft has the very text of r{current.number}, which is in force. Change something, or, if a ticket "
            "needs no change here, propose “not needed” on the ticket.",
            fields={"content": "nothing changed"},
        )


def _kind(kind: str) -> DraftKind:
    if kind not in set(DraftKind):
        raise InvalidInputError(f"A draft cannot be of kind “{kind}”.", fields={"kind": "edit or retire"})
    return DraftKind(kind)


def _significance(significance: str | None) -> Significance:
    if significance not in set(Significance):
        raise InvalidInputError(
            "Say whether the change is major (everybody reads again) or minor (nobody has to).",
            fields={"significance": "major or minor"},
        )
    return Significance(significance)


def _identity(actor: Actor) -> Identity:
    return Identity(actor.name, actor.email)
