"""The six reports, as of any instant."""

from typing import TypeVar

from sop_server.api.routes import Call, Route
from sop_server.api.schemas.reports import (
    Coverage,
    Drift,
    FeedbackFigures,
    Knowledge,
    Report,
    ReportQuery,
    Staleness,
    Window,
)
from sop_server.domain.permissions import Action
from sop_server.services.reports.report_shapes import shape_of
from sop_server.services.reports.reporting import ReportRequest

Shown = TypeVar("Shown", bound=Report)


def drift_report(call: Call) -> Drift:
    """Tell how far the library has drifted from reality, 0 to 10."""
    return _report(call, "drift", Drift)


def window_report(call: Call) -> Window:
    """Tell how well the window was kept."""
    return _report(call, "window", Window)


def staleness_report(call: Call) -> Staleness:
    """List every stale SOP with its reasons, worst first."""
    return _report(call, "staleness", Staleness)


def coverage_report(call: Call) -> Coverage:
    """Tell how much of what the operation does is written down."""
    return _report(call, "coverage", Coverage)


def knowledge_report(call: Call) -> Knowledge:
    """Tell how much of what has to be known is known."""
    return _report(call, "knowledge", Knowledge)


def feedback_report(call: Call) -> FeedbackFigures:
    """Tell how what readers report was looked at."""
    return _report(call, "feedback", FeedbackFigures)


def _report(call: Call, name: str, kind: type[Shown]) -> Shown:
    query = call.query(ReportQuery)
    request = ReportRequest(
        at=query.at, days=query.days, department=query.department, owner=query.owner, source=query.source
    )
    return kind.model_validate(shape_of(call.stores, name=name, actor=call.actor, request=request, now=call.now))


ROUTES = (
    Route("GET", "/reports/drift", drift_report, Drift, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/window", window_report, Window, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/staleness", staleness_report, Staleness, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/coverage", coverage_report, Coverage, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/knowledge", knowledge_report, Knowledge, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/feedback", feedback_report, FeedbackFigures, action=Action.SEE_REPORTS, query=ReportQuery),
)
