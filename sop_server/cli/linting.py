"""`lint`: the rules for SOP files, without a home."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from sop_server.cli.terminal import harmless
from sop_server.domain.content import MAX_BYTES
from sop_server.domain.front_matter import Problem, Severity
from sop_server.domain.lint import lint, lint_tree

_SUFFIX = ".md"


@click.command("lint")
@click.argument("paths", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.pass_context
def lint_command(ctx: click.Context, *, paths: tuple[Path, ...]) -> None:
    """Check SOP files and folders of them; prints “file:line: problem”, and ends with 1 where there are errors.

    In folders those whose names begin with “.” or “_” are passed over. Warnings alone end with 0.
    """
    found: list[Problem] = []
    for path in paths:
        # Links between files can be told in a folder alone: what a single file links to was not named.
        found += lint_tree(_files(path)) if path.is_dir() else lint(_read(path), path=str(path))
    for problem in found:
        click.echo(harmless(str(problem)))
    if any(problem.severity is Severity.ERROR for problem in found):
        ctx.exit(1)


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            path = Path(folder) / name
            if name.lower().endswith(_SUFFIX) and path.is_file():
                yield _shown(path), _read(path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # Enough to know that a file is too large, whatever it holds.
            return file.read(2 * MAX_BYTES + 1)
    except OSError as exc:
        raise click.FileError(str(path), hint=exc.strerror or "it cannot be read") from exc


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
