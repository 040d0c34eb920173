"""The command line: the same services again. Here the commands are listed, and errors become messages."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from sop_server import __version__
from sop_server.errors import SopError

_FAILED = 1

# Each command with the module that has it: `lint` in a git hook must not wait for the web server's libraries.
_COMMANDS = {
    "init": "starting",
    "demo": "showing",
    "serve": "running",
    "import": "importing",
    "tickets": "registers",
    "processes": "registers",
    "user": "people",
    "token": "people",
    "lint": "linting",
    "sync": "upkeep",
    "reindex": "upkeep",
    "check": "upkeep",
    "scan": "upkeep",
    "report": "reports",
    "audit": "auditing",
    "backup": "backups",
    "restore": "backups",
}


class _Commands(click.Group):
    """Loads the module of a command when it is asked for, and tells errors in one way."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order of an installation's life."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Return one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"sop_server.cli.{_COMMANDS[cmd_name]}")
        command = getattr(module, f"{cmd_name}_command")
        return command if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong is told on standard error, and ends with 1."""
        try:
            return super().invoke(ctx)
        except SopError as error:
            click.echo(f"Error: {error.message}", err=True)
            ctx.exit(_FAILED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sop-server")
def commands() -> None:
    """Keep standard operating procedures under version control, with a clock on every business change.

    The home is the folder in SOP_HOME; the README has a table of all settings.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name, and end the process: 0 done, 1 not done, 2 wrongly called."""
    commands(args=None if arguments is None else list(arguments), prog_name="sop-server")
    sys.exit(0)
