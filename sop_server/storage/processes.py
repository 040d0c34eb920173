"""The process register as it is stored: identities, and what was said of them from when on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from sop_server.domain.facts import Criticality, ProcessStatus
from sop_server.domain.processes import ProcessContent
from sop_server.storage import counters
from sop_server.storage.serving import is_served
from sop_server.storage.tables import Process, ProcessVersion, Revision

SERIES = "process"


def process_row(session: Session, process_id: str) -> Process | None:
    """Return the identity of one process."""
    return session.get(Process, process_id)


def next_process_number(session: Session) -> int:
    """Return the next number that no process has; an import may have brought numbers of its own."""
    while True:
        number = counters.next_number(session, SERIES)
        if session.scalar(select(Process.id).where(Process.number == number)) is None:
            return number


def add_process(session: Session, *, process_id: str, number: int, registered_at: datetime, now: datetime) -> Process:
    """Store the identity of a process."""
    row = Process(id=process_id, number=number, registered_at=registered_at, recorded_at=now)
    session.add(row)
    session.flush()
    return row


def add_version(
    session: Session, process_id: str, content: ProcessContent, *, person_id: int | None, at: datetime, now: datetime
) -> None:
    """Store what the register says of a process from `at` on."""
    session.add(
        ProcessVersion(
            process_id=process_id,
            name=content.name,
            department=content.department,
            criticality=content.criticality.value,
            owner=content.owner,
            deputy=content.deputy,
            systems=list(content.systems),
            status=content.status.value,
            happened_at=at,
            recorded_at=now,
            recorded_by=person_id,
        )
    )
    session.flush()


def content_of(row: ProcessVersion) -> ProcessContent:
    """Return what a stored version says."""
    return ProcessContent(
        name=row.name,
        department=row.department,
        criticality=Criticality(row.criticality),
        owner=row.owner,
        deputy=row.deputy,
        systems=tuple(row.systems),
        status=ProcessStatus(row.status),
    )


def versions(session: Session, process_id: str) -> Sequence[ProcessVersion]:
    """Return all that the register ever said of a process, oldest first."""
    return session.scalars(
        select(ProcessVersion)
        .where(ProcessVersion.process_id == process_id)
        .order_by(ProcessVersion.happened_at, ProcessVersion.id)
    ).all()


def newest_versions(session: Session, at: datetime, ids: Collection[str] | None = None) -> Mapping[str, ProcessVersion]:
    """Return what the register says of each process at `at`; a register is small, so all of them are one query."""
    query = (
        select(ProcessVersion)
        .where(ProcessVersion.happened_at <= at)
        .order_by(ProcessVersion.happened_at, ProcessVersion.id)
    )
    if ids is not None:
        query = query.where(ProcessVersion.process_id.in_(sorted(ids)))
    return {row.process_id: row for row in session.scalars(query)}


def process_rows(session: Session, ids: Collection[str] | None = None) -> Sequence[Process]:
    """Return identities by number."""
    query = select(Process).order_by(Process.number)
    if ids is not None:
        query = query.where(Process.id.in_(sorted(ids)))
    return session.scalars(query).all()


@dataclass(frozen=True, slots=True)
class Documenting:
    """A SOP in force that documents a process."""

    sop_id: str
    title: str
    department: str | None


def sops_in_force(session: Session, at: datetime, process_id: str | None = None) -> Mapping[str, list[Documenting]]:
    """Return the SOPs in force by the processes that they document, of all processes or of one."""
    # The list is JSON in every database: its text narrows the rows down, Python decides.
    text = cast(Revision.processes, String)
    named = text != "[]" if process_id is None else text.contains(f'"{process_id}"', autoescape=True)
    found: dict[str, list[Documenting]] = {}
    for sop_id, title, department, names in session.execute(
        select(Revision.sop_id, Revision.title, Revision.department, Revision.processes)
        .where(*is_served(at), named)
        .order_by(Revision.sop_id)
    ):
        for name in names:
            found.setdefault(name, []).append(Documenting(sop_id, title, department))
    return found
