"""`backup` and `restore`: one file with everything, and its proof."""

from pathlib import Path

import click

from sop_server.cli.opening import created, opened, present
from sop_server.errors import InvalidInputError
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.publication.backing_up import back_up
from sop_server.services.publication.checking import check
from sop_server.services.publication.restoring import restore
from sop_server.settings import load_settings


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(*, file: Path) -> None:
    """Write one FILE with the library, the database and the secret key; the server may run meanwhile."""
    with opened() as stores:
        back_up(stores, file.absolute())
    click.echo(
        f"Everything is in {file} ({file.stat().st_size:,} bytes). It holds secrets: keep it as safe as the home."
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_context
def restore_command(ctx: click.Context, *, file: Path) -> None:
    """Make the home in SOP_HOME, which must not be there yet, from a backup; ends with 1 unless it proves whole."""
    settings = load_settings()
    if settings.database_url is not None:
        raise InvalidInputError(
            "SOP_DATABASE_URL names a database on its own, which a backup file does not hold. Nothing was restored; "
            "unset it, or restore that database with its server's own tool."
        )
    restore(file, settings.home)
    with created(settings) as stores:
        # The index is never in a backup: it is made again from what is.
        count = rebuild_index(stores)
        report = check(stores, now=present())
    for line in report.problems:
        click.echo(f"Problem: {line}")
    if report.problems:
        click.echo(f"The backup was restored into {settings.home}, but it does not prove whole.", err=True)
        ctx.exit(1)
    click.echo(f"Restored into {settings.home} and checked: {count} SOPs; library, database, index and audit agree.")
    click.echo("Was anybody erased since this backup was made? Erase them again: sop-server user erase-again FILE.")
