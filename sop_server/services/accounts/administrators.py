"""The administrators of an installation: the first one, and the one in whose name the command line acts."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.domain.doers import OPERATOR
from sop_server.domain.people import clean_email
from sop_server.domain.permissions import Action, Actor, Role
from sop_server.errors import InvalidInputError, NotFoundError
from sop_server.services.accounts.people import add_person
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.stores import Stores
from sop_server.storage import people


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Who administers an installation; `token` signs them in once, None where they were there before."""

    email: str
    token: str | None


def has_administrator(stores: Stores, *, now: datetime) -> bool:
    """Whether anybody active administers all departments."""
    with stores.database.read() as session:
        return bool(people.administrators(session, now))


def ensure_administrator(stores: Stores, *, email: str, now: datetime) -> FirstAdministrator:
    """Have an administrator of this address; one who is there already is left as they are."""
    address = clean_email(email, field="admin")
    with stores.database.read() as session:
        person = people.person_by_email(session, address)
        if person is not None and person.id in people.administrators(session, now):
            return FirstAdministrator(address, None)
    name = " ".join(part.capitalize() for part in address.partition("@")[0].replace("_", ".").split(".") if part)
    add_person(
        stores,
        actor=OPERATOR,
        now=now,
        email=address,
        name=name or address if person is None else person.name,
        roles=[Role.ADMIN.value],
    )
    return FirstAdministrator(address, create_sign_in_link(stores, actor=OPERATOR, now=now, email=address))


def administrator(stores: Stores, *, now: datetime, email: str | None = None) -> Actor:
    """Return the administrator of this address, or the one who has been it for longest.

    Raises NotFoundError where nobody is, InvalidInputError where this person is none.
    """
    with stores.database.read() as session:
        found = sorted(people.administrators(session, now))
        if email is not None:
            person = people.person_by_email(session, clean_email(email))
            if person is None or person.id not in found:
                raise InvalidInputError(
                    f"{email} is not an administrator for all departments. Nothing was changed; name one who is, "
                    f"or run `sop-server user add {email} --role admin` first."
                )
            found = [person.id]
        actor = people.load_actor(session, found[0], now) if found else None
    if actor is None:
        raise NotFoundError(
            "Nobody administers this installation. Run `sop-server init --admin EMAIL` first; nothing was changed."
        )
    actor.require(Action.ADMINISTER, None)
    return actor
