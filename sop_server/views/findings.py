"""The findings: what somebody must act on, why, and what to do next."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from sop_server.domain.findings import FindingKind
from sop_server.services.reports.findings import list_findings
from sop_server.views import departments, fields, visitor

BLUEPRINT = Blueprint("findings", __name__, url_prefix="/findings")

WORDS = {
    FindingKind.BREAK_GLASS: "Published by one person alone",
    FindingKind.BREACH: "Window broken",
    FindingKind.TRIAGE: "No SOP named",
    FindingKind.GO_LIVE_MOVED: "Go-live moved after a breach",
    FindingKind.UNDOCUMENTED: "Undocumented process",
    FindingKind.REVIEW: "Review overdue",
    FindingKind.NEEDS_REVISION: "Review asks for a change",
    FindingKind.DEVIATION_OF_OLD_TEXT: "Deviation from an older text",
    FindingKind.DEVIATION_REPEATED: "Deviated from again and again",
    FindingKind.DEVIATION_ENDS: "Deviation ends soon",
    FindingKind.OWNER: "Nobody answers for it",
    FindingKind.NOBODY_MAY: "A role that nobody has",
    FindingKind.NO_DEPUTY: "No deputy",
    FindingKind.FEEDBACK: "Reports wait",
    FindingKind.RECERTIFICATION: "Roles not confirmed",
    FindingKind.MISSED_SEARCH: "Searched and not found",
    FindingKind.QUARANTINE: "Not approved on main",
}


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """List what is open, the gravest first, in groups of a kind."""
    kind, department = fields.choice(request.args, "kind"), fields.choice(request.args, "department")
    everything = list_findings(visitor.stores(), actor=visitor.actor())
    shown = [one for one in everything if kind in {None, one.kind.value} and department in {None, one.department}]
    return render_template(
        "findings/index.html",
        findings=shown,
        total=len(everything),
        words=WORDS,
        kinds=[(one.value, WORDS[one]) for one in FindingKind if any(found.kind is one for found in everything)],
        departments=departments.named(),
        chosen={"kind": kind, "department": department},
    )
