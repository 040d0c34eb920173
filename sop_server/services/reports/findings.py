"""The scan that discovers what somebody must act on, and the list of it."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.deviation_findings import deviation_findings
from sop_server.domain.doers import Doer
from sop_server.domain.drafts import OPEN
from sop_server.domain.findings import MISSED_OFTEN, FindingKind, LeftBehind, Missed, findings
from sop_server.domain.permissions import Action
from sop_server.domain.standing import standing
from sop_server.services.accounts import recertification_scan
from sop_server.services.accounts.expiring import tell_expired
from sop_server.services.leaving.holdings import uncovered
from sop_server.services.library.searching import still_missed
from sop_server.services.stores import Stores
from sop_server.storage import drafts, leaving
from sop_server.storage.facts import load_facts
from sop_server.storage.findings import keep_findings, open_findings
from sop_server.storage.missed_searches import missed_searches

_GRAVITY = {kind: rank for rank, kind in enumerate(FindingKind)}


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as people see it; `href` leads to the page of what it is about, None where there is none."""

    id: int
    kind: FindingKind
    subject: str
    department: str | None
    why: str
    next_step: str
    opened_at: datetime
    href: str | None


def scan(stores: Stores, *, now: datetime) -> tuple[int, int]:
    """Evaluate the findings; returns how many were opened and how many closed. Any scheduler may run it.

    First it does what is due about roles: what ended by itself is told, campaigns are opened and closed.
    """
    recertification_scan.keep_up(stores, now=now)
    tell_expired(stores, now=now)
    with stores.database.read() as session:
        of = standing(load_facts(session, now))
        rows = missed_searches(session)
        gaps = dict.fromkeys((row.role, row.department) for row in leaving.gaps(session))
        left = LeftBehind(
            uncovered(leaving.role_holders(session, now), gaps) if gaps else (), leaving.handed_over_sops(session)
        )
        set_aside = [(row.commit_oid, row.reason) for row in drafts.quarantined(session)]
        drafted = {draft.sop_id for draft in drafts.draft_rows(session, states=OPEN)}
        of_access = recertification_scan.find(session, schedule=stores.policy.recertification, now=now)
    # What was written since is found now: its words are a finding no longer.
    missed = [
        Missed(row.words, row.times)
        for row in rows
        if row.times >= MISSED_OFTEN and still_missed(stores, row.words, now=now)
    ]
    found = [
        *findings(of, missed=missed, quarantined=set_aside, left=left),
        *deviation_findings(of, drafted=drafted),
        *of_access,
    ]
    with stores.database.write() as session:
        return keep_findings(session, found, now=now)


def list_findings(stores: Stores, *, actor: Doer, kind: str | None = None) -> list[FindingView]:
    """Return the open findings that the actor may see, the gravest kind first, the oldest of a kind first."""
    actor.require_anywhere(Action.SEE_REPORTS)
    with stores.database.read() as session:
        rows = open_findings(session, departments=actor.reach(Action.SEE_REPORTS))
    shown = [
        FindingView(
            id=row.id,
            kind=FindingKind(row.kind),
            subject=row.subject,
            department=row.department,
            why=row.why,
            next_step=row.next_step,
            opened_at=row.opened_at,
            href=_href(FindingKind(row.kind), row.subject),
        )
        for row in rows
        if kind is None or row.kind == kind
    ]
    return sorted(shown, key=lambda one: (_GRAVITY[one.kind], one.opened_at, one.id))


def _href(kind: FindingKind, subject: str) -> str | None:
    if subject.startswith("SOP-"):
        return f"/sops/{subject}"
    if kind is FindingKind.UNDOCUMENTED:
        return f"/processes/{subject}"
    if kind in {FindingKind.TRIAGE, FindingKind.GO_LIVE_MOVED}:
        return f"/tickets/{subject}"
    if kind is FindingKind.RECERTIFICATION:
        return "/admin/recertifications/"
    return "/feedback/" if kind is FindingKind.FEEDBACK else None
