"""The library as it stands at the instant of a snapshot: what every report asks first, found once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sop_server.domain.break_glass import BrokenGlassFact, GlassReport, GlassState
from sop_server.domain.facts import (
    Criticality,
    Facts,
    FeedbackFact,
    ProcessFact,
    ProcessStatus,
    ProcessVersion,
    RevisionFact,
)
from sop_server.domain.golive import current_version
from sop_server.domain.obligations import ObligationStatus, statuses
from sop_server.domain.revisions import in_force, latest, served

PROCESS_GRACE = timedelta(days=14)

_WEIGHTS = {Criticality.CRITICAL: 3, Criticality.NORMAL: 1}


@dataclass(frozen=True, slots=True)
class ActiveProcess:
    """A process that the operation does at the instant; `sops` in force name it; `in_grace` while it is new here."""

    process: ProcessFact
    version: ProcessVersion
    weight: int
    grace_until: datetime
    in_grace: bool
    sops: tuple[str, ...]

    @property
    def documented(self) -> bool:
        """Whether a SOP in force names it."""
        return bool(self.sops)


@dataclass(frozen=True, slots=True)
class Place:
    """To whom something belongs, as far as it is known."""

    department: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A snapshot, and by id its SOPs in force and its active processes, its counted obligations and its feedback.

    `orders` are the revisions of each SOP that are served at some instant, `weights` those of the SOPs in force.
    `exposed` holds by SOP the obligations that are open past their go-live, the oldest first, `open_triage`
    those of no SOP; they and `facts` stay whole where the rest was narrowed.
    """

    facts: Facts
    orders: Mapping[str, Sequence[RevisionFact]]
    in_force: Mapping[str, RevisionFact]
    processes: Mapping[str, ActiveProcess]
    obligations: tuple[ObligationStatus, ...]
    weights: Mapping[str, int]
    exposed: Mapping[str, tuple[ObligationStatus, ...]]
    open_triage: tuple[ObligationStatus, ...]
    feedback: tuple[FeedbackFact, ...]
    broken_glass: tuple[BrokenGlassFact, ...] = ()

    @property
    def at(self) -> datetime:
        """The instant of the snapshot."""
        return self.facts.at


def standing(facts: Facts) -> Standing:
    """Return the library as it stands at the instant of the snapshot."""
    at = facts.at
    orders = {sop_id: served(revisions) for sop_id, revisions in facts.revisions.items()}
    serving: dict[str, RevisionFact] = {}
    documents: dict[str, list[str]] = {}
    for sop_id, order in orders.items():
        revision = in_force(order, at)
        if revision is not None:
            serving[sop_id] = revision
            for process_id in revision.processes:
                documents.setdefault(process_id, []).append(sop_id)
    processes = _active_processes(facts, documents)
    weights = {
        sop_id: max(
            (processes[process_id].weight for process_id in revision.processes if process_id in processes), default=1
        )
        for sop_id, revision in serving.items()
    }
    counted = tuple(status for status in statuses(facts, orders=orders) if status.counted)
    exposed: dict[str | None, list[ObligationStatus]] = {}
    for status in counted:
        if status.open_past_go_live:
            exposed.setdefault(status.obligation.sop_id, []).append(status)
    open_triage = exposed.pop(None, [])
    return Standing(
        facts=facts,
        orders=orders,
        in_force=serving,
        processes=processes,
        obligations=counted,
        weights=weights,
        exposed={
            sop_id: tuple(sorted(found, key=lambda status: status.t0))
            for sop_id, found in exposed.items()
            if sop_id is not None
        },
        open_triage=tuple(open_triage),
        feedback=facts.feedback,
        broken_glass=facts.broken_glass,
    )


def _active_processes(facts: Facts, documents: Mapping[str, list[str]]) -> dict[str, ActiveProcess]:
    active: dict[str, ActiveProcess] = {}
    for process in facts.processes.values():
        version = process.version(facts.at)
        if version is None or version.status != ProcessStatus.ACTIVE:
            continue
        grace_until = process.recorded_at + PROCESS_GRACE
        active[process.id] = ActiveProcess(
            process=process,
            version=version,
            weight=_WEIGHTS[version.criticality],
            grace_until=grace_until,
            in_grace=facts.at < grace_until,
            sops=tuple(documents.get(process.id, ())),
        )
    return active


def sop_place(facts: Facts, sop_id: str) -> Place:
    """Return whose a SOP is: by its latest revision in force, by its first one before that; nobody's where unknown."""
    revisions = facts.revisions.get(sop_id)
    if not revisions:
        return Place(None, None)
    revision = latest(revisions, facts.at) or revisions[0]
    return Place(revision.department, revision.owner)


def obligation_place(facts: Facts, status: ObligationStatus) -> Place:
    """Return whose an obligation is: its SOP's, or for a triage that of its ticket's processes where they agree."""
    if status.obligation.sop_id is not None:
        return sop_place(facts, status.obligation.sop_id)
    named = [
        version
        for process_id in current_version(status.ticket, facts.at).processes
        if process_id in facts.processes and (version := facts.processes[process_id].version(facts.at)) is not None
    ]
    departments = {version.department for version in named}
    owners = {version.owner for version in named}
    return Place(
        departments.pop() if len(departments) == 1 else None,
        owners.pop() if len(owners) == 1 else None,
    )


def loud_glass(of: Standing) -> tuple[BrokenGlassFact, ...]:
    """Return what one person published alone and everybody has to be told of, the oldest first."""
    return tuple(
        fact
        for fact in of.broken_glass
        if fact.loud(of.in_force[fact.sop_id].number if fact.sop_id in of.in_force else None)
    )


def glass_report(of: Standing, *, days: int) -> GlassReport:
    """Return what one person published alone in the last `days`, and how a second one answered."""
    states = [fact.state(of.at) for fact in of.broken_glass if fact.happened_at > of.at - timedelta(days=days)]
    return GlassReport(
        days=days,
        broken=len(states),
        confirmed=states.count(GlassState.CONFIRMED),
        late=states.count(GlassState.LATE),
        objected=states.count(GlassState.OBJECTED),
        waiting=states.count(GlassState.WAITING),
        overdue=states.count(GlassState.OVERDUE),
        loud=loud_glass(of),
    )


def narrow(whole: Standing, *, departments: Collection[str] | None = None, owner: str | None = None) -> Standing:
    """Return what belongs to any of the departments, to an owner, or both; all of it where neither is given."""
    if departments is None and owner is None:
        return whole

    def belongs(place: Place | RevisionFact | ProcessVersion) -> bool:
        return (departments is None or place.department in departments) and owner in {None, place.owner}

    return replace(
        whole,
        in_force={sop_id: revision for sop_id, revision in whole.in_force.items() if belongs(revision)},
        processes={key: process for key, process in whole.processes.items() if belongs(process.version)},
        obligations=tuple(status for status in whole.obligations if belongs(obligation_place(whole.facts, status))),
        feedback=tuple(
            fact for fact in whole.feedback if fact.sop_id is not None and belongs(sop_place(whole.facts, fact.sop_id))
        ),
        broken_glass=tuple(fact for fact in whole.broken_glass if belongs(sop_place(whole.facts, fact.sop_id))),
    )
