"""`user` and `token`: who may come in, and what acts for them."""

import sys

import click

from sop_server.cli.opening import address, opened, present
from sop_server.domain.doers import OPERATOR
from sop_server.domain.grant_ends import read_end
from sop_server.domain.instants import format_instant
from sop_server.domain.permissions import Scope
from sop_server.errors import InvalidInputError, NotFoundError
from sop_server.services.accounts.passwords import good_password, set_password
from sop_server.services.accounts.people import PersonView, add_person, get_person
from sop_server.services.accounts.provider_accounts import undo_link
from sop_server.services.accounts.second_factor import reset
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.accounts.tokens import create_token
from sop_server.services.stores import Stores
from sop_server.settings import load_settings


@click.group("user")
def user_command() -> None:
    """Let people in."""


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
