"""The registers that the server keeps by itself: findings, and the audit trail."""

from flask import Response

from sop_server.api.listing import part
from sop_server.api.routes import Call, Route
from sop_server.api.schemas.base import Listing
from sop_server.api.schemas.registers import (
    AuditEvent,
    AuditExport,
    AuditExportQuery,
    AuditQuery,
    Finding,
    FindingQuery,
)
from sop_server.domain.permissions import Action
from sop_server.services.reports import findings
from sop_server.services.trail import events
from sop_server.services.trail.events import AuditFilter
from sop_server.services.trail.exporting import MEDIA_TYPES, export_trail


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


def export_audit_events(call: Call) -> Response:
    """Give all events that are wanted as a file, the newest first, with the hashes that prove them."""
    query = call.query(AuditExportQuery, sight=lambda: call.actor.require(Action.SEE_AUDIT, None))
    wanted = AuditFilter(
        actor=query.actor, action=query.action, subject=query.subject, since=query.since, until=query.until
    )
    parts = export_trail(call.stores, actor=call.actor, now=call.now, wanted=wanted, form=query.format)
    return Response(parts, content_type=MEDIA_TYPES[query.format])


ROUTES = (
    Route("GET", "/findings", list_findings, Listing[Finding], action=Action.SEE_REPORTS, query=FindingQuery),
    Route("GET", "/audit-events", list_audit_events, Listing[AuditEvent], action=Action.SEE_AUDIT, query=AuditQuery),
    Route(
        "GET",
        "/audit-events/export",
        export_audit_events,
        AuditExport,
        action=Action.SEE_AUDIT,
        query=AuditExportQuery,
    ),
)
