"""The registers of the example library: departments, teams, people and processes, as its CSV files have them."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sop_server.domain.doers import Doer
from sop_server.errors import DamagedError
from sop_server.services.accounts.departments import name_department, name_team
from sop_server.services.accounts.people import add_person
from sop_server.services.register.process_import import import_processes
from sop_server.services.stores import Stores

REGISTERS = "_registers"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class RegistersLoaded:
    """How much the registers held."""

    people: int
    processes: int


def read_table(folder: Path, name: str) -> list[Row]:
    """Return the rows of one CSV file; raises DamagedError where the installed example is not whole."""
    path = folder / name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{key: (cell or "").strip() for key, cell in row.items()} for row in csv.DictReader(file)]
    except (OSError, csv.Error, UnicodeDecodeError) as exc:
        raise DamagedError(
            f"The example library is not whole: {path} cannot be read. Install sop-server again."
        ) from exc


def split_cell(cell: str) -> list[str]:
    """Return the entries of a cell that holds several, separated by semicolons."""
    return [part.strip() for part in cell.split(";") if part.strip()]


def load_registers(
    stores: Stores, *, actor: Doer, root: Path, now: datetime, later: Collection[tuple[str, str]] = ()
) -> RegistersLoaded:
    """Register departments, teams, people and processes; `later` are (e-mail, team) of people who join after this."""
    folder = root / REGISTERS
    for row in read_table(folder, "departments.csv"):
        name_department(stores, actor=actor, now=now, slug=row["slug"], name=row["name"])
    for row in read_table(folder, "teams.csv"):
        name_team(
            stores, actor=actor, now=now, slug=row["slug"], name=row["name"], department=row["department"] or None
        )
    people = read_table(folder, "people.csv")
    for row in people:
        teams = [team for team in split_cell(row["teams"]) if (row["email"], team) not in later]
        add_person(
            stores,
            actor=actor,
            now=now,
            email=row["email"],
            name=row["name"],
            roles=split_cell(row["roles"]),
            teams=teams,
        )
    return RegistersLoaded(len(people), _load_processes(stores, actor, folder, now))


def _load_processes(stores: Stores, actor: Doer, folder: Path, now: datetime) -> int:
    path = folder / "processes.csv"
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise DamagedError(
            f"The example library is not whole: {path} cannot be read. Install sop-server again."
        ) from exc
    report = import_processes(stores, actor=actor, now=now, content=content)
    _require_whole(path, [f"line {row.line}: {row.reason}" for row in report.skipped])
    return report.created + report.updated + report.unchanged


def _require_whole(path: Path, skipped: Sequence[str]) -> None:
    if skipped:
        raise DamagedError(f"The example library is not whole: {path}, {skipped[0]}. Install sop-server again.")
