"""What is held about people on the command line: as a file, erased, and erased again after a restore."""

import sys
from typing import TextIO

import click

from sop_server.cli.opening import opened, present
from sop_server.domain.doers import OPERATOR
from sop_server.domain.instants import format_instant
from sop_server.domain.person_keys import keys_in
from sop_server.services.privacy.erasing import Erasure, erase, erase_again, forgotten_keys, look
from sop_server.services.privacy.telling import held_about


@click.command("held")
@click.argument("email")
def user_held_command(*, email: str) -> None:
    """Print everything that is held about a person, as JSON; the export is told in the audit trail."""
    with opened() as stores:
        click.echo(held_about(stores, actor=OPERATOR, now=present(), email=email), nl=False)


@click.command("erase")
@click.argument("email")
@click.option("--yes", "again", metavar="EMAIL", help="The address once more, so that nobody is erased by a slip.")
@click.option("--preview", "only_preview", is_flag=True, help="List the texts that name them, and change nothing.")
def user_erase_command(*, email: str, again: str | None, only_preview: bool) -> None:
    """Erase who a person is; what they did stays under a pseudonym. Their access has to be ended before."""
    with opened() as stores:
        if only_preview:
            _tell(look(stores, actor=OPERATOR, now=present(), email=email))
            return
        if again is None and sys.stdin.isatty():
            again = click.prompt("Type the address once more")
        done = erase(stores, actor=OPERATOR, now=present(), email=email, typed=again or "")
    _tell(done)
    click.echo(f"Erased. What is left is called “former colleague {done.key}”.")


@click.command("forgotten")
def user_forgotten_command() -> None:
    """Print the keys of everybody who was erased: keep them outside of backups, to erase again after a restore."""
    with opened() as stores:
        for key, at in forgotten_keys(stores, actor=OPERATOR):
            click.echo(f"{key} {format_instant(at)}")


@click.command("erase-again")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.pass_context
def user_erase_again_command(ctx: click.Context, *, file: TextIO) -> None:
    """Erase whoever is behind the keys in FILE (- for standard input), after an older backup was restored."""
    with opened() as stores:
        done = erase_again(stores, actor=OPERATOR, now=present(), keys=list(keys_in("".join(file))))
    click.echo(f"Erased again: {len(done.erased)}.")
    for email, why in done.waiting:
        click.echo(f"Problem: {email}: {why}")
    if done.waiting:
        ctx.exit(1)


def _tell(found: Erasure) -> None:
    if found.in_texts:
        click.echo("Revisions name this address in their front matter; the library's history keeps it.")
    click.echo("Commits of the library name their authors and approvers for good.")
    for one in found.mentions:
        click.echo(f"Names them: {one.table} {one.key}, {one.column}")
