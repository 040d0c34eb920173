"""What needs a person, clocks first: changes to reflect, drafts to decide or mend, reports and reviews."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sop_server.domain import identifiers
from sop_server.domain.break_glass import Answer, BrokenGlassFact, may_answer
from sop_server.domain.deviations import ENDS_SOON, RUNNING, DeviationState
from sop_server.domain.drafts import DraftState
from sop_server.domain.feedback import TRIAGE_WITHIN, triaged
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.reviews import reviews_due
from sop_server.domain.standing import Standing, standing
from sop_server.domain.ticket_places import Deed, permits
from sop_server.services.accounts.expiring import ending_soon
from sop_server.services.accounts.recertification_scan import roles_to_decide
from sop_server.services.changes.obligation_views import ObligationView
from sop_server.services.changes.obligations import open_obligations
from sop_server.services.deviations.deviation_views import views
from sop_server.services.drafts.glass_answers import authors_of_revision
from sop_server.services.drafts.rules import rules_of
from sop_server.services.library.reading import summaries
from sop_server.services.library.sop_views import SopSummary
from sop_server.services.reports.standing_in import Cared, cared_for
from sop_server.services.stores import Stores
from sop_server.storage import broken_glass, deviations, drafts, leaving, sops
from sop_server.storage.database import Session
from sop_server.storage.facts import load_facts_of
from sop_server.storage.tables import Draft

REVIEW_NOTICE = timedelta(days=30)

_TOLD_FOR = timedelta(days=7)


class NeedKind(StrEnum):
    """The one action that a row asks for; its value is the word on the button."""

    DRAFT = "Draft"
    TRIAGE = "Triage"
    CONFIRM = "Confirm"
    APPROVE = "Approve"
    REVISE = "Revise"
    ANSWER = "Answer"
    REVIEW = "Review"
    DECIDE = "Decide"
    LOOK = "Look at it"


@dataclass(frozen=True, slots=True)
class Need:
    """One row: what, on which SOP, where to act. `since` and `due_at` are its clock; None where nothing runs.

    `about` names what it is about where that is no SOP. What is `first` comes before everything else. `as_deputy` says
    for whom the actor looks after the SOP, None where it is their own; `stands_in` that its owner is away, which puts
    it before what is not.
    """

    kind: NeedKind
    what: str
    sop_id: str | None
    sop_title: str | None
    href: str
    since: datetime | None
    due_at: datetime | None
    about: str | None = None
    first: bool = False
    as_deputy: str | None = None
    stands_in: bool = False


@dataclass(frozen=True, slots=True)
class OwnerHome:
    """What needs the actor, the least time left first, and the SOPs that they own or stand in for."""

    needs: tuple[Need, ...]
    mine: tuple[SopSummary, ...]


def owner_home(stores: Stores, *, actor: Actor, now: datetime) -> OwnerHome:
    """Return the home of somebody who writes or decides."""
    found = [*_roles(stores, actor, now=now)]
    waiting = open_obligations(stores, actor=actor, now=now) if actor.may_anywhere(Action.SEE_REPORTS) else ()
    with stores.database.read() as session:
        found += _glass(session, actor, now=now)
        found += _drafts(session, actor, now=now)
        cared = cared_for(session, actor, now=now, left_to=leaving.stood_in_ids(session, actor.person_id, at=now))
        found += _deviations(session, actor, cared, now=now)
        of = standing(load_facts_of(session, now, list(cared)))
    found += _clocks(actor, waiting, cared)
    found += _feedback(of, [key for key, one in cared.items() if actor.may(Action.TRIAGE, one.department)])
    found += _reviews(of, [key for key, one in cared.items() if actor.may(Action.REVIEW, one.department)], now=now)
    found = [_standing_in(need, cared) for need in found]
    found.sort(
        key=lambda need: (not need.first, not need.stands_in, need.due_at is None, need.due_at or now, need.href)
    )
    return OwnerHome(tuple(found), tuple(summaries(stores, actor=actor, now=now, ids=list(cared))))


def _standing_in(need: Need, cared: Mapping[str, Cared]) -> Need:
    """Say of a row that it is the actor's as a deputy; what they decide as anything else is their own."""
    one = None if need.sop_id is None else cared.get(need.sop_id)
    if one is None or need.kind in {NeedKind.CONFIRM, NeedKind.APPROVE, NeedKind.REVISE, NeedKind.DECIDE}:
        return need
    return replace(need, as_deputy=one.as_deputy, stands_in=one.stands_in)


def _roles(stores: Stores, actor: Actor, *, now: datetime) -> Iterable[Need]:
    """Yield the roles that wait to be confirmed, and those that soon end by themselves."""
    for campaign, opened_at, due_at, number in roles_to_decide(stores, actor=actor, now=now):
        roles = "1 role waits" if number == 1 else f"{number} roles wait"
        yield Need(
            NeedKind.DECIDE,
            f"{roles} to be confirmed or removed; what nobody confirms ends",
            None,
            None,
            f"/admin/recertifications/{campaign}",
            opened_at,
            due_at,
            f"Re-certification {campaign}",
        )
    if not actor.may_anywhere(Action.RECERTIFY):
        return
    for one in ending_soon(stores, actor=actor, now=now):
        page = (
            f"/admin/people/{one.email}" if actor.may_anywhere(Action.ADMINISTER) else "/admin/recertifications/#ending"
        )
        what = f"It ends by itself: {one.reason}" if one.reason else "It ends by itself"
        yield Need(NeedKind.LOOK, what, None, None, page, now, one.until, f"{one.name} as {one.role}")


def _clocks(actor: Actor, found: Iterable[ObligationView], cared: Collection[str]) -> Iterable[Need]:
    for one in found:
        ticket = f"{one.ticket_label} “{one.ticket_title}”"
        page = f"/tickets/{one.ticket_id}"
        proposed = one.not_needed
        of_others = proposed is not None and proposed.proposed_by != actor.email
        if of_others and permits(actor, Deed.DECIDE_NOT_NEEDED, one.place):
            yield Need(
                NeedKind.CONFIRM, f"{ticket} needs no change?", one.sop_id, one.sop_title, page, one.t0, one.due_at
            )
        elif one.sop_id is None:
            if actor.may_anywhere(Action.TRIAGE) and permits(actor, Deed.NAME_SOPS, one.place):
                yield Need(
                    NeedKind.TRIAGE, f"{ticket}: which SOPs does it touch?", None, None, page, one.t0, one.due_at
                )
        elif (one.owner == actor.email or one.sop_id in cared) and actor.may(Action.DRAFT, one.department):
            yield Need(NeedKind.DRAFT, ticket, one.sop_id, one.sop_title, page, one.t0, one.due_at)


def _glass(session: Session, actor: Actor, *, now: datetime) -> Iterable[Need]:
    """Yield what one person published alone: to confirm for whoever may, to know of for the others whom it concerns."""
    known = [fact for fact in broken_glass.facts(session, now) if fact.answer is not Answer.CONFIRMED]
    serving = {row.sop_id: row for row in sops.in_force_rows(session, now, ids={fact.sop_id for fact in known})}
    for fact in known:
        row = serving.get(fact.sop_id)
        if not fact.loud(None if row is None else row.number):
            continue
        revision = row or sops.revision_row(session, fact.sop_id, fact.revision)
        if revision is None or not actor.may(Action.READ, revision.department):
            continue
        wrote = authors_of_revision(session, fact.sop_id, fact.revision)
        own = actor.person_id == fact.person_id or actor.person_id in wrote
        answers = fact.open and not own and may_answer(actor, fact)
        watches = any(actor.may(action, revision.department) for action in (Action.DECIDE, Action.SCORE))
        if answers or own or watches:
            yield Need(
                NeedKind.CONFIRM if answers else NeedKind.LOOK,
                _told(fact),
                fact.sop_id,
                revision.title,
                f"/sops/{fact.sop_id}/revisions/{fact.revision}",
                fact.happened_at if fact.open else fact.answered_at,
                fact.due_at if fact.open else None,
                first=True,
            )


def _told(fact: BrokenGlassFact) -> str:
    if fact.open:
        return f"{fact.name} published r{fact.revision} alone, nobody has confirmed it: {fact.reason}"
    return f"{fact.answer_name} objects to r{fact.revision}, which {fact.name} published alone: {fact.answer_reason}"


def _drafts(session: Session, actor: Actor, *, now: datetime) -> Iterable[Need]:
    waiting = drafts.draft_rows(session, states=[DraftState.IN_REVIEW, DraftState.CHANGES_REQUESTED])
    authors = drafts.authors_by_draft(session, [draft.id for draft in waiting])
    keepers = leaving.keepers(session, [draft.id for draft in waiting])
    handed_over = leaving.hand_overs_among(session, [draft.id for draft in waiting])
    rules = rules_of(session, waiting, now=now) if actor.may_anywhere(Action.DECIDE) else {}
    together: list[Draft] = []
    for draft in waiting:
        page = f"/drafts/{identifiers.draft_id(draft.id)}"
        wrote = actor.person_id in authors[draft.id]
        keeps = keepers.get(draft.id) == actor.person_id
        if draft.state == DraftState.CHANGES_REQUESTED and (wrote or keeps):
            what = "Your draft collides with a newer revision" if draft.conflicted else "Changes were requested"
            yield Need(NeedKind.REVISE, what, draft.sop_id, draft.title, page, draft.updated_at, None)
        elif draft.state == DraftState.IN_REVIEW and not wrote and rules and rules[draft.id].may_decide(actor):
            if draft.id in handed_over:
                together.append(draft)
                continue
            yield Need(
                NeedKind.APPROVE, draft.change_summary, draft.sop_id, draft.title, page, draft.submitted_at, None
            )
    if together:
        # Hundreds of them are one thing to do, on one page.
        since = min(draft.submitted_at or draft.created_at for draft in together)
        count = "1 SOP" if len(together) == 1 else f"{len(together)} SOPs"
        about = f"{count} handed over by who left"
        what = "Each names who owns it from now on; all of them stand on one page"
        yield Need(NeedKind.APPROVE, what, None, None, "/drafts/hand-overs", since, None, about)


def _feedback(of: Standing, owned: Iterable[str]) -> Iterable[Need]:
    mine = set(owned)
    for fact in of.feedback:
        if fact.sop_id in mine and not triaged(fact, of.at):
            yield Need(
                NeedKind.ANSWER,
                f"A reader reports: {fact.kind.replace('_', ' ')}",
                fact.sop_id,
                of.in_force[fact.sop_id].title if fact.sop_id in of.in_force else None,
                f"/feedback/{identifiers.feedback_id(fact.id)}",
                fact.happened_at,
                fact.happened_at + TRIAGE_WITHIN,
            )


def _reviews(of: Standing, owned: Iterable[str], *, now: datetime) -> Iterable[Need]:
    mine = set(owned)
    for row in reviews_due(of):
        if row.sop_id in mine and row.due_at <= now + REVIEW_NOTICE:
            yield Need(
                NeedKind.REVIEW,
                "Its periodic review",
                row.sop_id,
                row.title,
                f"/sops/{row.sop_id}#review",
                row.due_at - REVIEW_NOTICE,
                row.due_at,
            )


def _deviations(session: Session, actor: Actor, owned: Iterable[str], *, now: datetime) -> Iterable[Need]:
    """Yield what waits for the actor's decision, due when it is to begin, and what their SOPs are deviated from.

    Who proposed one that was refused is told so for a week.
    """
    mine = set(owned)
    rows = deviations.rows_to_tell(session, now, proposer=actor.person_id, refused_after=now - _TOLD_FOR)
    for one in views(session, rows, now):
        page = f"/deviations/{one.id}"
        if one.state is DeviationState.REFUSED:
            if actor.may(Action.SEE_DRAFTS, one.department):
                what = f"Your deviation was refused: {one.decided_because}"
                yield Need(NeedKind.LOOK, what, one.sop_id, one.sop_title, page, one.decided_at, None)
            continue
        ends = one.state is DeviationState.IN_FORCE and one.ends_at - now <= ENDS_SOON
        if one.may_be_decided_by(actor):
            what = f"Deviation proposed: {one.instead}"
            due = one.begins_at if one.begins_at > one.wordings[-1].at else None
            yield Need(NeedKind.DECIDE, what, one.sop_id, one.sop_title, page, one.proposed_at, due)
        elif one.state in RUNNING and (one.sop_id in mine or one.owner == actor.email) and (one.changed_by or ends):
            what = f"The text changed since {one.id} was approved" if one.changed_by else f"{one.id} ends by itself"
            yield Need(NeedKind.LOOK, what, one.sop_id, one.sop_title, page, one.starts_at, one.ends_at)
