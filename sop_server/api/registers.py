"""The registers that the server keeps by itself: findings."""

from sop_server.api.listing import part
from sop_server.api.routes import Call, Route
from sop_server.api.schemas.base import Listing
from sop_server.api.schemas.registers import Finding, FindingQuery
from sop_server.domain.permissions import Action
from sop_server.services import findings


def list_findings(call: Call) -> Listing[Finding]:
    """List what somebody must act on, the gravest first."""
    query = call.query(FindingQuery)
    found = findings.list_findings(call.stores, actor=call.actor, kind=query.kind)
    return part(found, query, Finding.model_validate, Listing[Finding])


ROUTES = (Route("GET", "/findings", list_findings, Listing[Finding], action=Action.SEE_REPORTS, query=FindingQuery),)
