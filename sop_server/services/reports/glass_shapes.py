"""What one person published alone, as the reports tell it: figures, and every one that is still to be answered."""

from collections.abc import Mapping
from typing import Any

from sop_server.domain.break_glass import BrokenGlassFact
from sop_server.domain.instants import format_instant
from sop_server.services.reports.reporting import Body, Report

_FIGURES = ("days", "broken", "confirmed", "late", "objected", "waiting", "overdue")


def glass_shape(report: Report[Body]) -> dict[str, Any]:
    """Return the figures over the last `days`, and what everybody has to be told of as of the report's instant."""
    glass = report.glass
    return {
        **{name: getattr(glass, name) for name in _FIGURES},
        "items": [_item(report, fact) for fact in glass.loud],
    }


def glass_words(shape: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for each that is still to be answered."""
    return tuple(
        f"{item['sop_id']} r{item['revision']} was published by {item['by']} alone on {item['at']}, "
        f"{item['state'].replace('_', ' ')}: {item['reason']}"
        for item in shape["items"]
    )


def _item(report: Report[Body], fact: BrokenGlassFact) -> dict[str, Any]:
    return {
        "sop_id": fact.sop_id,
        "revision": fact.revision,
        "by": fact.name,
        "reason": fact.reason,
        "at": format_instant(fact.happened_at),
        "confirm_by": format_instant(fact.due_at),
        "state": str(fact.state(report.at)),
    }
