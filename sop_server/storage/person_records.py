"""Every row that is about one person, whichever table it stands in: a table that comes later is found by itself."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, or_, select
from sqlalchemy.orm import Session

from sop_server.storage.tables import Person, ProcessVersion, Revision, SignInFailure, Table
from sop_server.storage.tables.base import UtcDateTime

_SECRET_ENDS = ("token_hash", "code_hash", "password_hash")
_SECRET_BEGINS = ("sealed",)
# What somebody decided about others names others: of those rows only that, and when, is theirs.
_ABOUT_OTHERS = "_by"
_OWN = frozenset({"proposed_by"})


def person_itself(person: Person) -> dict[str, Any]:
    """Return the row of a person, without their password."""
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "has_password": person.password_hash is not None,
        "created_at": person.created_at,
        "erased_at": person.erased_at,
    }


def records_of(session: Session, person_id: int, email: str) -> Mapping[str, list[dict[str, Any]]]:
    """Return by table every row that refers to a person, without secrets; guesses at their account, too."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in Table.metadata.sorted_tables:
        for column in table.columns:
            if not any(key.column is Person.__table__.c.id for key in column.foreign_keys):
                continue
            shown = _shown(list(table.columns), column)
            rows = session.execute(select(*shown).where(column == person_id).order_by(*table.primary_key.columns))
            found.setdefault(table.name, []).extend(dict(row) for row in rows.mappings())
    guesses = session.scalars(select(SignInFailure).where(SignInFailure.email == email).order_by(SignInFailure.id))
    found["sign_in_failure"] = [{"at": row.at, "address": row.address} for row in guesses]
    return {name: rows for name, rows in found.items() if rows}


def sops_naming(session: Session, email: str) -> list[tuple[str, str | None]]:
    """Return what names an address in a text, with its department: revisions as `SOP-0001 r2`, and processes."""
    named = or_(Revision.owner == email, Revision.deputy == email, Revision.author_email == email)
    revisions = session.execute(
        select(Revision.sop_id, Revision.number, Revision.department)
        .where(named)
        .order_by(Revision.sop_id, Revision.number)
    )
    processes = session.execute(
        select(ProcessVersion.process_id, ProcessVersion.department)
        .where(or_(ProcessVersion.owner == email, ProcessVersion.deputy == email))
        .distinct()
        .order_by(ProcessVersion.process_id)
    )
    found = [(f"{sop_id} r{number}", department) for sop_id, number, department in revisions]
    return [*found, *((process_id, department) for process_id, department in processes)]


def _shown(columns: list[Column[Any]], because: Column[Any]) -> list[Column[Any]]:
    if because.name.endswith(_ABOUT_OTHERS) and because.name not in _OWN:
        instants = [one for one in columns if isinstance(one.type, UtcDateTime)]
        keys = [one for one in columns if one.primary_key and not _is_secret(one)]
        return list(dict.fromkeys([*keys, because, *instants]))
    return [one for one in columns if not _is_secret(one)]


def _is_secret(column: Column[Any]) -> bool:
    return column.name.endswith(_SECRET_ENDS) or column.name.startswith(_SECRET_BEGINS)
