"""The edition of the record: one mark that moves with everything that readers are shown.

What was read under an edition stays right until another one is told, so a process may keep it and ask for the mark
alone. A writing transaction moves the mark as its last statement, so nobody sees new facts under an old mark.
"""

import re
import secrets
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from sop_server.storage.kept_facts import LONG_AGO, Size, kept_facts
from sop_server.storage.tables import Mark, Revision

MARK: Final = "edition"
READS_ALONE: Final = "sop_reads_alone"
"""Stands in the `info` of a session that sees one state of the record and changes nothing."""

_ASKED = "sop_edition"
_MOVED = "sop_edition_moved"
_WRITES = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE)
# Nothing that is kept under an edition is made of these: they change with every click, or belong to one person.
# A table that is not named here moves the edition.
_PASSING: Final = frozenset(
    {
        "acknowledgement",
        "api_token",
        "approval",
        "audit_event",
        "counter",
        "draft",
        "draft_commit",
        "draft_ticket",
        "finding",
        "grant_end",
        "imported_file",
        "mark",
        "missed_search",
        "outbox_item",
        "person_key",
        "pin",
        "provided_membership",
        "provided_role",
        "provider_link",
        "publish_intent",
        "quarantine",
        "recertification",
        "recertification_asked",
        "recertification_item",
        "recovery_code",
        "sign_in_failure",
        "sign_in_link",
        "totp_key",
        "web_session",
    }
)
_SAID = select(Mark.value).where(Mark.name == MARK)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the mark says: a token that no other edition has, and the latest instant at which one was written."""

    token: str
    written_at: datetime

    @property
    def text(self) -> str:
        """The mark's value."""
        return f"{self.token} {self.written_at.isoformat()}"


_FIRST = _Said("first", LONG_AGO)


def notice(connection: Connection, statement: str) -> None:
    """Remember that the connection's transaction changes what readers are shown, if `statement` does."""
    written = _WRITES.match(statement)
    if written is not None and written.group(1).lower() not in _PASSING:
        connection.info[_MOVED] = True


def begin(session: Session) -> None:
    """Forget what an earlier transaction of the same connection changed, and did not commit."""
    session.connection().info.pop(_MOVED, None)


def advance(session: Session, *, now: datetime) -> None:
    """Move the mark where the transaction changed what readers are shown; its last statement before the commit."""
    session.flush()
    if not session.connection().info.pop(_MOVED, False):
        return
    row = session.get(Mark, MARK)
    if row is None:
        session.add(Mark(name=MARK, value=_Said(secrets.token_hex(8), now).text))
    else:
        # Clocks of two machines differ: the mark never goes back.
        row.value = _Said(secrets.token_hex(8), max(now, _read(row.value).written_at)).text
    session.flush()


def edition(session: Session, now: datetime) -> str | None:
    """Return what names the facts as they are at the present instant: equal names, equal facts.

    A revision that comes into force by itself makes another edition. None where nothing may be kept: in a transaction
    that may have changed something itself, and where something was recorded after `now`.
    """
    if READS_ALONE not in session.info:
        return None
    asked: dict[datetime, str | None] = session.info.setdefault(_ASKED, {})
    if now not in asked:
        asked[now] = _edition(session, now)
    return asked[now]


def _edition(session: Session, now: datetime) -> str | None:
    value = session.scalar(_SAID)
    said = _FIRST if value is None else _read(value)
    if now < said.written_at:
        return None
    coming = kept_facts(session).get(
        MARK,
        Size(said.token, 0, 0),
        read=lambda _after: session.scalars(
            select(Revision.effective_from)
            .where(Revision.effective_from > said.written_at)
            .order_by(Revision.effective_from)
        ).all(),
        shape=tuple,
    )
    return f"{said.token}.{bisect_right(coming, now)}"


def _read(value: str) -> _Said:
    token, written_at = value.split(" ")
    return _Said(token, datetime.fromisoformat(written_at))
