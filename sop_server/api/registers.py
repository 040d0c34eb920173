"""The registers that the server keeps by itself: findings, and the audit trail."""

from sop_server.api.listing import part
from sop_server.api.routes import Call, Route
from sop_server.api.schemas.base import Listing
from sop_server.api.schemas.registers import AuditEvent, AuditQuery, Finding, FindingQuery
from sop_server.domain.permissions import Action
from sop_server.services.reports import findings
from sop_server.services.trail import events
from sop_server.services.trail.events import AuditFilter


def list_findings(call: Call) -> Listing[Finding]:
    """List what somebody must act on, the gravest first."""
    query = call.query(FindingQuery)
    found = findings.list_findings(call.stores, actor=call.actor, kind=query.kind)
    return part(found, query, Finding.model_validate, Listing[Finding])


def list_audit_events(call: Call) -> Listing[AuditEvent]:
    """List who did what to what, the newest first."""
    query = call.query(AuditQuery, sight=lambda: call.actor.require(Action.SEE_AUDIT, None))
    page = events.list_audit_events(
        call.stores,
        actor=call.actor,
        wanted=AuditFilter(
            actor=query.actor, action=query.action, subject=query.subject, since=query.since, until=query.until
        ),
        limit=query.limit,
        cursor=query.cursor,
    )
    return Listing[AuditEvent](items=[AuditEvent.model_validate(item) for item in page.items], next=page.next)


ROUTES = (
    Route("GET", "/findings", list_findings, Listing[Finding], action=Action.SEE_REPORTS, query=FindingQuery),
    Route("GET", "/audit-events", list_audit_events, Listing[AuditEvent], action=Action.SEE_AUDIT, query=AuditQuery),
)
