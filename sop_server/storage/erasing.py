"""Taking a person out of the database: what says who they are is removed, what they did stays under a pseudonym."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from sop_server.storage import leaving, second_factors
from sop_server.storage.tables import (
    Absence,
    ApiToken,
    Approval,
    AuditEvent,
    BrokenGlass,
    FormerOwner,
    MissedSearch,
    OutboxItem,
    Person,
    PersonState,
    Pin,
    ProcessVersion,
    ProviderLink,
    PublishIntent,
    Revision,
    SignInFailure,
    SignInLink,
    Table,
    WebSession,
)

_MOST = 200
# What people type into these may name somebody; nobody but a person can tell who is meant.
_TYPED = frozenset(
    {
        "answer_reason",
        "case_reference",
        "change_summary",
        "comment",
        "control",
        "decided_because",
        "declined_because",
        "ended_because",
        "instead",
        "note",
        "reason",
        "reference",
        "step",
        "title",
        "triage_reason",
        "what_happened",
        "what_was_done",
        "why",
    }
)

_OF_COMMITS = frozenset({PublishIntent.__tablename__, Revision.__tablename__})


@dataclass(frozen=True, slots=True)
class Mention:
    """Where somebody's name or address stands in what people typed: the table, its row's key, the column."""

    table: str
    key: str
    column: str


def mentions(session: Session, words: Sequence[str]) -> list[Mention]:
    """Return where one of the words stands in texts that people typed, and in the details of audit events.

    What the database keeps of commits is left out: the library has it, too, for good.
    """
    found: list[Mention] = []
    whole = _whole(words)
    for table in Table.metadata.sorted_tables:
        if table.name in _OF_COMMITS:
            continue
        key = table.primary_key.columns.values()[0]
        for column in table.columns:
            if column.name not in _TYPED or not isinstance(column.type, String):
                continue
            named = or_(*(column.icontains(word, autoescape=True) for word in words))
            rows = session.execute(select(key, column).where(named).order_by(key))
            here = [Mention(table.name, str(value), column.name) for value, said in rows if whole.search(said)]
            found += here[:_MOST]
    details = cast(AuditEvent.details, String)
    # JSON is stored with what is not ASCII escaped.
    spelled = {*words, *(json.dumps(word)[1:-1] for word in words)}
    named = or_(*(details.icontains(word, autoescape=True) for word in sorted(spelled)))
    events = session.execute(select(AuditEvent.id, AuditEvent.details).where(named).order_by(AuditEvent.id))
    told = [number for number, said in events if whole.search(json.dumps(said, ensure_ascii=False))]
    return found + [Mention("audit_event", str(number), "details") for number in told[:_MOST]]


def _whole(words: Sequence[str]) -> re.Pattern[str]:
    """Return what finds one of the words where it stands for itself: “Ana” is not in “manager”."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)


def named_by_texts(session: Session, email: str) -> bool:
    """Whether the front matter of any revision names this address, as owner or deputy."""
    named = or_(func.lower(Revision.owner) == email, func.lower(Revision.deputy) == email)
    return session.scalar(select(Revision.id).where(named).limit(1)) is not None


def sops_underway(session: Session, person_id: int) -> set[str]:
    """Return the SOPs that are being handed over from a person and still name them."""
    return {row.sop_id for row in leaving.underway(session, person_id).values()}


def keep_former_owner(session: Session, person: Person) -> None:
    """Keep when an address that revisions name was active: what was stale, and is, must not change by an erasure."""
    states = session.scalars(select(PersonState).where(PersonState.person_id == person.id).order_by(PersonState.id))
    session.add_all(
        FormerOwner(address=person.email, active=row.active, happened_at=row.happened_at, recorded_at=row.recorded_at)
        for row in states
    )
    session.flush()


def erase(session: Session, person: Person, *, address: str, name: str, now: datetime) -> None:
    """Replace a person by a pseudonym wherever they are named, and delete what was theirs alone."""
    email, called = person.email, person.name
    owned: tuple[type[Absence | ApiToken | Pin | ProviderLink | SignInLink | WebSession], ...] = (
        ApiToken,
        Absence,
        Pin,
        ProviderLink,
        SignInLink,
        WebSession,
    )
    for table in owned:
        session.execute(delete(table).where(table.person_id == person.id))
    second_factors.forget(session, person.id)
    # Guesses are counted under the address, or under a kind of secret and the address.
    session.execute(
        delete(SignInFailure).where(
            or_(SignInFailure.email == email, SignInFailure.email.endswith(f" {email}", autoescape=True))
        )
    )
    session.execute(delete(OutboxItem).where(cast(OutboxItem.payload, String).contains(f'"{email}"', autoescape=True)))
    like = or_(*(MissedSearch.words.icontains(word, autoescape=True) for word in (email, called)))
    whole = _whole([email, called])
    missed = [one for one in session.scalars(select(MissedSearch.words).where(like)) if whole.search(one)]
    session.execute(delete(MissedSearch).where(MissedSearch.words.in_(missed)))
    for column in (ProcessVersion.owner, ProcessVersion.deputy):
        session.execute(update(ProcessVersion).where(func.lower(column) == email).values({column.key: address}))
    session.execute(update(BrokenGlass).where(BrokenGlass.person_id == person.id).values(name=name))
    session.execute(update(BrokenGlass).where(BrokenGlass.answered_by == person.id).values(answer_name=name))
    for draft in leaving.hand_over_drafts(session, person.id):
        draft.change_summary = draft.change_summary.replace(called, name)
    for decision in session.scalars(select(Approval).where(Approval.person_id == person.id)):
        if decision.signature is not None:
            decision.signature = {**decision.signature, "name": name}
    for glass in session.scalars(select(BrokenGlass).where(BrokenGlass.answered_by == person.id)):
        if glass.answer_signature is not None:
            glass.answer_signature = {**glass.answer_signature, "name": name}
    person.email, person.name, person.password_hash, person.erased_at = address, name, None, now
    session.flush()
