"""Erasing a person: what says who they are goes, what they did stays under a pseudonym, and the chain stays whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sop_server.domain.doers import Doer
from sop_server.domain.permissions import Action
from sop_server.domain.person_keys import pseudonym
from sop_server.errors import ConflictError, InvalidInputError, NotFoundError
from sop_server.services.leaving.holdings import holdings
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, erasing, people, person_keys
from sop_server.storage.database import Session
from sop_server.storage.erasing import Mention
from sop_server.storage.kept_facts import PROJECTED_AGAIN
from sop_server.storage.tables import Person

ERASED = "person.erased"

_FEW = 5


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing somebody means. `mentions` are texts that people typed and that name them: for a person to look at.

    `in_texts` tells that revisions name the address, which stays in the library; `key` is what the trail calls them.
    """

    email: str
    name: str
    key: str
    mentions: tuple[Mention, ...]
    in_texts: bool


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """What became of keys that were forgotten before a backup was restored: erased now, or (who, why) not yet."""

    erased: tuple[str, ...]
    waiting: tuple[tuple[str, str], ...]


def look(stores: Stores, *, actor: Doer, now: datetime, email: str) -> Erasure:
    """Return what erasing a person would mean, and raise what `erase` would."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        person = _ready(session, email, now)
        return _erasure(session, person, key="")


def erase(stores: Stores, *, actor: Doer, now: datetime, email: str, typed: str) -> Erasure:
    """Erase a person whose access has ended; `typed` is their address once more, so that nobody is erased by a slip.

    Raises NotFoundError, ConflictError (still active, still named by SOPs in force or processes, erased already) and
    InvalidInputError (another address was typed).
    """
    actor.require(Action.ADMINISTER, None)
    with stores.database.write() as session:
        person = _ready(session, email, now)
        if typed.strip().lower() != person.email:
            raise InvalidInputError(
                "Give the address once more, letter by letter (a command takes it as --yes). Nobody was erased.",
                fields={"typed": "is not the address"},
            )
        return _erase(session, person, actor, now)


def forgotten_keys(stores: Stores, *, actor: Doer) -> Sequence[tuple[str, datetime]]:
    """Return every key that was forgotten, with the instant: no personal data, to be kept outside of backups."""
    actor.require(Action.ADMINISTER, None)
    with stores.database.read() as session:
        return person_keys.all_forgotten(session)


def erase_again(stores: Stores, *, actor: Doer, now: datetime, keys: Sequence[str]) -> ErasedAgain:
    """Erase whoever is behind these keys, after a backup from before their erasure was restored."""
    actor.require(Action.ADMINISTER, None)
    erased: list[str] = []
    waiting: list[tuple[str, str]] = []
    for key in dict.fromkeys(keys):
        with stores.database.write() as session:
            person_id = person_keys.person_behind(session, key)
            person = None if person_id is None else people.person_row(session, person_id)
            if person is None:
                continue
            try:
                _erase(session, _ready(session, person.email, now), actor, now)
            except ConflictError as error:
                waiting.append((person.email, error.message))
            else:
                erased.append(key)
    return ErasedAgain(tuple(erased), tuple(waiting))


def _ready(session: Session, email: str, now: datetime) -> Person:
    person = people.person_by_email(session, email.strip().lower())
    if person is None:
        raise NotFoundError(f"Nobody is known as “{email}”. Check the address.")
    if person.erased_at is not None:
        raise ConflictError(f"The data of {person.name} was erased already. Nothing was changed.")
    if people.is_active(session, person.id, now):
        raise ConflictError(
            f"{person.name} is still active. Hand over what they hold and end their access first. Nobody was erased."
        )
    held = holdings(session, person, now)
    named = [one.id for one in (*held.sops, *held.processes)] + sorted(erasing.sops_underway(session, person.id))
    if named:
        more = f" and {len(named) - _FEW} more" if len(named) > _FEW else ""
        raise ConflictError(
            f"{', '.join(named[:_FEW])}{more} still name {person.name}. Hand them over, and have the hand-overs "
            "approved, first. Nobody was erased."
        )
    return person


def _erasure(session: Session, person: Person, *, key: str) -> Erasure:
    return Erasure(
        email=person.email,
        name=person.name,
        key=key,
        mentions=tuple(erasing.mentions(session, [person.email, person.name])),
        in_texts=erasing.named_by_texts(session, person.email),
    )


def _erase(session: Session, person: Person, actor: Doer, now: datetime) -> Erasure:
    key = person_keys.key_of(session, person.id)
    found = _erasure(session, person, key=key)
    audit.record(session, at=now, actor=actor.email, action=ERASED, subject=person.email)
    if found.in_texts:
        erasing.keep_former_owner(session, person)
    erasing.erase(session, person, address=f"{key.lower()}@erased.invalid", name=pseudonym(key), now=now)
    person_keys.forget(session, key, now=now)
    # What processes have read of facts has the address in it: they read them again.
    drafts.set_mark(session, PROJECTED_AGAIN, uuid4().hex)
    return found
