"""The process register from a CSV file: good rows are kept, bad ones are named, and a second run changes nothing."""

from datetime import datetime

from sop_server.domain import identifiers
from sop_server.domain.csv_rows import CsvRow, read_rows, split_list
from sop_server.domain.doers import Doer
from sop_server.domain.given import ABSENT
from sop_server.domain.permissions import Action
from sop_server.domain.processes import ProcessInput
from sop_server.errors import InvalidInputError, NotFoundError, SopError
from sop_server.services.register import processes
from sop_server.services.register.import_reports import ImportReport, Skipped, Tally
from sop_server.services.stores import Stores
from sop_server.storage import processes as stored
from sop_server.storage.database import Session

REQUIRED = ("name",)
OPTIONAL = ("id", "department", "criticality", "owner", "deputy", "systems")

_TOGETHER = 100


def import_processes(stores: Stores, *, actor: Doer, now: datetime, content: bytes) -> ImportReport:
    """Register or change the processes of a file, known by `id`, or where there is none by name and department.

    An empty cell says nothing. Raises InvalidInputError, with nothing imported, where the header is wrong.
    """
    actor.require_anywhere(Action.WRITE_PROCESSES)
    rows = read_rows(content, required=REQUIRED, optional=OPTIONAL)
    tally = Tally()
    for start in range(0, len(rows), _TOGETHER):
        with stores.database.write() as session:
            known = _known(session, now)
            for row in rows[start : start + _TOGETHER]:
                if row.problem is not None:
                    tally.skipped.append(Skipped(row.line, row.problem))
                    continue
                try:
                    with session.begin_nested():
                        _keep(session, actor, row, known=known, tally=tally, now=now)
                except SopError as error:
                    tally.skipped.append(Skipped(row.line, error.message))
    return tally.report()


def _known(session: Session, now: datetime) -> dict[tuple[str, str], str]:
    return {
        (version.name.casefold(), version.department or ""): process_id
        for process_id, version in stored.newest_versions(session, now).items()
    }


def _keep(
    session: Session, actor: Doer, row: CsvRow, *, known: dict[tuple[str, str], str], tally: Tally, now: datetime
) -> None:
    said = {name: cell for name, cell in row.cells.items() if cell}
    if "name" not in said:
        raise InvalidInputError("“name” is missing.", fields={"name": "is required"})
    given = ProcessInput(
        name=said["name"],
        department=said.get("department", ABSENT),
        criticality=said.get("criticality", ABSENT),
        owner=said.get("owner", ABSENT),
        deputy=said.get("deputy", ABSENT),
        systems=split_list(said["systems"]) if "systems" in said else ABSENT,
    )
    called = (" ".join(said["name"].split()).casefold(), said.get("department", "").lower())
    process_id = _id(said.get("id")) or known.get(called)
    if process_id is None or stored.process_row(session, process_id) is None:
        process_id = processes.add(session, actor, now=now, given=given, at=now, process_id=process_id)
        tally.created += 1
    elif _change(session, actor, process_id, given, now=now):
        tally.updated += 1
    else:
        tally.unchanged += 1
    known[called] = process_id


def _change(session: Session, actor: Doer, process_id: str, given: ProcessInput, *, now: datetime) -> bool:
    try:
        return processes.change(session, actor, now=now, process_id=process_id, given=given)
    except NotFoundError as error:
        # It is there, and not theirs to know of: all that can be told is that the id is of no use to them.
        raise InvalidInputError(
            f"{process_id} cannot be given to this process. Leave the id out, and it gets the next one.",
            fields={"id": "cannot be used"},
        ) from error


def _id(text: str | None) -> str | None:
    if text is None:
        return None
    name = text.upper()
    if identifiers.parse_process_id(name) is None:
        raise InvalidInputError(
            f"“{text}” is not the id of a process; ids are like PROC-017.", fields={"id": "must be like PROC-017"}
        )
    return name
