"""`demo`: a throw-away home with a year behind it, served until it is told to stop."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sop_server.cli.opening import address, created, present
from sop_server.cli.progress import progress
from sop_server.cli.tables import print_table
from sop_server.domain.roles import parse_grant
from sop_server.services.demonstration.demo import DemoPerson, play_demo
from sop_server.services.demonstration.demo_stage import PASSWORD
from sop_server.services.demonstration.example_registers import split_cell
from sop_server.services.publication.catching_up import catch_up
from sop_server.serving import serve
from sop_server.settings import Settings, load_settings

_MEMORY = Path("/dev/shm")  # noqa: S108  # nosec B108 - a folder that only its maker may enter is made in it
_ROOM_NEEDED = 256 * 1024 * 1024
_RANKS = ("reader", "editor", "approver", "manager", "admin")


@click.command("demo")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on; SOP_PORT, else 8000.")
def demo_command(*, port: int | None) -> None:
    """Serve a throw-away home with people, processes, a year of revisions, and tickets in every state.

    Prints the address and whom to sign in as. Nothing of it stays behind when it ends.
    """
    with _throw_away_home() as home:
        # A database that the settings name is somebody's real one: the demonstration keeps to its own.
        settings = load_settings(home=home, database_url=f"sqlite:///{home / 'sop.db'}", port=port)
        if settings.port == 0:
            settings = settings.model_copy(update={"port": _free_port(settings.host)})
        people = _played(settings)
        click.echo(f"The demonstration is at {address(settings)}")
        click.echo(f"Everybody's password is {PASSWORD}. Sign in as one of these, or as any other of {len(people)}:")
        print_table(("", "sign in as", "name", "roles"), _some_of_each(people))
        click.echo("End it with Ctrl+C; nothing stays behind.")
        serve(settings)


def _free_port(host: str) -> int:
    """Return a port that is free now: the address is printed before the server listens."""
    with socket.create_server((host, 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _played(settings: Settings) -> tuple[DemoPerson, ...]:
    with created(settings) as stores, progress() as advance:

        def watch(done: int, total: int) -> None:
            advance("Playing a year", done, total)

        people = play_demo(stores, now=present(), watch=watch)
        catch_up(stores, now=present(), watch=advance)
    return people


@contextmanager
def _throw_away_home() -> Iterator[Path]:
    """Make a folder that goes with the process that made it, whichever way that ends."""
    made_by = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix="sop-demo-", dir=_memory()))
    try:
        yield folder / "home"
    finally:
        # The server's processes are forks of this one and pass here too when they end.
        if os.getpid() == made_by:
            shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """Return where files cost no disk, if there is room: a year is played there in half the time."""
    if not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM_NEEDED:
        return None
    return _MEMORY


def _some_of_each(people: tuple[DemoPerson, ...]) -> list[tuple[str, str, str, str]]:
    """Return two people of each rank, who are more than the rank before."""
    shown: list[tuple[str, str, str, str]] = []
    for rank in _RANKS:
        of_rank = [person for person in people if _rank(person) == rank]
        shown += [(rank, person.email, person.name, person.roles.replace(";", ", ")) for person in of_rank[:2]]
    return shown


def _rank(person: DemoPerson) -> str:
    held = {parse_grant(role).role.value for role in split_cell(person.roles)}
    return max(held, key=_RANKS.index, default="reader")
