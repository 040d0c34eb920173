"""Reading the library: SOPs in force, their history, and what changed between two revisions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import revisions
from sop_server.domain.deviations import DeviationMark
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.reviews import last_confirmed, review_due_at
from sop_server.domain.staleness import stale_reasons, unreflected
from sop_server.domain.standing import standing
from sop_server.errors import GoneError, InvalidInputError, NotFoundError, NotYetError
from sop_server.rendering.raw_diff import DiffLine, raw_diff
from sop_server.rendering.redline import Redline, redline
from sop_server.services.library.linking import resolver
from sop_server.services.library.recorded import (
    counts_by_department,
    deviations_from,
    facts_of,
    marks_of,
    record_in_sight,
    serving_rows,
    text_of,
)
from sop_server.services.library.sop_records import Changes, SopRecord, SopText
from sop_server.services.library.sop_views import NO_MARKS, Marks, RevisionView, SopPage, SopSummary, summarise
from sop_server.services.paging import Page, check_limit
from sop_server.services.stores import Stores
from sop_server.storage import sops
from sop_server.storage.database import Session
from sop_server.storage.tables import Revision


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions of one SOP, and what changed from the first to the second."""

    sop_id: str
    title: str
    before: RevisionView
    after: RevisionView
    redline: Redline
    lines: tuple[DiffLine, ...]


def list_sops(
    stores: Stores,
    *,
    actor: Actor,
    now: datetime,
    at: datetime | None = None,
    department: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[SopSummary]:
    """Return the SOPs in force that the actor may read, by id; `cursor` is the id after which to go on."""
    check_limit(limit)
    instant = at or now
    with stores.database.read() as session:
        rows = sops.in_force_rows(
            session,
            instant,
            departments=None if department is None else {department},
            governed=_reach(actor, at=instant, now=now),
            after=cursor,
            limit=limit + 1,
        )
        marks = marks_of(stores, session, [row.sop_id for row in rows[:limit]], at=instant, now=now)
    items = tuple(summarise(row, marks.get(row.sop_id, NO_MARKS)) for row in rows[:limit])
    return Page(items, items[-1].sop_id if len(rows) > limit else None)


def count_by_department(
    stores: Stores, *, actor: Actor, now: datetime, at: datetime | None = None
) -> Mapping[str | None, int]:
    """Count the SOPs in force that the actor may read, now or at an instant, by department."""
    with stores.database.read() as session:
        return counts_by_department(stores, session, actor.reach(Action.READ), at=at or now, now=now)


def summaries(stores: Stores, *, actor: Actor, now: datetime, ids: Collection[str]) -> list[SopSummary]:
    """Return those of the SOPs that are in force and that the actor may read, in the order asked for."""
    with stores.database.read() as session:
        rows = serving_rows(stores, session, ids, at=now, now=now)
        marks = marks_of(stores, session, list(rows), at=now, now=now)
    return [
        summarise(rows[sop_id], marks.get(sop_id, NO_MARKS))
        for sop_id in ids
        if sop_id in rows and actor.may(Action.READ, rows[sop_id].department)
    ]


def recently_changed(stores: Stores, *, actor: Actor, now: datetime, limit: int = 8) -> list[SopSummary]:
    """Return the SOPs whose revision in force is the newest, with the sentence that says what changed."""
    with stores.database.read() as session:
        rows = sops.recently_published(session, now, departments=actor.reach(Action.READ), limit=limit)
        marks = marks_of(stores, session, [row.sop_id for row in rows], at=now, now=now)
    return [summarise(row, marks.get(row.sop_id, NO_MARKS)) for row in rows]


def get_sop(stores: Stores, *, actor: Actor, sop_id: str, now: datetime, at: datetime | None = None) -> SopPage:
    """Return the SOP in force at an instant. Raises NotFoundError, and GoneError where it was retired."""
    with stores.database.read() as session:
        record = record_in_sight(stores, session, actor, sop_id, now=now, at=at)
        return page_of(stores, session, record, at=at or now, now=now)


def page_of(stores: Stores, session: Session, record: SopRecord, *, at: datetime, now: datetime) -> SopPage:
    """Return a SOP as it was, or will be, in force at an instant. Raises NotFoundError, NotYetError, GoneError."""
    row = _in_force(record, at, now=now)
    facts = facts_of(stores, session, [row.sop_id], at=at, now=now)
    of = standing(facts)
    everything = facts.revisions[row.sop_id]
    text = text_of(stores, session, row, lead=record.lead, now=now)
    reviewed = last_confirmed(facts.reviews, at).get(row.sop_id)
    to_come = {revision.number for revision in revisions.scheduled(everything, at)}
    return SopPage(
        summary=summarise(row, Marks(stale_reasons(of, row.sop_id), deviations_from(of, row.sop_id))),
        path=row.path,
        markdown=text.markdown,
        html=text.rendered.html,
        outline=text.rendered.outline,
        front_matter=text.front_matter,
        coming=tuple(record.coming(one) for one in record.rows if one.number in to_come),
        next_review_at=review_due_at(of.orders[row.sop_id], of.in_force[row.sop_id], reviewed, at),
        last_review=reviewed,
        at=at,
        latest_revision=everything[-1].number,
        unreflected=unreflected(of, row.sop_id),
        break_glass=record.glass(row.number, at),
    )


def list_revisions(stores: Stores, *, actor: Actor, sop_id: str, now: datetime) -> list[RevisionView]:
    """Return the history of a SOP, the newest first; a retired SOP has one too."""
    with stores.database.read() as session:
        return record_in_sight(stores, session, actor, sop_id, now=now).history(now)


def get_revision(stores: Stores, *, actor: Actor, sop_id: str, number: int, now: datetime) -> RevisionView:
    """Return one revision with its text, whatever its state: superseded and scheduled ones say so."""
    with stores.database.read() as session:
        record = record_in_sight(stores, session, actor, sop_id, now=now)
        row = record.row(number)
        return _with_text(record.view(row, now), text_of(stores, session, row, lead=record.lead, now=now))


def deviations_of(stores: Stores, *, actor: Actor, sop_id: str, now: datetime) -> tuple[DeviationMark, ...]:
    """Return what is done otherwise than a SOP says, and what will be."""
    with stores.database.read() as session:
        record_in_sight(stores, session, actor, sop_id, now=now)
        return deviations_from(standing(facts_of(stores, session, [sop_id], at=now, now=now)), sop_id)


def compare(stores: Stores, *, actor: Actor, sop_id: str, before: int, after: int, now: datetime) -> Comparison:
    """Return what changed between two revisions of a SOP."""
    with stores.database.read() as session:
        record = record_in_sight(stores, session, actor, sop_id, now=now)
        old, new = record.row(before), record.row(after)
        old_text, new_text = (text_of(stores, session, row, lead=record.lead, now=now) for row in (old, new))

        def compared() -> Changes:
            resolve = resolver(session, path=new.path, at=now)
            return Changes(
                redline(old_text.body, new_text.body, resolve=resolve),
                tuple(raw_diff(old_text.markdown, new_text.markdown)),
            )

        # Everybody who reads a new revision asks for the same comparison.
        changes = stores.changes.get((old.content_hash, new.content_hash, new.path, record.lead), compared)
    first, second = _with_text(record.view(old, now), old_text), _with_text(record.view(new, now), new_text)
    return Comparison(sop_id, second.title, first, second, changes.redline, changes.lines)


def _reach(actor: Actor, *, at: datetime, now: datetime) -> tuple[frozenset[str], datetime] | None:
    """Return what an actor may see: a SOP belongs to one department, whichever revision is asked for."""
    reach = actor.reach(Action.READ)
    return None if reach is None else (reach, max(at, now))


def _in_force(record: SopRecord, at: datetime, *, now: datetime) -> Revision:
    row = revisions.latest(record.rows, at)
    coming = revisions.scheduled(record.rows, now) if row is None and at == now else ()
    for first in coming:
        begins = f"{first.effective_from:%d %B %Y, %H:%M}"
        raise NotYetError(
            f"{first.sop_id} “{first.title}” is approved and comes into force on {begins} UTC. "
            f"Until then r{first.number} can be read, but nobody works by it.",
            revision=first.number,
        )
    if row is None:
        raise NotFoundError(
            f"There is no SOP {record.rows[0].sop_id} in force. Check the id, or search for what you need."
        )
    if row.kind == revisions.RevisionKind.RETIRE:
        why = row.change_summary.rstrip(".")
        raise GoneError(
            f"{row.sop_id} “{row.title}” was retired on {row.effective_from:%d %B %Y}: {why}. "
            "Its history is still there; search for the procedure that replaces it."
        )
    return row


def _with_text(view: RevisionView, text: SopText) -> RevisionView:
    return replace(view, markdown=text.markdown, html=text.rendered.html, outline=text.rendered.outline)


def check_instant(at: datetime | None, *, now: datetime) -> datetime | None:
    """Return an instant that a report can be asked for; the future is not known. A minute of skew is forgiven."""
    if at is None or at <= now:
        return at
    if (at - now).total_seconds() <= 60:  # noqa: PLR2004 - a minute
        return now
    raise InvalidInputError(
        f"Nothing is known yet of {at.isoformat()}. Choose an instant in the past.", fields={"at": "is in the future"}
    )
