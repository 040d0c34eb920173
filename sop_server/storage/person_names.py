"""The names behind e-mail addresses, as front matter writes them."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from sop_server.storage.tables import Person

_CHUNK = 500


def names_by_email(session: Session, emails: Iterable[str | None]) -> Mapping[str, str]:
    """Return the name of each person with an account, by their address as it was asked for."""
    asked = {email for email in emails if email}
    wanted = sorted({email.lower() for email in asked})
    known: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        known.update(session.execute(select(Person.email, Person.name).where(Person.email.in_(some))).all())
    return {email: known[email.lower()] for email in asked if email.lower() in known}
