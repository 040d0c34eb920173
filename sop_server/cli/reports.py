"""`report`: the six reports, as of any instant, for people, spreadsheets and scripts."""

import csv
import json
import sys

import click

from sop_server.cli.opening import opened, present
from sop_server.cli.tables import print_table
from sop_server.domain.csv_rows import harmless_cell
from sop_server.domain.doers import OPERATOR
from sop_server.domain.instants import parse_instant
from sop_server.services.reports.report_shapes import REPORTS, Table, shape_of, table_of
from sop_server.services.reports.reporting import DEFAULT_DAYS, ReportRequest
from sop_server.services.trail.exporting import record_export


@click.command("report")
@click.argument("name", type=click.Choice(REPORTS))
@click.option("--at", metavar="T", help="As of this instant, such as 2026-11-03T09:30:00Z; now where absent.")
@click.option("--days", type=int, default=DEFAULT_DAYS, show_default=True, help="The length of the period.")
@click.option("--department", metavar="SLUG", help="Of one department alone.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def report_command(*, name: str, at: str | None, days: int, department: str | None, form: str) -> None:
    """Print a report; as JSON it has the very shape that the API answers with."""
    request = ReportRequest(at=None if at is None else parse_instant(at, field="at"), days=days, department=department)
    with opened() as stores:
        now = present()
        shape = shape_of(stores, name=name, actor=OPERATOR, request=request, now=now)
        if form != "table":
            wanted = {"at": at or "", "days": str(days), "department": department or ""}
            record_export(stores, actor=OPERATOR, now=now, name=f"{name}.{form}", wanted=wanted)
    if form == "json":
        click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
        return
    table = table_of(name, shape)
    if form == "csv":
        _write_csv(table)
        return
    click.echo(f"As of {shape['at']}")
    if shape["late_facts"]:
        left_out = ", ".join(f"{kind} {count}" for kind, count in shape["late_facts"].items())
        click.echo(f"Happened by then, recorded after it, and not in it: {left_out}.")
    for line in table.summary:
        click.echo(line)
    shown = [position for position, name in enumerate(table.columns) if name not in table.for_spreadsheets]
    rows = [[_shown(row[position]) for position in shown] for row in table.rows]
    rows = [row for row in rows if any(cell is not None for cell in row)]
    if rows:
        print_table([table.columns[position] for position in shown], rows)


def _write_csv(table: Table) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([[harmless_cell(cell) for cell in row] for row in table.rows])


def _shown(cell: object) -> object:
    return f"{cell:.3f}".rstrip("0").rstrip(".") if isinstance(cell, float) else cell
