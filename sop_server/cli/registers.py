"""`tickets import` and `processes import`: the registers from files."""

from pathlib import Path

import click

from sop_server.cli.opening import opened, present
from sop_server.domain.doers import OPERATOR
from sop_server.errors import InvalidInputError
from sop_server.services.changes.ticket_import import import_tickets
from sop_server.services.register.import_reports import ImportReport
from sop_server.services.register.process_import import import_processes


@click.group("tickets")
def tickets_command() -> None:
    """Register business changes."""


@tickets_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_tickets_command(*, file: Path) -> None:
    """Register the tickets of FILE, CSV or JSON, or take what is new of them; running it again changes nothing."""
    content = _content(file)
    is_json = file.suffix.lower() == ".json" or content.lstrip()[:1] in {b"[", b"{"}
    with opened() as stores:
        report = import_tickets(stores, actor=OPERATOR, now=present(), content=content, is_json=is_json)
    _print("tickets", report, place="item" if is_json else "line")


@click.group("processes")
def processes_command() -> None:
    """Keep the process register."""


@processes_command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_processes_command(*, file: Path) -> None:
    """Register the processes of FILE, a CSV file, or take what is new of them; running it again changes nothing."""
    content = _content(file)
    with opened() as stores:
        report = import_processes(stores, actor=OPERATOR, now=present(), content=content)
    _print("processes", report, place="line")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise InvalidInputError(f"{file} cannot be read: {exc.strerror}. Nothing was imported.") from exc


def _print(what: str, report: ImportReport, *, place: str) -> None:
    click.echo(
        f"{report.created} {what} registered, {report.updated} updated, {report.unchanged} unchanged, "
        f"{len(report.skipped)} skipped."
    )
    for row in report.skipped:
        click.echo(f"  {place} {row.line}: {row.reason}")
