"""The keys by which the audit chain names people, and who is behind them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from sop_server.domain.person_keys import new_key
from sop_server.storage.tables import Person, PersonKey

_CHUNK = 500
# Built once: every event asks it, and putting it together costs as much as the answer.
_KEYS = (
    select(Person.email, Person.id, PersonKey.key)
    .outerjoin(PersonKey, PersonKey.person_id == Person.id)
    .where(Person.email.in_(bindparam("emails", expanding=True)))
)


def keys_by_email(session: Session, emails: Collection[str], *, make: bool) -> Mapping[str, str]:
    """Return the key of each person, by their address in lower case; `make` gives one to who has none yet."""
    found: dict[str, str] = {}
    wanted = sorted(set(emails))
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(_KEYS, {"emails": wanted[start : start + _CHUNK]}).all()
        for email, person_id, key in rows:
            if key is not None:
                found[email] = key
            elif make:
                found[email] = _give(session, person_id)
    return found


def emails_by_key(session: Session, keys: Iterable[str]) -> Mapping[str, str | None]:
    """Return the present address behind each key that was ever given; None where it is forgotten."""
    found: dict[str, str | None] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(PersonKey.key, Person.email)
            .outerjoin(Person, Person.id == PersonKey.person_id)
            .where(PersonKey.key.in_(wanted[start : start + _CHUNK]))
        ).all()
        found.update((key, email) for key, email in rows)
    return found


def key_of(session: Session, person_id: int) -> str:
    """Return the key of a person, who gets one where they have none yet."""
    found = session.scalar(select(PersonKey.key).where(PersonKey.person_id == person_id))
    return _give(session, person_id) if found is None else found


def person_behind(session: Session, key: str) -> int | None:
    """Return whose key it is; None where it leads to nobody."""
    return session.scalar(select(PersonKey.person_id).where(PersonKey.key == key))


def forget(session: Session, key: str, *, now: datetime) -> None:
    """Make a key lead to nobody, for ever."""
    session.execute(update(PersonKey).where(PersonKey.key == key).values(person_id=None, forgotten_at=now))


def all_forgotten(session: Session) -> Sequence[tuple[str, datetime]]:
    """Return every key that was forgotten, with the instant, in that order."""
    rows = session.execute(
        select(PersonKey.key, PersonKey.forgotten_at)
        .where(PersonKey.forgotten_at.is_not(None))
        .order_by(PersonKey.forgotten_at, PersonKey.key)
    ).all()
    return [(key, at) for key, at in rows if at is not None]


def _give(session: Session, person_id: int) -> str:
    key = new_key()
    session.add(PersonKey(key=key, person_id=person_id, forgotten_at=None))
    session.flush()
    return key
