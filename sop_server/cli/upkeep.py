"""`sync`, `reindex`, `check` and `scan`: what an administrator, or a scheduler, runs."""

import click

from sop_server.cli.opening import opened, present
from sop_server.services.background import run_due
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.publication.checking import check, synchronise
from sop_server.services.reports.findings import scan


@click.command("sync")
def sync_command() -> None:
    """Bring the projections up to main: what is missing is recorded, what nobody approved is set aside."""
    with opened() as stores:
        mended = synchronise(stores, now=present())
    _tell(mended, otherwise="The projections are up to main.")


@click.command("reindex")
def reindex_command() -> None:
    """Build the search index anew; searches go on in the old one meanwhile."""
    with opened() as stores:
        count = rebuild_index(stores)
    click.echo(f"The search index was built anew with {count} SOPs.")


@click.command("check")
@click.option("--repair", is_flag=True, help="First mend what follows from the record.")
@click.pass_context
def check_command(ctx: click.Context, *, repair: bool) -> None:
    """Hold library, database, index and audit chain against each other; ends with 1 where they differ."""
    with opened() as stores:
        report = check(stores, now=present(), repair=repair)
    for line in report.mended:
        click.echo(f"Mended: {line}")
    for line in report.notes:
        click.echo(f"Note: {line}")
    for line in report.problems:
        click.echo(f"Problem: {line}")
    if report.problems:
        ctx.exit(1)
    click.echo("Library, database, index and audit chain agree.")


@click.command("scan")
def scan_command() -> None:
    """Evaluate the findings and do what is due; any scheduler may run it as often as it likes."""
    with opened() as stores:
        now = present()
        told = run_due(stores, now=now)
        opened_findings, closed = scan(stores, now=now)
    _tell([*told, f"{opened_findings} findings opened, {closed} closed."], otherwise="")


def _tell(lines: list[str], *, otherwise: str) -> None:
    for line in lines or [otherwise]:
        click.echo(line)
