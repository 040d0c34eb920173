"""The second factors of people: the key of their phone, and their recovery codes."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from sop_server.storage.tables import RecoveryCode, TotpKey


def key_row(session: Session, person_id: int) -> TotpKey | None:
    """Return the key of a person, confirmed or not."""
    return session.get(TotpKey, person_id)


def is_on(session: Session, person_id: int) -> bool:
    """Whether a person has confirmed a key."""
    row = key_row(session, person_id)
    return row is not None and row.confirmed_at is not None


def put_key(session: Session, person_id: int, *, sealed_key: str, now: datetime) -> None:
    """Store a key that waits to be confirmed, in place of one that waited before."""
    session.execute(delete(TotpKey).where(TotpKey.person_id == person_id))
    session.add(TotpKey(person_id=person_id, sealed_key=sealed_key, created_at=now, confirmed_at=None, last_step=0))
    session.flush()


def take_step(session: Session, person_id: int, step: int) -> bool:
    """Note that the code of a time step was taken; False where it, or a later one, was taken before."""
    query = (
        update(TotpKey)
        .where(TotpKey.person_id == person_id, TotpKey.last_step < step)
        .values(last_step=step)
        .returning(TotpKey.person_id)
    )
    return session.scalar(query) is not None


def put_codes(session: Session, person_id: int, code_hashes: Iterable[str]) -> None:
    """Store recovery codes in place of all that the person had."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    session.add_all(RecoveryCode(code_hash=one, person_id=person_id, used_at=None) for one in code_hashes)
    session.flush()


def use_code(session: Session, person_id: int, code_hash: str, *, now: datetime) -> bool:
    """Use a recovery code up; False where it is not the person's, or was used. Of two at once one gets it."""
    query = (
        update(RecoveryCode)
        .where(
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.person_id == person_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.person_id)
    )
    return session.scalar(query) is not None


def codes_left(session: Session, person_id: int) -> int:
    """Return how many recovery codes of a person are still good."""
    query = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return session.scalar(query) or 0


def forget(session: Session, person_id: int) -> None:
    """Delete the key and the recovery codes of a person."""
    session.execute(delete(TotpKey).where(TotpKey.person_id == person_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
