"""Feedback: what readers report of SOPs, and what becomes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sop_server.domain import identifiers
from sop_server.domain.facts import FeedbackKind
from sop_server.domain.feedback import TRIAGE_WITHIN
from sop_server.domain.free_text import clean_text
from sop_server.domain.permissions import Action, Actor
from sop_server.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from sop_server.services.library.sop_sight import department_in_sight
from sop_server.services.paging import Page, check_limit, number_after
from sop_server.services.stores import Stores
from sop_server.storage import audit, participation, people, sops, tickets
from sop_server.storage.database import Session
from sop_server.storage.tables import Feedback, Person
from sop_server.storage.tickets import SopStanding

MAX_REFERENCE = 120
MAX_TEXT = 4000
MAX_REASON = 1000

_SCAN = 200


class TriageOutcome(StrEnum):
    """What becomes of a report."""

    SOP_CHANGE = "sop_change"
    AI_TUNING = "ai_tuning"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class FeedbackView:
    """A reader's report and its triage; the four last fields are None until somebody decided."""

    id: str
    sop_id: str | None
    sop_title: str | None
    department: str | None
    revision: int | None
    kind: FeedbackKind
    case_reference: str
    what_happened: str
    what_was_done: str
    reporter: str
    reporter_name: str
    reported_at: datetime
    triage_due_at: datetime
    outcome: TriageOutcome | None
    reason: str | None
    triaged_by: str | None
    triaged_at: datetime | None


def give_feedback(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    sop_id: str | None,
    kind: str,
    what_happened: str,
    what_was_done: str = "",
    case_reference: str = "",
) -> FeedbackView:
    """Report what is wrong with a SOP, or with `sop_id` None that there is none for a case.

    Raises NotFoundError, GoneError (retired), InvalidInputError with the field; numbers of cards are refused.
    """
    actor.require_anywhere(Action.REPORT)
    with stores.database.write() as session:
        revision = None if sop_id is None else _reportable(session, actor, sop_id, now)
        row = participation.add_feedback(
            session,
            sop_id=sop_id,
            revision=revision,
            kind=_kind(kind).value,
            case_reference=clean_text(
                case_reference,
                field="case_reference",
                most=MAX_REFERENCE,
                what="The case reference",
                required=False,
            ),
            what_happened=clean_text(
                what_happened, field="what_happened", most=MAX_TEXT, what="What happened", required=True
            ),
            what_was_done=clean_text(
                what_was_done, field="what_was_done", most=MAX_TEXT, what="What was done", required=False
            ),
            reporter_id=actor.person_id,
            now=now,
        )
        _record(session, actor, "feedback.given", row, now, kind=row.kind)
        return _views(session, [row], now)[0]


def triage_feedback(
    stores: Stores, *, actor: Actor, now: datetime, feedback_id: str, outcome: str, reason: str = ""
) -> FeedbackView:
    """Decide what becomes of a report, once; a rejection says why.

    Raises ConflictError where somebody decided before.
    """
    actor.require_anywhere(Action.TRIAGE)
    with stores.database.write() as session:
        row = _in_sight(session, actor, feedback_id, now)
        known = _views(session, [row], now)[0]
        if row.sop_id is not None:
            actor.require(Action.TRIAGE, known.department)
        decided = _outcome(outcome)
        why = clean_text(
            reason,
            field="reason",
            most=MAX_REASON,
            what="The reason",
            required=decided is TriageOutcome.REJECTED,
        )
        if row.triaged_at is not None:
            raise ConflictError(
                f"{known.triaged_by} decided on this already: {row.triage_outcome}. Nothing was changed; "
                "if it has to be looked at again, report it again."
            )
        row.triage_outcome, row.triage_reason, row.triaged_by = decided.value, why, actor.person_id
        row.triaged_at = row.triage_recorded_at = now
        _record(session, actor, "feedback.triaged", row, now, outcome=decided.value, reason=why)
        session.flush()
        return _views(session, [row], now)[0]


def get_feedback(stores: Stores, *, actor: Actor, now: datetime, feedback_id: str) -> FeedbackView:
    """Return one report, for whoever gave it and those who see the reports of its department."""
    with stores.database.read() as session:
        return _views(session, [_in_sight(session, actor, feedback_id, now)], now)[0]


def list_feedback(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    sop_id: str | None = None,
    kind: str | None = None,
    triaged: bool | None = None,
    mine: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[FeedbackView]:
    """Return reports, the newest first: one's own, and those of departments whose reports the actor sees."""
    check_limit(limit)
    before = number_after(cursor)
    wanted_kind = None if kind is None else _kind(kind).value
    found: list[FeedbackView] = []
    with stores.database.read() as session:
        if sop_id is not None:
            department_in_sight(session, actor, sop_id, now)
        while len(found) <= limit:
            rows = participation.feedback_rows(
                session,
                before=before,
                limit=_SCAN,
                sop_id=sop_id,
                kind=wanted_kind,
                triaged=triaged,
                reporter_id=actor.person_id if mine else None,
            )
            found += [one for one in _views(session, rows, now) if _may_see(actor, one)]
            if len(rows) < _SCAN:
                break
            before = rows[-1].id
    items = tuple(found[:limit])
    last = identifiers.parse_feedback_id(items[-1].id) if len(found) > limit else None
    return Page(items, None if last is None else str(last))


def _reportable(session: Session, actor: Actor, sop_id: str, now: datetime) -> int:
    actor.require(Action.REPORT, department_in_sight(session, actor, sop_id, now))
    row = sops.in_force_row(session, sop_id, now)
    if row is not None:
        return row.number
    if sops.latest_row(session, sop_id, now) is None:
        raise ConflictError(f"{sop_id} is not in force yet. Report what is wrong with it to its owner.")
    raise GoneError(f"{sop_id} is retired, so nobody works by it any more. Search for what took its place.")


def _in_sight(session: Session, actor: Actor, feedback_id: str, now: datetime) -> Feedback:
    number = identifiers.parse_feedback_id(feedback_id)
    row = None if number is None else participation.feedback_row(session, number)
    if row is None or not _may_see(actor, _views(session, [row], now)[0]):
        raise NotFoundError(f"There is no feedback {feedback_id}. Check the address, or look under Feedback.")
    return row


def _may_see(actor: Actor, found: FeedbackView) -> bool:
    if found.reporter == actor.email:
        return True
    if found.sop_id is None:
        return actor.may_anywhere(Action.SEE_REPORTS)
    return actor.may(Action.SEE_REPORTS, found.department)


def _kind(kind: str) -> FeedbackKind:
    try:
        return FeedbackKind(kind)
    except ValueError as error:
        known = ", ".join(one.value for one in FeedbackKind)
        raise InvalidInputError(
            f"“{kind[:40]}” is no kind of feedback. The kinds are {known}.", fields={"kind": f"must be one of {known}"}
        ) from error


def _outcome(outcome: str) -> TriageOutcome:
    try:
        return TriageOutcome(outcome)
    except ValueError as error:
        known = ", ".join(one.value for one in TriageOutcome)
        raise InvalidInputError(
            f"“{outcome[:40]}” is no outcome of a triage. The outcomes are {known}.",
            fields={"outcome": f"must be one of {known}"},
        ) from error


def _views(session: Session, rows: Iterable[Feedback], now: datetime) -> list[FeedbackView]:
    kept = list(rows)
    standings = tickets.sop_standings(session, {row.sop_id for row in kept if row.sop_id is not None}, now)
    involved = {row.reporter_id for row in kept} | {row.triaged_by for row in kept if row.triaged_by is not None}
    persons = people.persons_by_id(session, involved)
    return [_view(row, standings, persons) for row in kept]


def _view(row: Feedback, standings: Mapping[str, SopStanding], persons: Mapping[int, Person]) -> FeedbackView:
    standing = None if row.sop_id is None else standings.get(row.sop_id)
    return FeedbackView(
        id=identifiers.feedback_id(row.id),
        sop_id=row.sop_id,
        sop_title=None if standing is None else standing.title,
        department=None if standing is None else standing.department,
        revision=row.revision,
        kind=FeedbackKind(row.kind),
        case_reference=row.case_reference,
        what_happened=row.what_happened,
        what_was_done=row.what_was_done,
        reporter=persons[row.reporter_id].email,
        reporter_name=persons[row.reporter_id].name,
        reported_at=row.happened_at,
        triage_due_at=row.happened_at + TRIAGE_WITHIN,
        outcome=None if row.triage_outcome is None else TriageOutcome(row.triage_outcome),
        reason=row.triage_reason,
        triaged_by=None if row.triaged_by is None else persons[row.triaged_by].name,
        triaged_at=row.triaged_at,
    )


def _record(session: Session, actor: Actor, action: str, row: Feedback, now: datetime, **details: str) -> None:
    # What happened is the reporter's text and may name people: the audit trail, kept for ever, does not repeat it.
    audit.record(
        session,
        at=now,
        actor=actor.email,
        action=action,
        subject=row.sop_id or identifiers.feedback_id(row.id),
        details={"feedback": identifiers.feedback_id(row.id), **details},
    )
