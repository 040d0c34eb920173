"""The six reports as plain values: the keys that scripts rely on, for JSON and for tables."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.instants import format_instant
from sop_server.services.reports import reporting
from sop_server.services.reports.glass_shapes import glass_shape, glass_words
from sop_server.services.reports.reporting import Body, Report, ReportRequest
from sop_server.services.stores import Stores

Shape = dict[str, Any]

_WINDOW = (
    "n",
    "met",
    "late",
    "breached",
    "not_needed",
    "void",
    "pending",
    "compliance",
    "wilson_low",
    "wilson_high",
    "median_exposure_hours",
    "p90_exposure_hours",
    "median_response_hours",
    "target",
    "misses_allowed",
    "misses_left",
)
_SPREADSHEET_WINDOW = frozenset(
    ("wilson_low", "wilson_high", "median_response_hours", "target", "misses_allowed", "misses_left")
)
_COMPONENT = ("component", "weight", "q", "lost")
_CAP = ("cap_limit", "cap_reason")
_FORMULA = ("formula_version", "would_raise_most")
_KNOWLEDGE_ITEM = (
    "sop_id",
    "title",
    "department",
    "owner",
    "revision",
    "major",
    "required",
    "done",
    "starters",
    "starters_in_time",
)
_UNDOCUMENTED = ("process_id", "name", "department", "owner", "criticality", "since", "grace_until")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a report for people and spreadsheets; `summary` are its figures in a sentence each.

    People are spared the columns `for_spreadsheets`: they say the same in every row, or more than fits on a screen. So
    they are spared the rows that say nothing in any other column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    summary: tuple[str, ...]
    for_spreadsheets: frozenset[str] = frozenset()


def shape_of(stores: Stores, *, name: str, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    """Return one report, by its name, as the JSON that the API answers with."""
    return _SHAPES[name](stores, actor, request, now)


def table_of(name: str, shape: Mapping[str, Any]) -> Table:
    """Return the rows of a report that `shape_of` gave."""
    return _TABLES[name](shape)


def _drift(stores: Stores, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    report = reporting.drift_report(stores, actor=actor, request=request, now=now)
    body = report.body
    return {
        **_frame(report),
        "break_glass": glass_shape(report),
        "score": body.score,
        "band": None if body.band is None else str(body.band),
        "components": [_pick(part, ("name", "weight", "q", "lost")) for part in body.components],
        "caps": [_pick(cap, ("limit", "reason")) for cap in body.caps],
        "formula_version": body.formula_version,
        "would_raise_most": body.would_raise_most,
    }


def _window(stores: Stores, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    report = reporting.window_report(stores, actor=actor, request=request, now=now)
    body = report.body
    return {
        **_frame(report),
        "break_glass": glass_shape(report),
        **_pick(body.whole, _WINDOW),
        "days": report.days,
        "by_department": _groups(body.by_department),
        "by_owner": _groups(body.by_owner),
        "by_source": _groups(body.by_source),
    }


def _staleness(stores: Stores, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    report = reporting.staleness_report(stores, actor=actor, request=request, now=now)
    items = [
        {
            **_pick(item, ("sop_id", "title", "department", "owner")),
            "reasons": [_pick(reason, ("kind", "since", "detail")) for reason in item.reasons],
        }
        for item in report.body
    ]
    return {**_frame(report), "items": items}


def _coverage(stores: Stores, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    report = reporting.coverage_report(stores, actor=actor, request=request, now=now)
    return {
        **_frame(report),
        **_pick(report.body, ("coverage", "documented", "active")),
        "undocumented": [_pick(process, _UNDOCUMENTED) for process in report.body.undocumented],
    }


def _knowledge(stores: Stores, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    report = reporting.knowledge_report(stores, actor=actor, request=request, now=now)
    return {
        **_frame(report),
        **_pick(report.body, ("knowledge", "acknowledged", "starters", "cared_for")),
        "items": [_pick(item, _KNOWLEDGE_ITEM) for item in report.body.items],
    }


def _feedback(stores: Stores, actor: Doer, request: ReportRequest, now: datetime) -> Shape:
    report = reporting.feedback_report(stores, actor=actor, request=request, now=now)
    body = report.body
    return {
        **_frame(report),
        **_pick(body, ("days", "share", "due", "in_time", "late", "untriaged")),
        "kinds": {str(kind): count for kind, count in body.kinds.items()},
        "waiting": [
            {
                "id": identifiers.feedback_id(fact.id),
                "sop_id": fact.sop_id,
                "kind": str(fact.kind),
                "reported_at": format_instant(fact.happened_at),
            }
            for fact in body.waiting
        ],
    }


def _frame(report: Report[Body]) -> Shape:
    return {"at": format_instant(report.at), "department": report.department, "late_facts": dict(report.late)}


def _groups(found: Mapping[str | None, object]) -> list[Shape]:
    return [
        {"name": name, **_pick(figures, _WINDOW)}
        for name, figures in sorted(found.items(), key=lambda item: item[0] or "")
    ]


def _pick(value: object, names: Iterable[str]) -> Shape:
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    # A member of a StrEnum is text already, and yet not the plain text that a writer of JSON or CSV expects.
    return str(value) if isinstance(value, str) else value


def _words(key: str) -> str:
    return key.replace("_", " ")


def _drift_table(shape: Mapping[str, Any]) -> Table:
    columns = ("at", "score", "band", *_COMPONENT, *_CAP, *_FORMULA)
    said, formula = (shape["at"], shape["score"], shape["band"]), (shape["formula_version"], shape["would_raise_most"])
    parts = [(part["name"], part["weight"], part["q"], part["lost"], None, None) for part in shape["components"]]
    held = [(None, None, None, None, cap["limit"], cap["reason"]) for cap in shape["caps"]]
    score = "no data yet" if shape["score"] is None else f"{shape['score']} of 10, {_words(shape['band'])}"
    caps = tuple(f"At most {cap['limit']}: {cap['reason']}" for cap in shape["caps"])
    return Table(
        columns,
        tuple((*said, *row, *formula) for row in [*parts, *held]),
        (
            f"Drift score: {score}.",
            *caps,
            *glass_words(shape["break_glass"]),
            f"Next: {shape['would_raise_most']}",
            f"Formula version {shape['formula_version']}.",
        ),
        frozenset(("at", "score", "band", *_CAP, *_FORMULA)),
    )


def _window_table(shape: Mapping[str, Any]) -> Table:
    columns = ("of", "name", *_WINDOW)
    groups = [("all", shape)]
    for key in ("department", "owner", "source"):
        groups += [(key, group) for group in shape[f"by_{key}"]]
    rows = tuple((key, group.get("name"), *(group[name] for name in _WINDOW)) for key, group in groups)
    share = "none due yet" if shape["compliance"] is None else f"{shape['compliance']:.1%} of {shape['n']}"
    summary = (f"Met within the window in {shape['days']} days: {share}.", *glass_words(shape["break_glass"]))
    return Table(columns, rows, summary, _SPREADSHEET_WINDOW)


def _staleness_table(shape: Mapping[str, Any]) -> Table:
    rows = tuple(
        (item["sop_id"], item["title"], item["owner"], reason["kind"], reason["since"], reason["detail"])
        for item in shape["items"]
        for reason in item["reasons"]
    )
    return Table(
        ("sop_id", "title", "owner", "kind", "since", "detail"), rows, (f"{len(shape['items'])} SOPs are stale.",)
    )


def _coverage_table(shape: Mapping[str, Any]) -> Table:
    rows = tuple(tuple(process[name] for name in _UNDOCUMENTED) for process in shape["undocumented"])
    share = "no process yet" if shape["coverage"] is None else f"{shape['coverage']:.1%} by weight"
    return Table(_UNDOCUMENTED, rows, (f"Documented: {shape['documented']} of {shape['active']} processes, {share}.",))


def _knowledge_table(shape: Mapping[str, Any]) -> Table:
    rows = tuple(tuple(item[name] for name in _KNOWLEDGE_ITEM) for item in shape["items"])
    share = "no data yet" if shape["knowledge"] is None else f"{shape['knowledge']:.1%}"
    return Table(_KNOWLEDGE_ITEM, rows, (f"Knowledge: {share}.",))


def _feedback_table(shape: Mapping[str, Any]) -> Table:
    columns = ("id", "sop_id", "kind", "reported_at")
    rows = tuple(tuple(item[name] for name in columns) for item in shape["waiting"])
    share = "none was due" if shape["share"] is None else f"{shape['share']:.1%} of {shape['due']} due"
    kinds = ", ".join(f"{_words(kind)} {count}" for kind, count in shape["kinds"].items()) or "none"
    summary = (f"Triaged in time in {shape['days']} days: {share}.", f"Reported: {kinds}.", "Waiting for triage:")
    return Table(columns, rows, summary)


_SHAPES: Mapping[str, Callable[[Stores, Doer, ReportRequest, datetime], Shape]] = MappingProxyType(
    {
        "drift": _drift,
        "window": _window,
        "staleness": _staleness,
        "coverage": _coverage,
        "knowledge": _knowledge,
        "feedback": _feedback,
    }
)
_TABLES: Mapping[str, Callable[[Mapping[str, Any]], Table]] = MappingProxyType(
    {
        "drift": _drift_table,
        "window": _window_table,
        "staleness": _staleness_table,
        "coverage": _coverage_table,
        "knowledge": _knowledge_table,
        "feedback": _feedback_table,
    }
)
REPORTS = tuple(_SHAPES)
