"""`init`: the home, and the first administrator."""

import sys

import click

from sop_server.cli.opening import address, created, present
from sop_server.cli.progress import progress
from sop_server.services.accounts.administrators import administrator, ensure_administrator, has_administrator
from sop_server.services.demonstration.example import load_example
from sop_server.services.publication.catching_up import catch_up
from sop_server.settings import load_settings

_DEFAULT_ADMIN = "admin@localhost"


@click.command("init")
@click.option("--example", is_flag=True, help="Load the example library too.")
@click.option("--admin", metavar="EMAIL", help=f"The first administrator; {_DEFAULT_ADMIN} where nobody is named.")
def init_command(*, example: bool, admin: str | None) -> None:
    """Make the home in SOP_HOME: library, database, index, secret key and the first administrator.

    Running it again changes nothing, but for bringing an older home up to this version.
    """
    settings = load_settings()
    with created(settings) as stores:
        now = present()
        known = has_administrator(stores, now=now)
        if admin is None and not known:
            admin = _asked() if sys.stdin.isatty() else _DEFAULT_ADMIN
        first = None if admin is None else ensure_administrator(stores, email=admin, now=now)
        click.echo(f"The library is ready in {settings.home}.")
        if example:
            loaded = load_example(stores, actor=administrator(stores, now=now), now=now)
            click.echo(
                f"The example library is loaded: {loaded.sops} SOPs, {loaded.people} people, {loaded.processes} "
                "processes."
                if loaded is not None
                else "The example library was loaded before; nothing of it was changed."
            )
        with progress() as advance:
            catch_up(stores, now=present(), watch=advance)
        if first is not None and first.token is not None:
            click.echo(f"{first.email} is its administrator. This link signs them in once, within a day:")
            click.echo(f"  {address(settings)}/sign-in/{first.token}")
        click.echo("Start the server with: sop-server serve")


def _asked() -> str:
    answer: str = click.prompt("E-mail address of the first administrator", default=_DEFAULT_ADMIN)
    return answer
