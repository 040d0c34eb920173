"""What the register said of a process over time, and who said so."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.facts import Criticality, ProcessStatus
from sop_server.domain.permissions import Actor
from sop_server.services.register.processes import get_process
from sop_server.services.stores import Stores
from sop_server.storage import people, processes


@dataclass(frozen=True, slots=True)
class ProcessVersionView:
    """What the register says from `happened_at` on; `recorded_by` is None where no person said it."""

    name: str
    department: str | None
    criticality: Criticality
    owner: str | None
    deputy: str | None
    systems: tuple[str, ...]
    status: ProcessStatus
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str | None


def process_history(stores: Stores, *, actor: Actor, now: datetime, process_id: str) -> tuple[ProcessVersionView, ...]:
    """Return all that was said of a process, the oldest first; NotFoundError where it is not the actor's to see."""
    get_process(stores, actor=actor, now=now, process_id=process_id)
    with stores.database.read() as session:
        rows = processes.versions(session, process_id)
        persons = people.persons_by_id(session, {row.recorded_by for row in rows if row.recorded_by is not None})
    return tuple(
        ProcessVersionView(
            name=row.name,
            department=row.department,
            criticality=Criticality(row.criticality),
            owner=row.owner,
            deputy=row.deputy,
            systems=tuple(row.systems),
            status=ProcessStatus(row.status),
            happened_at=row.happened_at,
            recorded_at=row.recorded_at,
            recorded_by=None if row.recorded_by is None else persons[row.recorded_by].name,
        )
        for row in rows
    )
