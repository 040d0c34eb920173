"""The drafts that hand SOPs over: one a SOP, by the system on behalf of who started it, submitted at once."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sop_server.domain import front_matter
from sop_server.domain.content import normalise
from sop_server.domain.facts import Significance
from sop_server.domain.front_matter_text import Value
from sop_server.domain.lint import lint
from sop_server.errors import DamagedError, InvalidInputError
from sop_server.services.drafts.draft_commits import SYSTEM, open_in_review
from sop_server.services.stores import Stores
from sop_server.storage import leaving, people, sops
from sop_server.storage.database import Session
from sop_server.storage.tables import HandOver, Person, Revision

_IN_A_PART = 20


def write_drafts(stores: Stores, *, now: datetime, most: int) -> int:
    """Write up to `most` drafts that departures asked for, a few in each transaction; returns how many were seen to.

    What cannot be written says why on its hand-over, and holds up no other. Who was named anew meanwhile needs none.
    """
    done = 0
    while done < most:
        with stores.database.read() as session:
            if not leaving.unwritten(session, limit=1):
                break
        with stores.library.lock(), stores.database.write() as session:
            rows = leaving.unwritten(session, limit=min(_IN_A_PART, most - done))
            for row in rows:
                _write(stores, session, row, now=now)
            session.flush()
        done += len(rows)
    return done


def _write(stores: Stores, session: Session, row: HandOver, *, now: datetime) -> None:
    departure = leaving.departure_row(session, row.departure_id)
    base = sops.in_force_row(session, row.sop_id, now)
    if departure is None or base is None:
        row.ended_at = row.end_recorded_at = now
        return
    known = people.persons_by_id(session, [departure.person_id, row.successor_id])
    left, successor = known[departure.person_id], known[row.successor_id]
    values = _values(base, {left.email, *_gone(session, base, now)}, successor)
    if not values:
        row.ended_at = row.end_recorded_at = now
        return
    try:
        text = _text(stores, session, base, values, now=now)
    except (InvalidInputError, DamagedError) as error:
        row.problem = error.message
        return
    starter = None if departure.started_by is None else people.person_row(session, departure.started_by)
    draft = open_in_review(
        stores,
        session,
        base,
        text,
        path=base.path,
        significance=Significance.MINOR,
        change_summary=f"Hand-over from {left.name} to {successor.name}",
        author=SYSTEM,
        person_id=departure.started_by,
        actor="system",
        told={
            "hand_over_from": left.email,
            "on_behalf_of": "command line" if starter is None else starter.email,
        },
        now=now,
    )
    row.draft_id = draft.id


def _text(stores: Stores, session: Session, base: Revision, values: Mapping[str, Value], *, now: datetime) -> str:
    coming = sops.scheduled_rows(session, base.sop_id, at=now)
    if coming:
        raise InvalidInputError(
            f"r{coming[0].number} is approved already and comes into force later. Name the owner in a draft on that."
        )
    text = normalise(front_matter.with_values(normalise(stores.library.read(base.blob_oid)), values))
    problems = [one for one in lint(text, path=base.sop_id) if one.severity is front_matter.Severity.ERROR]
    if problems:
        raise InvalidInputError(f"Its text cannot be submitted: line {problems[0].line}: {problems[0].message}.")
    return text


def _gone(session: Session, base: Revision, now: datetime) -> set[str]:
    """Return whom the front matter names and who left, too: one draft replaces both."""
    named = [people.person_by_email(session, one.lower()) for one in (base.owner, base.deputy) if one]
    return {one.email for one in named if one is not None and not people.is_active(session, one.id, now)}


def _values(base: Revision, gone: Collection[str], successor: Person) -> dict[str, Value]:
    """Return what the front matter has to say; nothing where it names nobody who left."""
    owner, deputy = (base.owner or "").lower(), (base.deputy or "").lower()
    values: dict[str, Value] = {}
    if owner in gone:
        values["owner"] = owner = successor.email
    if deputy in gone or (values and deputy == successor.email):
        # Nobody is their own deputy: the place is empty then, and says so.
        values["deputy"] = "" if owner == successor.email else successor.email
    return values
