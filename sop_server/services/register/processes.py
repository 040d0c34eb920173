"""The process register: what the operation does, whether or not anybody wrote it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.doers import Doer
from sop_server.domain.facts import Criticality, ProcessStatus
from sop_server.domain.given import differs
from sop_server.domain.permissions import Action
from sop_server.domain.processes import ProcessContent, ProcessInput, revise
from sop_server.errors import ConflictError, NotFoundError
from sop_server.services.paging import Page, check_limit, number_after
from sop_server.services.register.process_sight import in_sight
from sop_server.services.stores import Stores
from sop_server.storage import audit, people, processes
from sop_server.storage.database import Session
from sop_server.storage.processes import Documenting
from sop_server.storage.tables import Process, ProcessVersion


@dataclass(frozen=True, slots=True)
class DocumentingSop:
    """A SOP in force that documents a process."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class ProcessView:
    """An entry of the register, with the SOPs in force that document it, of those that the viewer may read.

    `documented` tells whether there are any at all.
    """

    id: str
    name: str
    department: str | None
    criticality: Criticality
    owner: str | None
    deputy: str | None
    systems: tuple[str, ...]
    status: ProcessStatus
    registered_at: datetime
    sops: tuple[str, ...]
    sop_titles: tuple[DocumentingSop, ...]
    documented: bool


def register_process(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    given: ProcessInput,
    registered_at: datetime | None = None,
) -> ProcessView:
    """Add an entry to the register; its id is given here. `registered_at` is for facts that come late."""
    actor.require_anywhere(Action.WRITE_PROCESSES)
    with stores.database.write() as session:
        process_id = add(session, actor, now=now, given=given, at=registered_at or now)
        return _one(session, actor, process_id, now)


def change_process(stores: Stores, *, actor: Doer, now: datetime, process_id: str, given: ProcessInput) -> ProcessView:
    """Say something new of a process; what was said before stays in its history."""
    actor.require_anywhere(Action.WRITE_PROCESSES)
    with stores.database.write() as session:
        change(session, actor, now=now, process_id=process_id, given=given)
        return _one(session, actor, process_id, now)


def retire_process(stores: Stores, *, actor: Doer, now: datetime, process_id: str) -> ProcessView:
    """Say that the operation no longer does it; the entry and its history stay."""
    return _set_status(stores, actor, now, process_id, ProcessStatus.RETIRED)


def reactivate_process(stores: Stores, *, actor: Doer, now: datetime, process_id: str) -> ProcessView:
    """Say that the operation does it again."""
    return _set_status(stores, actor, now, process_id, ProcessStatus.ACTIVE)


def get_process(stores: Stores, *, actor: Doer, now: datetime, process_id: str) -> ProcessView:
    """Return one entry, for those who may read in its department."""
    with stores.database.read() as session:
        found = _one(session, actor, process_id, now)
        if not in_sight(actor, found.department):
            raise _unknown(process_id)
        return found


def list_processes(
    stores: Stores,
    *,
    actor: Doer,
    now: datetime,
    limit: int = 50,
    cursor: str | None = None,
    department: str | None = None,
    status: ProcessStatus | None = None,
    documented: bool | None = None,
    words: str | None = None,
) -> Page[ProcessView]:
    """Return the register by number, as far as the actor may know of it, with the SOPs in force of each."""
    check_limit(limit)
    after = number_after(cursor) or 0
    with stores.database.read() as session:
        newest = processes.newest_versions(session, now)
        documenting = processes.sops_in_force(session, now)
        rows = processes.process_rows(session)
    needle = (words or "").casefold()
    found = [
        row
        for row in rows
        if row.number > after
        and row.id in newest
        and in_sight(actor, newest[row.id].department)
        and department in {None, newest[row.id].department}
        and status in {None, newest[row.id].status}
        and documented in {None, row.id in documenting}
        and (needle in newest[row.id].name.casefold() or needle in row.id.casefold())
    ]
    items = tuple(_view(actor, row, newest[row.id], documenting) for row in found[:limit])
    return Page(items, str(found[limit - 1].number) if len(found) > limit else None)


def add(
    session: Session,
    actor: Doer,
    *,
    now: datetime,
    given: ProcessInput,
    at: datetime,
    process_id: str | None = None,
) -> str:
    """Add an entry within the caller's transaction, with the id that an import brings or the next one; returns it."""
    content = _permitted(actor, None, given)
    number = None if process_id is None else identifiers.parse_process_id(process_id)
    if number is None:
        number = processes.next_process_number(session)
    name = identifiers.process_id(number)
    people.ensure_departments(session, [content.department], now=now)
    processes.add_process(session, process_id=name, number=number, registered_at=at, now=now)
    processes.add_version(session, name, content, person_id=actor.person_id, at=at, now=now)
    _record(session, actor, "process.registered", name, now, name=content.name)
    return name


def change(session: Session, actor: Doer, *, now: datetime, process_id: str, given: ProcessInput) -> bool:
    """Say something new of a process within the caller's transaction; returns whether anything was new."""
    former = processes.content_of(_newest(session, actor, process_id))
    content = _permitted(actor, former, given)
    changed = differs(former, content)
    if changed:
        people.ensure_departments(session, [content.department], now=now)
        processes.add_version(session, process_id, content, person_id=actor.person_id, at=now, now=now)
        _record(session, actor, "process.changed", process_id, now, fields=changed)
    return bool(changed)


def _permitted(actor: Doer, former: ProcessContent | None, given: ProcessInput) -> ProcessContent:
    if former is not None:
        actor.require(Action.WRITE_PROCESSES, former.department)
    content = revise(former, given)
    actor.require(Action.WRITE_PROCESSES, content.department)
    return content


def _set_status(stores: Stores, actor: Doer, now: datetime, process_id: str, status: ProcessStatus) -> ProcessView:
    actor.require_anywhere(Action.WRITE_PROCESSES)
    with stores.database.write() as session:
        former = processes.content_of(_newest(session, actor, process_id))
        actor.require(Action.WRITE_PROCESSES, former.department)
        if former.status is status:
            raise ConflictError(f"{process_id} is {status.value} already. Nothing was changed.")
        content = replace(former, status=status)
        processes.add_version(session, process_id, content, person_id=actor.person_id, at=now, now=now)
        action = "process.retired" if status is ProcessStatus.RETIRED else "process.reactivated"
        _record(session, actor, action, process_id, now)
        return _one(session, actor, process_id, now)


def _newest(session: Session, actor: Doer, process_id: str) -> ProcessVersion:
    said = processes.versions(session, process_id)
    if not said or not in_sight(actor, said[-1].department):
        raise _unknown(process_id)
    return said[-1]


def _unknown(process_id: str) -> NotFoundError:
    return NotFoundError(f"There is no process {process_id}. Check the address, or look under Processes.")


def _one(session: Session, actor: Doer, process_id: str, now: datetime) -> ProcessView:
    session.flush()
    row = processes.process_row(session, process_id)
    newest = processes.newest_versions(session, now, [process_id]).get(process_id)
    if row is None or newest is None:
        raise _unknown(process_id)
    return _view(actor, row, newest, processes.sops_in_force(session, now, process_id))


def _view(
    actor: Doer, row: Process, newest: ProcessVersion, documenting: Mapping[str, Sequence[Documenting]]
) -> ProcessView:
    content = processes.content_of(newest)
    all_of_it = documenting.get(row.id, ())
    shown = [sop for sop in all_of_it if actor.may(Action.READ, sop.department)]
    return ProcessView(
        id=row.id,
        name=content.name,
        department=content.department,
        criticality=content.criticality,
        owner=content.owner,
        deputy=content.deputy,
        systems=content.systems,
        status=content.status,
        registered_at=row.registered_at,
        sops=tuple(sop.sop_id for sop in shown),
        sop_titles=tuple(DocumentingSop(sop.sop_id, sop.title) for sop in shown),
        documented=bool(all_of_it),
    )


def _record(session: Session, actor: Doer, action: str, process_id: str, now: datetime, **details: object) -> None:
    audit.record(session, at=now, actor=actor.email, action=action, subject=process_id, details=details)
