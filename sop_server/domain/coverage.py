"""How much of what the operation does is written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.facts import Criticality, Facts, ProcessFact, ProcessStatus
from sop_server.domain.revisions import served_spans
from sop_server.domain.standing import ActiveProcess, Standing


@dataclass(frozen=True, slots=True)
class Undocumented:
    """An active process that no SOP in force names, `since` when; it counts from `grace_until` on."""

    process_id: str
    name: str
    department: str | None
    owner: str | None
    criticality: Criticality
    since: datetime
    grace_until: datetime


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """The weighted share of active processes with a SOP in force, None without processes, and those without one.

    `documented` and `active` are counts of processes, whatever their weight and grace.
    """

    at: datetime
    coverage: float | None
    documented: int
    active: int
    undocumented: tuple[Undocumented, ...]


def coverage_share(processes: Iterable[ActiveProcess]) -> float | None:
    """Return the documented weight over the weight of all; one in grace counts only once documented."""
    documented = total = 0
    for process in processes:
        if process.documented:
            documented += process.weight
        if process.documented or not process.in_grace:
            total += process.weight
    return documented / total if total else None


def coverage(of: Standing) -> CoverageReport:
    """Return the coverage and every undocumented process: the critical ones first, then the longest undocumented."""
    missing = {key: process for key, process in of.processes.items() if not process.documented}
    ends = _last_documented(of.facts, missing)
    rows = [
        Undocumented(
            process_id=key,
            name=process.version.name,
            department=process.version.department,
            owner=process.version.owner,
            criticality=process.version.criticality,
            since=max(_active_since(process.process, of.at), ends.get(key, process.process.registered_at)),
            grace_until=process.grace_until,
        )
        for key, process in missing.items()
    ]
    rows.sort(key=lambda row: (row.criticality != Criticality.CRITICAL, row.since, row.process_id))
    return CoverageReport(
        at=of.at,
        coverage=coverage_share(of.processes.values()),
        documented=len(of.processes) - len(missing),
        active=len(of.processes),
        undocumented=tuple(rows),
    )


def _last_documented(facts: Facts, missing: Mapping[str, ActiveProcess]) -> dict[str, datetime]:
    """Return when the last SOP that named each process stopped to; nothing for one that none ever named."""
    ends: dict[str, datetime] = {}
    if not missing:
        return ends
    for revisions in facts.revisions.values():
        if not any(process_id in missing for revision in revisions for process_id in revision.processes):
            continue
        for span in served_spans(revisions):
            if span.until is None or span.until > facts.at:
                continue
            for process_id in span.revision.processes:
                if process_id in missing:
                    ends[process_id] = max(span.until, ends.get(process_id, span.until))
    return ends


def _active_since(process: ProcessFact, at: datetime) -> datetime:
    since = process.registered_at
    was_active = True
    for version in process.versions:
        if version.happened_at > at:
            break
        active = version.status == ProcessStatus.ACTIVE
        if active and not was_active:
            since = version.happened_at
        was_active = active
    return since
