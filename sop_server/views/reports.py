"""The six reports: a question, its answer in figures, a picture, and the rows behind them."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sop_server.domain.feedback import TRIAGE_WITHIN
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Action
from sop_server.errors import NotFoundError
from sop_server.services.library.surrounding import names
from sop_server.services.reports import reporting
from sop_server.services.reports.report_rows import WindowRow, drift_before, names_of, window_rows
from sop_server.services.reports.report_shapes import REPORTS, shape_of, table_of
from sop_server.services.reports.reporting import DEFAULT_DAYS, Body, Report, ReportRequest
from sop_server.views import departments, downloads, fields, visitor

BLUEPRINT = Blueprint("reports", __name__, url_prefix="/reports")

PERIODS = (30, 90, 180, 365)
_ROW = ("ticket_label", "ticket_title", "sop_id", "sop_title", "state", "t0", "due_at", "stopped_at", "exposure_hours")


@BLUEPRINT.get("/")
def index() -> ResponseReturnValue:
    """Name the six questions."""
    visitor.actor().require_anywhere(Action.SEE_REPORTS)
    return render_template("reports/index.html", window_hours=visitor.stores().policy.window_hours)


@BLUEPRINT.get("/drift")
def drift() -> ResponseReturnValue:
    """Show the drift score with everything that explains it."""
    stores, actor = visitor.stores(), visitor.actor()
    report = reporting.drift_report(stores, actor=actor, request=_request(), now=visitor.now())
    past = drift_before(stores, actor=actor, at=report.at, department=report.department)
    return _page("drift", report, months=(*past, report.body))


@BLUEPRINT.get("/window")
def window() -> ResponseReturnValue:
    """Show how the window was kept, with the obligations behind each figure."""
    stores = visitor.stores()
    report = reporting.window_report(stores, actor=visitor.actor(), request=_request(), now=visitor.now())
    state = fields.choice(request.args, "state")
    due = [one for one in report.body.rows if state in {None, one.state.value}]
    return _page(
        "window",
        report,
        owners=report.body.by_owner,
        state=state,
        rows=window_rows(stores, found=due, at=report.at),
        running=window_rows(stores, found=report.body.running, at=report.at),
        window_hours=stores.policy.window_hours,
    )


@BLUEPRINT.get("/staleness")
def staleness() -> ResponseReturnValue:
    """Show every stale SOP with its reasons, worst first."""
    report = reporting.staleness_report(visitor.stores(), actor=visitor.actor(), request=_request(), now=visitor.now())
    kind = fields.choice(request.args, "kind")
    items = [one for one in report.body if kind is None or any(reason.kind == kind for reason in one.reasons)]
    return _page("staleness", report, owners=[one.owner for one in items], kind=kind, items=items)


@BLUEPRINT.get("/coverage")
def coverage() -> ResponseReturnValue:
    """Show how much of what the operation does is written down, and what is not."""
    report = reporting.coverage_report(visitor.stores(), actor=visitor.actor(), request=_request(), now=visitor.now())
    return _page("coverage", report, owners=[one.owner for one in report.body.undocumented])


@BLUEPRINT.get("/knowledge")
def knowledge() -> ResponseReturnValue:
    """Show how many know what they work by, and who does not yet."""
    stores = visitor.stores()
    report = reporting.knowledge_report(stores, actor=visitor.actor(), request=_request(), now=visitor.now())
    missing = {person for item in report.body.items for person in item.missing}
    return _page("knowledge", report, names=names_of(stores, person_ids=missing))


@BLUEPRINT.get("/feedback")
def feedback() -> ResponseReturnValue:
    """Show whether what readers report was looked at in time."""
    report = reporting.feedback_report(visitor.stores(), actor=visitor.actor(), request=_request(), now=visitor.now())
    return _page("feedback", report, triage_within=TRIAGE_WITHIN)


@BLUEPRINT.get("/<name>.json")
def as_json(name: str) -> ResponseReturnValue:
    """Give a report as the API answers with it."""
    return downloads.json_file(name, _shape(name))


@BLUEPRINT.get("/<name>.csv")
def as_csv(name: str) -> ResponseReturnValue:
    """Give a report's figures for a spreadsheet."""
    table = table_of(name, _shape(name))
    return downloads.csv_file(name, table.columns, table.rows)


@BLUEPRINT.get("/window-rows.csv")
def rows_as_csv() -> ResponseReturnValue:
    """Give the obligations behind the window's figures for a spreadsheet: those that were due, then the open ones."""
    stores = visitor.stores()
    report = reporting.window_report(stores, actor=visitor.actor(), request=_request(), now=visitor.now())
    found = [*report.body.rows, *(one for one in report.body.running if one not in report.body.rows)]
    rows = window_rows(stores, found=found, at=report.at)
    return downloads.csv_file("window-rows", _ROW, map(_cells, rows))


def _request() -> ReportRequest:
    days = fields.number(request.args, "days")
    return ReportRequest(
        at=fields.instant(request.args, "at"),
        days=DEFAULT_DAYS if days is None else days,
        department=fields.choice(request.args, "department"),
        owner=fields.choice(request.args, "owner"),
        source=fields.choice(request.args, "source"),
    )


def _shape(name: str) -> dict[str, Any]:
    if name not in REPORTS:
        raise NotFoundError(f"There is no report “{name[:40]}”. The reports are {', '.join(REPORTS)}.")
    return shape_of(visitor.stores(), name=name, actor=visitor.actor(), request=_request(), now=visitor.now())


def _page(name: str, report: Report[Body], *, owners: Iterable[str | None] = (), **more: object) -> ResponseReturnValue:
    past = fields.choice(request.args, "at")
    chosen: dict[str, Any] = {
        "at": None if past is None else format_instant(report.at),
        "days": report.days if report.days != DEFAULT_DAYS else None,
        "department": report.department,
        "owner": report.owner,
        "source": report.source,
    }
    return render_template(
        f"reports/{name}.html",
        name=name,
        report=report,
        body=report.body,
        chosen=chosen,
        past=past is not None,
        periods=sorted({*PERIODS, report.days}),
        departments=_departments(),
        people=names(visitor.stores(), emails=[*owners, report.owner]),
        late=sum(report.late.values()),
        files={"csv": url_for(".as_csv", name=name, **chosen), "json": url_for(".as_json", name=name, **chosen)},
        permanent=url_for(f".{name}", **{**chosen, "at": format_instant(report.at)}),
        **more,
    )


def _departments() -> Mapping[str, str]:
    reach = visitor.actor().reach(Action.SEE_REPORTS)
    return {slug: name for slug, name in departments.named().items() if reach is None or slug in reach}


def _cells(row: WindowRow) -> list[object]:
    return [
        row.ticket_label,
        row.ticket_title,
        row.sop_id,
        row.sop_title,
        row.state.value,
        format_instant(row.t0),
        format_instant(row.due_at),
        None if row.stopped_at is None else format_instant(row.stopped_at),
        row.exposure_hours,
    ]
