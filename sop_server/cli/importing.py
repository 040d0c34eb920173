"""`import`: a folder or a git repository of Markdown becomes SOPs."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from sop_server.cli.opening import opened, present
from sop_server.cli.progress import progress
from sop_server.cli.tables import print_table
from sop_server.cli.terminal import harmless
from sop_server.services.accounts.administrators import administrator
from sop_server.services.imports.import_mapping import ImportMapping, load_mapping
from sop_server.services.imports.import_report import ImportProgress, ImportReport, Remark
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.publication.catching_up import catch_up

_MOST_SHOWN = 40


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--department", metavar="SLUG", help="The department of files that name none.")
@click.option("--owner", metavar="EMAIL", help="The owner of files that name none.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Which key of ours is which of theirs.")
@click.option("--history", is_flag=True, help="Each past commit becomes a revision; into an empty library only.")
@click.option("--as", "email", metavar="EMAIL", help="The administrator who approves; the first one where absent.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", help="How to report.")
def import_command(
    *,
    path: Path,
    department: str | None,
    owner: str | None,
    map_file: Path | None,
    history: bool,
    email: str | None,
    form: str,
) -> None:
    """Import every Markdown file of PATH, a folder or a git repository.

    A file is known by its path in the source: a second run changes nothing where nothing changed, and makes drafts
    where something did.
    """
    mapping = ImportMapping() if map_file is None else load_mapping(map_file)
    with opened() as stores, progress() as advance:

        def watch(step: ImportProgress) -> None:
            advance(step.phase, step.done, step.total)

        now = present()
        report = import_tree(
            stores,
            actor=administrator(stores, now=now, email=email),
            request=ImportRequest(root=path, department=department, owner=owner, mapping=mapping, history=history),
            now=now,
            watch=watch,
        )
        catch_up(stores, now=present(), watch=advance)
    if form == "json":
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        _print(report)


def _print(report: ImportReport) -> None:
    revisions = sum(sop.revisions for sop in report.imported)
    click.echo(f"Imported {len(report.imported)} SOPs with {revisions} revisions from {report.source}.")
    click.echo(f"Unchanged since the last import: {report.unchanged}. Drafts of changes: {len(report.drafted)}.")
    if report.drafted:
        rows = [(draft.draft_id, draft.sop_id, draft.path) for draft in report.drafted]
        print_table(("Draft", "SOP", "Source"), rows)
    _print_remarks("Skipped", report.skipped)
    _print_remarks("To be looked at", report.warnings)


def _print_remarks(heading: str, remarks: tuple[Remark, ...]) -> None:
    if not remarks:
        return
    click.echo(f"\n{heading}: {len(remarks)}")
    for remark in remarks[:_MOST_SHOWN]:
        click.echo(f"  {harmless(str(remark))}")
    if len(remarks) > _MOST_SHOWN:
        click.echo(f"  … and {len(remarks) - _MOST_SHOWN} more; --format json has them all")
