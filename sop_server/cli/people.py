"""`user` and `token`: who may come in, and what acts for them."""

import sys

import click

from sop_server.cli.opening import address, opened, present
from sop_server.cli.privacy import (
    user_erase_again_command,
    user_erase_command,
    user_forgotten_command,
    user_held_command,
)
from sop_server.domain.doers import OPERATOR
from sop_server.domain.grant_ends import read_end
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Scope
from sop_server.errors import InvalidInputError, NotFoundError
from sop_server.services.accounts.passwords import good_password, set_password
from sop_server.services.accounts.people import add_person, get_person
from sop_server.services.accounts.person_views import PersonView
from sop_server.services.accounts.provider_accounts import undo_link
from sop_server.services.accounts.second_factor import reset
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.accounts.tokens import create_token
from sop_server.services.leaving.departing import leave, preview
from sop_server.services.leaving.planning import Plan, Successors
from sop_server.services.stores import Stores
from sop_server.settings import load_settings


@click.group("user")
def user_command() -> None:
    """Let people in."""


for _about_data in (user_held_command, user_erase_command, user_forgotten_command, user_erase_again_command):
    user_command.add_command(_about_data)


@user_command.command("add")
@click.argument("email")
@click.option("--name", help="Their name; may be left out for somebody who is known.")
@click.option("--role", "roles", metavar="R[@DEPARTMENT]", multiple=True, help="Several are possible.")
@click.option("--team", "teams", metavar="T", multiple=True, help="Several are possible.")
@click.option("--until", metavar="DATE", help="The roles end by themselves after this day, or at this instant.")
@click.option("--reason", metavar="TEXT", help="Why the roles are given; needed with --until.")
@click.option("--password-stdin", is_flag=True, help="Read their password from standard input.")
def user_add_command(
    *,
    email: str,
    name: str | None,
    roles: tuple[str, ...],
    teams: tuple[str, ...],
    until: str | None,
    reason: str | None,
    password_stdin: bool,
) -> None:
    """Add a person, or give one who is known the roles and teams named.

    Roles are reader, editor, approver, manager and admin, for one department or, without “@”, for all.
    """
    password = _password() if password_stdin else None
    settings = load_settings()
    with opened(settings) as stores:
        now = present()
        known = _known(stores, email)
        if name is None and known is None:
            raise InvalidInputError(f"{email} is new here, so give a name with --name. Nothing was changed.")
        called = name or (known.name if known else "")
        if password is not None:
            # Looked at before anything is stored, so that nobody is half added.
            good_password(stores, password, name=called, email=email, by_operator=True)
        added = add_person(
            stores,
            actor=OPERATOR,
            now=now,
            email=email,
            name=called,
            roles=roles,
            teams=teams,
            until=None if until is None else read_end(until, zone=settings.timezone),
            reason=reason,
        )
        person = added.person
        if password is not None:
            set_password(stores, actor=OPERATOR, now=now, email=person.email, password=password)
        click.echo(_outcome(person, known))
        if known is not None and password is not None:
            click.echo("Their password was replaced by the one given, and they were signed out everywhere.")
        if added.created and password is None:
            token = create_sign_in_link(stores, actor=OPERATOR, now=now, email=person.email)
            click.echo(f"This link signs them in once, within a day: {address(settings)}/sign-in/{token}")


@user_command.command("reset-second-factor")
@click.argument("email")
def user_reset_second_factor_command(*, email: str) -> None:
    """Take the second factor of somebody who lost phone and recovery codes away, and sign them out everywhere."""
    with opened() as stores:
        reset(stores, actor=OPERATOR, now=present(), email=email)
    click.echo(f"The second factor of {email} is reset. They come in with their password, and set up a new one.")


@user_command.command("unlink")
@click.argument("email")
def user_unlink_command(*, email: str) -> None:
    """Undo the link of somebody's account with the identity provider, and sign them out everywhere."""
    with opened() as stores:
        name = undo_link(stores, actor=OPERATOR, now=present(), email=email)
    click.echo(f"The link of {name} is undone. The next sign-in there with a verified {email} links anew.")


@user_command.command("leave")
@click.argument("email")
@click.option("--to", metavar="EMAIL", help="Who takes over; needed where there is anything to take over.")
@click.option("--in", "elsewhere", metavar="DEPARTMENT=EMAIL", multiple=True, help="Who takes over in a department.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stays in the audit trail as it is typed.")
@click.option("--preview", "only_preview", is_flag=True, help="Say what would happen, and change nothing.")
def user_leave_command(
    *, email: str, to: str | None, elsewhere: tuple[str, ...], reason: str, only_preview: bool
) -> None:
    """Hand over what a person holds and end their access; running it again does what is still to be done."""
    successors = Successors(to, dict(_elsewhere(one) for one in elsewhere))
    with opened() as stores:
        now = present()
        if only_preview:
            found = preview(stores, actor=OPERATOR, now=now, email=email, successors=successors)
            _tell_plan(found, done=False)
            return
        departed = leave(
            stores, actor=OPERATOR, now=now, email=email, successors=successors, reason=reason, at_once=sys.maxsize
        )
    _tell_plan(departed.plan, done=True)
    if departed.drafted:
        waits = "1 SOP waits" if len(departed.drafted) == 1 else f"{len(departed.drafted)} SOPs wait"
        click.echo(f"{waits} for an approver; until then the successor stands in.")
    for sop_id, why in departed.problems:
        click.echo(f"Problem: {sop_id} could not be drafted: {why}")


@click.group("token")
def token_command() -> None:
    """Let programs in."""


@token_command.command("create")
@click.argument("email")
@click.option("--scope", type=click.Choice([scope.value for scope in Scope]), default=Scope.WRITE.value)
def token_create_command(*, email: str, scope: str) -> None:
    """Make an API token that acts as the person; it alone is printed, and never shown again."""
    with opened() as stores:
        click.echo(create_token(stores, actor=OPERATOR, now=present(), email=email, scope=scope))


def _elsewhere(text: str) -> tuple[str, str]:
    department, _, successor = text.partition("=")
    if not department or not successor:
        raise InvalidInputError(f"“{text}” does not say who takes over where. Write it as “payments=ben@example.com”.")
    return department, successor


def _tell_plan(plan: Plan, *, done: bool) -> None:
    for one in (*plan.sops, *plan.processes):
        click.echo(f"{one.what.id} {one.what.title}: owner {one.owner or 'nobody'}, deputy {one.deputy or 'nobody'}")
    for draft in plan.drafts:
        click.echo(f"{draft.what.id} {draft.what.title}: {draft.to.name} sees to it")
    for gap in plan.gaps:
        click.echo(f"Problem: {gap.department or 'what names no department'} has no {gap.role} any more.")
    if plan.held.stuck:
        click.echo(f"Problem: nobody else may approve {', '.join(plan.held.stuck)}.")
    if plan.without_deputy:
        click.echo(f"Without a deputy: {', '.join(plan.without_deputy)}.")
    ended = "is ended: roles, teams, sessions, links, tokens and second factor" if done else "would be ended"
    click.echo(f"The access of {plan.name} <{plan.email}> {ended}.")


def _password() -> str:
    # The line's end is the terminal's, not the password's.
    return sys.stdin.readline().rstrip("\r\n")


def _known(stores: Stores, email: str) -> PersonView | None:
    try:
        return get_person(stores, actor=OPERATOR, now=present(), email=email)
    except NotFoundError:
        return None


def _outcome(person: PersonView, former: PersonView | None) -> str:
    roles = [one.role + (f" until {format_instant(one.until)}" if one.until else "") for one in person.grants]
    held = f"Roles: {', '.join(roles) or 'none'}. Teams: {', '.join(person.teams) or 'none'}."
    if former is None:
        return f"Added {person.name} <{person.email}>. {held}"
    gained = [*(set(person.roles) - set(former.roles)), *(set(person.teams) - set(former.teams))]
    if person.name != former.name:
        gained.append(f"the name {person.name}")
    if gained:
        return f"{person.name} <{person.email}> was known already and now also has: {', '.join(sorted(gained))}. {held}"
    return f"{person.name} <{person.email}> was known already, with all roles and teams named. {held}"
