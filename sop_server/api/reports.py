"""The six reports, as of any instant."""

from collections.abc import Mapping
from typing import Any

from sop_server.api.routes import Call, Route
from sop_server.api.schemas.reports import (
    Coverage,
    Drift,
    FeedbackFigures,
    Knowledge,
    ReportQuery,
    Staleness,
    Window,
    WindowFigures,
)
from sop_server.domain.permissions import Action
from sop_server.services import reporting
from sop_server.services.reporting import Body, Report, ReportRequest


def drift_report(call: Call) -> Drift:
    """Tell how far the library has drifted from reality, 0 to 10."""
    report = reporting.drift_report(call.stores, actor=call.actor, request=_request(call), now=call.now)
    body = report.body
    return Drift.model_validate(
        {
            **_frame(report),
            "score": body.score,
            "band": body.band,
            "components": body.components,
            "caps": body.caps,
            "formula_version": body.formula_version,
            "would_raise_most": body.would_raise_most,
        }
    )


def window_report(call: Call) -> Window:
    """Tell how well the window was kept."""
    report = reporting.window_report(call.stores, actor=call.actor, request=_request(call), now=call.now)
    body = report.body
    return Window.model_validate(
        {
            **_frame(report),
            "days": report.days,
            **WindowFigures.model_validate(body.whole).model_dump(),
            "by_department": _groups(body.by_department),
            "by_owner": _groups(body.by_owner),
            "by_source": _groups(body.by_source),
        }
    )


def staleness_report(call: Call) -> Staleness:
    """List every stale SOP with its reasons, worst first."""
    report = reporting.staleness_report(call.stores, actor=call.actor, request=_request(call), now=call.now)
    return Staleness.model_validate({**_frame(report), "items": report.body})


def coverage_report(call: Call) -> Coverage:
    """Tell how much of what the operation does is written down."""
    report = reporting.coverage_report(call.stores, actor=call.actor, request=_request(call), now=call.now)
    body = report.body
    return Coverage.model_validate(
        {
            **_frame(report),
            "coverage": body.coverage,
            "documented": body.documented,
            "active": body.active,
            "undocumented": body.undocumented,
        }
    )


def knowledge_report(call: Call) -> Knowledge:
    """Tell how much of what has to be known is known."""
    report = reporting.knowledge_report(call.stores, actor=call.actor, request=_request(call), now=call.now)
    body = report.body
    return Knowledge.model_validate(
        {
            **_frame(report),
            "knowledge": body.knowledge,
            "acknowledged": body.acknowledged,
            "starters": body.starters,
            "cared_for": body.cared_for,
            "items": body.items,
        }
    )


def feedback_report(call: Call) -> FeedbackFigures:
    """Tell how what readers report was looked at."""
    report = reporting.feedback_report(call.stores, actor=call.actor, request=_request(call), now=call.now)
    body = report.body
    return FeedbackFigures.model_validate(
        {
            **_frame(report),
            "days": body.days,
            "share": body.share,
            "due": body.due,
            "in_time": body.in_time,
            "late": body.late,
            "untriaged": body.untriaged,
            "kinds": body.kinds,
            "waiting": body.waiting,
        }
    )


def _request(call: Call) -> ReportRequest:
    query = call.query(ReportQuery)
    return ReportRequest(
        at=query.at, days=query.days, department=query.department, owner=query.owner, source=query.source
    )


def _frame(report: Report[Body]) -> dict[str, Any]:
    return {"at": report.at, "department": report.department, "late_facts": report.late}


def _groups(found: Mapping[str | None, object]) -> list[dict[str, Any]]:
    return [
        {"name": name, **WindowFigures.model_validate(figures).model_dump()}
        for name, figures in sorted(found.items(), key=lambda item: item[0] or "")
    ]


ROUTES = (
    Route("GET", "/reports/drift", drift_report, Drift, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/window", window_report, Window, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/staleness", staleness_report, Staleness, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/coverage", coverage_report, Coverage, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/knowledge", knowledge_report, Knowledge, action=Action.SEE_REPORTS, query=ReportQuery),
    Route("GET", "/reports/feedback", feedback_report, FeedbackFigures, action=Action.SEE_REPORTS, query=ReportQuery),
)
