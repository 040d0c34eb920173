"""`audit`: the audit trail for cron, mail and auditors: its head, its proof, and all of it as a file."""

import sys

import click

from sop_server.cli.opening import opened, present
from sop_server.domain.audit_chain import Anchor, anchor_line, read_anchor
from sop_server.domain.doers import OPERATOR
from sop_server.domain.instants import format_instant, parse_instant
from sop_server.errors import InvalidInputError
from sop_server.services.trail.anchoring import head_now
from sop_server.services.trail.events import AuditFilter
from sop_server.services.trail.exporting import export_trail
from sop_server.services.trail.proving import prove_trail


@click.group("audit")
def audit_command() -> None:
    """Prove the audit trail, carry its head off the machine, or take all of it as a file."""


@audit_command.command("head")
def head_command() -> None:
    """Print the newest event's id and hash and the present instant, a line for a mail or a log of another machine."""
    with opened() as stores:
        head = head_now(stores, now=present())
    if head is not None:
        click.echo(anchor_line(head))


@audit_command.command("verify")
@click.argument("lines", nargs=-1, metavar="[LINE]...")
@click.pass_context
def verify_command(ctx: click.Context, *, lines: tuple[str, ...]) -> None:
    """Verify every event against the anchors in the library and LINEs of `audit head`; ends with 1 if one fails."""
    with opened() as stores:
        proof = prove_trail(stores, also=[_anchor(line) for line in lines])
    if proof.broken is not None:
        click.echo(f"Problem: the audit chain does not hold from {proof.broken} on.")
        ctx.exit(1)
    if proof.verified is None:
        click.echo("There is no event yet.")
        return
    anchored = proof.anchored
    until = "not anchored yet" if anchored is None else f"anchored at {format_instant(anchored.at)}"
    click.echo(f"The audit chain is verified up to event {proof.verified.id}, {until}.")


@audit_command.command("export")
@click.option("--since", metavar="T", help="Only events from this instant on.")
@click.option("--until", metavar="T", help="Only events before this instant.")
@click.option("--actor", metavar="EMAIL", help="Only what this person did.")
@click.option("--action", help="Only actions that begin so.")
@click.option("--subject", metavar="ID", help="Only what was done to this.")
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="json", show_default=True)
def export_command(
    *, since: str | None, until: str | None, actor: str | None, action: str | None, subject: str | None, form: str
) -> None:
    """Print the events, the newest first; the export is an event itself."""
    wanted = AuditFilter(
        actor=actor,
        action=action,
        subject=subject,
        since=None if since is None else parse_instant(since, field="since"),
        until=None if until is None else parse_instant(until, field="until"),
    )
    with opened() as stores:
        for part in export_trail(stores, actor=OPERATOR, now=present(), wanted=wanted, form=form):
            sys.stdout.buffer.write(part.encode())


def _anchor(line: str) -> Anchor:
    found = read_anchor(line)
    if found is None:
        raise InvalidInputError(
            f"“{line[:100]}” is not a line of `sop-server audit head`: that is an id, a hash and an instant, in quotes."
        )
    return found
