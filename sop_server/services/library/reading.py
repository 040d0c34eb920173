"""Reading the library: SOPs in force, their history, and what changed between two revisions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sop_server.domain import front_matter, revisions
from sop_server.domain.content import normalise
from sop_server.domain.facts import Facts
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.reviews import last_confirmed, review_due_at
from sop_server.domain.staleness import StaleReason, stale_reasons, staleness, unreflected
from sop_server.domain.standing import standing
from sop_server.errors import GoneError, InvalidInputError, NotFoundError
from sop_server.rendering.markdown import Rendered, render
from sop_server.rendering.raw_diff import DiffLine, raw_diff
from sop_server.rendering.redline import Redline, redline
from sop_server.services.library.linking import resolver
from sop_server.services.library.sop_views import RevisionView, SopPage, SopSummary, revision_view, summarise
from sop_server.services.paging import Page, check_limit
from sop_server.services.stores import Stores
from sop_server.storage import drafts, sops
from sop_server.storage.database import Session
from sop_server.storage.facts import load_facts_of
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
        stale = stale_of(session, [row.sop_id for row in rows[:limit]], at=instant, actor=actor)
    items = tuple(summarise(row, stale.get(row.sop_id, ())) for row in rows[:limit])
    return Page(items, items[-1].sop_id if len(rows) > limit else None)


def departments_to_read(stores: Stores, *, actor: Actor, now: datetime) -> frozenset[str]:
    """Return the departments in which the actor may read a SOP in force."""
    with stores.database.read() as session:
        return frozenset(sops.departments_in_force(session, now, actor.reach(Action.READ)))


def count_by_department(stores: Stores, *, actor: Actor, now: datetime) -> Mapping[str | None, int]:
    """Count the SOPs in force that the actor may read, by department."""
    with stores.database.read() as session:
        return sops.in_force_departments(session, now, actor.reach(Action.READ))


def summaries(stores: Stores, *, actor: Actor, now: datetime, ids: Collection[str]) -> list[SopSummary]:
    """Return those of the SOPs that are in force and that the actor may read, in the order asked for."""
    with stores.database.read() as session:
        rows = {row.sop_id: row for row in sops.in_force_rows(session, now, ids=ids)}
        stale = stale_of(session, list(rows), at=now, actor=actor)
    return [
        summarise(rows[sop_id], stale.get(sop_id, ()))
        for sop_id in ids
        if sop_id in rows and actor.may(Action.READ, rows[sop_id].department)
    ]


def recently_changed(stores: Stores, *, actor: Actor, now: datetime, limit: int = 8) -> list[SopSummary]:
    """Return the SOPs whose revision in force is the newest, with the sentence that says what changed."""
    with stores.database.read() as session:
        rows = sops.recently_published(session, now, departments=actor.reach(Action.READ), limit=limit)
        stale = stale_of(session, [row.sop_id for row in rows], at=now, actor=actor)
    return [summarise(row, stale.get(row.sop_id, ())) for row in rows]


def get_sop(stores: Stores, *, actor: Actor, sop_id: str, now: datetime, at: datetime | None = None) -> SopPage:
    """Return the SOP in force at an instant. Raises NotFoundError, or GoneError where it was retired."""
    instant = at or now
    with stores.database.read() as session:
        row = _in_sight(session, actor, sop_id, at=instant, now=now)
        facts = _as_seen(load_facts_of(session, instant, [sop_id]), actor)
        of = standing(facts)
        everything = facts.revisions[sop_id]
        serving = of.in_force[sop_id]
        text = normalise(stores.library.read(row.blob_oid))
        rendered = render_text(stores, session, row, text)
        to_come = {revision.number for revision in revisions.scheduled(everything, instant)}
        coming = [
            revision_view(one, drafts.intent(session, one.intent_id), revisions.RevisionState.SCHEDULED)
            for one in (sops.scheduled_rows(session, sop_id, at=instant) if to_come else ())
            if one.number in to_come
        ]
    return SopPage(
        summary=summarise(row, stale_reasons(of, sop_id)),
        path=row.path,
        markdown=text,
        html=rendered.html,
        outline=rendered.outline,
        front_matter=front_matter.parse(text).raw,
        coming=tuple(coming),
        next_review_at=review_due_at(everything, serving, last_confirmed(facts.reviews, instant).get(sop_id), instant),
        at=instant,
        latest_revision=everything[-1].number,
        unreflected=unreflected(of, sop_id),
    )


def list_revisions(stores: Stores, *, actor: Actor, sop_id: str, now: datetime) -> list[RevisionView]:
    """Return the history of a SOP, the newest first; a retired SOP has one too."""
    with stores.database.read() as session:
        rows = _history(session, actor, sop_id, now=now)
        intents = drafts.intents_by_id(session, [row.intent_id for row in rows])
    ascending = rows[::-1]
    return [revision_view(row, intents.get(row.intent_id), revisions.state(ascending, row.number, now)) for row in rows]


def get_revision(stores: Stores, *, actor: Actor, sop_id: str, number: int, now: datetime) -> RevisionView:
    """Return one revision with its text, whatever its state: superseded and scheduled ones say so."""
    with stores.database.read() as session:
        rows = _history(session, actor, sop_id, now=now)
        return _with_text(stores, session, rows, _numbered(rows, number), now=now)


def compare(stores: Stores, *, actor: Actor, sop_id: str, before: int, after: int, now: datetime) -> Comparison:
    """Return what changed between two revisions of a SOP."""
    with stores.database.read() as session:
        rows = _history(session, actor, sop_id, now=now)
        first = _with_text(stores, session, rows, _numbered(rows, before), now=now)
        second = _with_text(stores, session, rows, _numbered(rows, after), now=now)
        resolve = resolver(session, path=_numbered(rows, after).path, at=now)
        changes = redline(
            front_matter.parse(first.markdown).body, front_matter.parse(second.markdown).body, resolve=resolve
        )
    return Comparison(sop_id, second.title, first, second, changes, tuple(raw_diff(first.markdown, second.markdown)))


def stale_of(
    session: Session, sop_ids: Sequence[str], *, at: datetime, actor: Actor | None = None
) -> Mapping[str, tuple[StaleReason, ...]]:
    """Return why each of some SOPs is stale, as far as `actor` may know, by a fixed number of queries."""
    if not sop_ids:
        return {}
    items = staleness(standing(_as_seen(load_facts_of(session, at, sop_ids), actor)), among=sop_ids)
    return {item.sop_id: item.reasons for item in items}


def _as_seen(facts: Facts, actor: Actor | None) -> Facts:
    """Return the facts without the titles of linked SOPs that the actor may not read; their ids stand in the text."""
    if actor is None or actor.reach(Action.READ) is None:
        return facts
    hidden = {
        sop_id: tuple(revision._replace(title=sop_id) for revision in several)
        for sop_id, several in facts.revisions.items()
        if not actor.may(Action.READ, several[-1].department)
    }
    return replace(facts, revisions={**facts.revisions, **hidden}) if hidden else facts


def render_text(stores: Stores, session: Session, row: Revision, text: str) -> Rendered:
    """Return the text rendered as the SOP's page shows it."""
    state = drafts.mark(session, drafts.MAIN) or ""

    def rendered() -> Rendered:
        return render(front_matter.parse(text).body, resolve=resolver(session, path=row.path, at=stores.clock()))

    return stores.renderings.get((row.content_hash, row.path, state), rendered)


def _reach(actor: Actor, *, at: datetime, now: datetime) -> tuple[frozenset[str], datetime] | None:
    """Return what an actor may see: a SOP belongs to one department, whichever revision is asked for."""
    reach = actor.reach(Action.READ)
    return None if reach is None else (reach, max(at, now))


def _in_sight(session: Session, actor: Actor, sop_id: str, *, at: datetime, now: datetime) -> Revision:
    row = sops.latest_row(session, sop_id, at)
    if row is None or not actor.may(
        Action.READ, row.department if at >= now else sops.department_of(session, sop_id, now)
    ):
        raise NotFoundError(f"There is no SOP {sop_id} in force. Check the id, or search for what you need.")
    if row.kind == revisions.RevisionKind.RETIRE:
        raise GoneError(
            f"{sop_id} “{row.title}” was retired on {row.effective_from:%d %B %Y}: {row.change_summary.rstrip('.')}. "
            "Its history is still there; search for the procedure that replaces it."
        )
    return row


def _history(session: Session, actor: Actor, sop_id: str, *, now: datetime) -> Sequence[Revision]:
    rows = sops.revision_rows(session, sop_id)
    if not rows or not actor.may(Action.READ, sops.department_of(session, sop_id, now)):
        raise NotFoundError(f"There is no SOP {sop_id}. Check the id, or search for what you need.")
    return rows


def _numbered(rows: Sequence[Revision], number: int) -> Revision:
    for row in rows:
        if row.number == number:
            return row
    raise NotFoundError(f"{rows[0].sop_id} has no revision r{number}; the newest is r{rows[0].number}.")


def _with_text(
    stores: Stores, session: Session, rows: Sequence[Revision], row: Revision, *, now: datetime
) -> RevisionView:
    text = normalise(stores.library.read(row.blob_oid))
    rendered = render_text(stores, session, row, text)
    state = revisions.state(rows[::-1], row.number, now)
    shown = revision_view(row, drafts.intent(session, row.intent_id), state)
    return replace(shown, markdown=text, html=rendered.html, outline=rendered.outline)


def check_instant(at: datetime | None, *, now: datetime) -> datetime | None:
    """Return an instant that a report can be asked for; the future is not known. A minute of skew is forgiven."""
    if at is None or at <= now:
        return at
    if (at - now).total_seconds() <= 60:  # noqa: PLR2004 - a minute
        return now
    raise InvalidInputError(
        f"Nothing is known yet of {at.isoformat()}. Choose an instant in the past.", fields={"at": "is in the future"}
    )
