"""What a second person says of a revision that one published alone: it stays, or it is taken back."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain import identifiers, signatures
from sop_server.domain.break_glass import (
    Answer,
    clean_reason,
    require_open,
    require_second_person,
)
from sop_server.domain.content import content_hash
from sop_server.domain.drafts import Decision, DraftKind
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.revisions import RevisionKind
from sop_server.domain.signatures import Meaning, Signature
from sop_server.errors import ConflictError, DamagedError, ForbiddenError
from sop_server.services.accounts.signing import Attempt, sign
from sop_server.services.drafts.approving import store_decision
from sop_server.services.drafts.draft_commits import open_in_review
from sop_server.services.drafts.draft_texts import text_on
from sop_server.services.drafts.rules import require_signature, rule_of
from sop_server.services.library.reading import get_revision
from sop_server.services.library.recorded import record_in_sight
from sop_server.services.library.sop_views import RevisionView
from sop_server.services.stores import Stores
from sop_server.storage import broken_glass, drafts, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import BrokenGlass, Draft


@dataclass(frozen=True, slots=True)
class Answering:
    """Whether somebody may confirm or object; `signature` is what they declare where the department asks for one."""

    may: bool
    signature: Meaning | None


def confirm_revision(
    stores: Stores, *, actor: Actor, sop_id: str, number: int, now: datetime, attempt: Attempt | None = None
) -> RevisionView:
    """Confirm, as a second person, a revision that one published alone; after 24 hours it counts, and as late.

    Raises NotFoundError, ForbiddenError (no approver of each department that it touched, its author, or whoever
    published it), ConflictError (it was approved, or answered already), InvalidInputError without a signature where
    one is asked for.
    """
    actor.require_anywhere(Action.DECIDE)
    signature = _signature(stores, actor=actor, sop_id=sop_id, number=number, attempt=attempt, now=now)
    with stores.database.write() as session:
        row = _answerable(stores, session, actor, sop_id, number, now=now)
        require_signature(rule_of(session, row.departments, now=now), signature)
        _answer(session, row, actor, Answer.CONFIRMED, reason=None, signature=signature, now=now)
    return get_revision(stores, actor=actor, sop_id=sop_id, number=number, now=max(now, stores.clock()))


def object_to_revision(
    stores: Stores, *, actor: Actor, sop_id: str, number: int, reason: str, now: datetime
) -> RevisionView:
    """Object, as a second person and with a reason: a draft in review takes the revision back.

    The text stays in force until that draft is decided on. There is none where the text before is in force again
    already, or the SOP is retired. Raises as `confirm_revision`, and InvalidInputError without a reason.
    """
    actor.require_anywhere(Action.DECIDE)
    with stores.library.lock(), stores.database.write() as session:
        row = _answerable(stores, session, actor, sop_id, number, now=now)
        kept = clean_reason(reason)
        draft = _take_back(stores, session, row, actor, reason=kept, now=now)
        row.draft_id = None if draft is None else draft.id
        _answer(session, row, actor, Answer.OBJECTED, reason=kept, signature=None, now=now)
    return get_revision(stores, actor=actor, sop_id=sop_id, number=number, now=max(now, stores.clock()))


def require_may_answer(stores: Stores, *, actor: Actor, sop_id: str, number: int, now: datetime) -> None:
    """Raise what confirming and objecting would raise of who the actor is, before anything they sent is looked at."""
    with stores.database.read() as session:
        _in_sight(stores, session, actor, sop_id, number, now=now)


def answering_of(stores: Stores, *, actor: Actor, sop_id: str, number: int, now: datetime) -> Answering:
    """Return whether the actor may answer what one person published alone, and what they would declare by it."""
    with stores.database.read() as session:
        row = broken_glass.row_of(session, sop_id, number)
        if row is None or row.answer is not None or not actor.may_anywhere(Action.DECIDE):
            return Answering(may=False, signature=None)
        try:
            require_second_person(actor, broken_glass.as_fact(row), authors=authors_of(session, row))
        except ForbiddenError:
            return Answering(may=False, signature=None)
        asked = rule_of(session, row.departments, now=now).signature
        return Answering(may=True, signature=Meaning.CONFIRM if asked else None)


def authors_of_revision(session: Session, sop_id: str, number: int) -> frozenset[int]:
    """Return who wrote of a revision that one person published alone; nobody of them answers."""
    row = broken_glass.row_of(session, sop_id, number)
    return frozenset() if row is None else authors_of(session, row)


def authors_of(session: Session, row: BrokenGlass) -> frozenset[int]:
    """Return who wrote of the revision: nobody of them answers."""
    return frozenset(drafts.authors(session, _draft_of(session, row).id))


def _draft_of(session: Session, row: BrokenGlass) -> Draft:
    intent = drafts.intent(session, row.intent_id)
    draft = None if intent is None or intent.draft_id is None else drafts.draft_row(session, intent.draft_id)
    if draft is None:
        raise DamagedError(f"The draft of {row.sop_id} r{row.revision} is gone from the database. Restore a backup.")
    return draft


def _in_sight(
    stores: Stores, session: Session, actor: Actor, sop_id: str, number: int, *, now: datetime
) -> BrokenGlass | None:
    record = record_in_sight(stores, session, actor, sop_id, now=now)
    record.row(number)
    row = broken_glass.row_of(session, sop_id, number)
    if row is None:
        actor.require(Action.DECIDE, record.department(now))
        return None
    require_second_person(actor, broken_glass.as_fact(row), authors=authors_of(session, row))
    return row


def _answerable(
    stores: Stores, session: Session, actor: Actor, sop_id: str, number: int, *, now: datetime
) -> BrokenGlass:
    row = _in_sight(stores, session, actor, sop_id, number, now=now)
    if row is None:
        raise ConflictError(f"r{number} was approved before it came into force, so there is nothing to answer.")
    require_open(broken_glass.as_fact(row))
    return row


def _signature(
    stores: Stores, *, actor: Actor, sop_id: str, number: int, attempt: Attempt | None, now: datetime
) -> Signature | None:
    with stores.database.read() as session:
        row = _answerable(stores, session, actor, sop_id, number, now=now)
        asked, text_hash = rule_of(session, row.departments, now=now).signature, row.content_hash
    if not asked:
        return None
    return sign(stores, actor=actor, attempt=attempt, meaning=Meaning.CONFIRM, content_hash=text_hash, now=now)


def _answer(
    session: Session,
    row: BrokenGlass,
    actor: Actor,
    answer: Answer,
    *,
    reason: str | None,
    signature: Signature | None,
    now: datetime,
) -> None:
    row.answer = answer
    row.answered_by, row.answer_name, row.answer_reason = actor.person_id, actor.name, reason
    row.answer_signature = None if signature is None else signatures.as_stored(signature)
    row.answered_at = row.answer_recorded_at = now
    store_decision(
        session,
        _draft_of(session, row),
        actor,
        Decision.CONFIRM if answer is Answer.CONFIRMED else Decision.OBJECT,
        comment=reason or "",
        effective_from=None,
        now=now,
        signature=signature,
        more={
            "revision": row.revision,
            "in_time": now <= broken_glass.as_fact(row).due_at,
            "reason": reason,
            "takes_back": None if row.draft_id is None else identifiers.draft_id(row.draft_id),
        },
    )


def _take_back(
    stores: Stores, session: Session, row: BrokenGlass, actor: Actor, *, reason: str, now: datetime
) -> Draft | None:
    """Open the draft in review that takes a revision back; None where nothing is in force that it could change.

    The first revision has none before it to come back, so its draft retires the SOP.
    """
    serving = sops.latest_row(session, row.sop_id, now)
    sop = sops.sop_row(session, row.sop_id)
    if serving is None or sop is None or serving.kind == RevisionKind.RETIRE:
        return None
    first = row.revision == 1
    kind = DraftKind.RETIRE if first else DraftKind.EDIT
    reverts = None if first else row.revision
    text = text_on(stores, session, serving, None, kind=kind, reverts=reverts)
    if not first and content_hash(text) == serving.content_hash:
        return None
    return open_in_review(
        stores,
        session,
        serving,
        text,
        path=sop.path,
        kind=kind,
        reverts=reverts,
        shown=None if reverts is None else sops.revision_row(session, row.sop_id, reverts - 1),
        significance=serving.significance,
        change_summary=f"Takes back r{row.revision}, which was published by one person alone: {reason}"[:500],
        author=Identity(actor.name, actor.email),
        person_id=actor.person_id,
        actor=actor.email,
        told={"objects_to": row.revision},
        now=now,
    )
