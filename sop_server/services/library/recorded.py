"""What is recorded of SOPs, read once under an edition of the record and kept by the process while that lasts."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sop_server.domain import front_matter, revisions
from sop_server.domain.content import normalise
from sop_server.domain.deviations import DeviationMark, marks
from sop_server.domain.facts import Facts
from sop_server.domain.neighbourhoods import Neighbourhood, neighbourhood, together
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.staleness import staleness
from sop_server.domain.standing import Standing, standing
from sop_server.errors import NotFoundError
from sop_server.rendering.markdown import render
from sop_server.services.library.linking import resolver
from sop_server.services.library.sop_records import SopRecord, SopText
from sop_server.services.library.sop_views import Marks
from sop_server.services.stores import Stores
from sop_server.storage import absences, broken_glass, drafts, leaving, sops
from sop_server.storage.database import Session
from sop_server.storage.editions import edition
from sop_server.storage.erased_names import erased_names
from sop_server.storage.facts import load_facts_of
from sop_server.storage.leaving import StandIn
from sop_server.storage.person_names import names_by_email
from sop_server.storage.tables import Revision


def record_of(stores: Stores, session: Session, sop_id: str, *, now: datetime) -> SopRecord | None:
    """Return what is recorded of a SOP at the present instant; None where it has no revision."""

    def read() -> SopRecord | None:
        rows = tuple(sops.revision_rows(session, sop_id))[::-1]
        if not rows:
            return None
        serving = revisions.in_force(rows, now)
        people = {email for row in rows for email in (row.owner, row.deputy)}
        intents = drafts.intents_by_id(session, [row.intent_id for row in rows])
        return SopRecord(
            rows=rows,
            intents=intents,
            erased=erased_names(session, intents.values()),
            names=names_by_email(session, people),
            absences=absences.by_email(session, people, now),
            links_here=tuple(one for one in sops.links_here(session, sop_id, now) if one.sop_id != sop_id),
            builds_on=tuple(
                [] if serving is None else sops.in_force_rows(session, now, ids=set(serving.links) - {sop_id})
            ),
            broken={row.revision: row for row in broken_glass.rows_of_sop(session, sop_id)},
            stand_in=_stand_in(session, serving, now),
            lead=f"{drafts.mark(session, drafts.MAIN)} {sops.last_came_into_force(session, now)}",
        )

    named = edition(session, now)
    if named is None:
        return read()
    return stores.records.get((named, sop_id), read, worth=lambda found: found is not None)


def _stand_in(session: Session, serving: Revision | None, now: datetime) -> StandIn | None:
    """Return who stands in on a SOP, as long as its front matter still names whoever left."""
    if serving is None:
        return None
    found = leaving.stand_ins(session, [serving.sop_id], at=now).get(serving.sop_id)
    named = {(serving.owner or "").lower(), (serving.deputy or "").lower()}
    return found if found is not None and found.left in named else None


def record_in_sight(
    stores: Stores, session: Session, actor: Actor, sop_id: str, *, now: datetime, at: datetime | None = None
) -> SopRecord:
    """Return what is recorded of a SOP that the actor may read; NotFoundError where there is none, as for no SOP.

    A SOP belongs to one department whichever instant is looked at, unless that lies ahead. It names no draft to whom
    drafts do not exist.
    """
    record = record_of(stores, session, sop_id, now=now)
    department = None if record is None else record.department(max(at or now, now))
    if record is None or not actor.may(Action.READ, department):
        raise NotFoundError(f"There is no SOP {sop_id}. Check the id, or search for what you need.")
    if record.broken and not actor.may(Action.SEE_DRAFTS, department):
        # A copy: the record itself is what this process keeps for everybody.
        return replace(record, tells_drafts=False)
    return record


def _edition_at(session: Session, *, at: datetime, now: datetime) -> str | None:
    """Return under what the answer as of `at` may be kept; None for every instant but the present."""
    return edition(session, now) if at == now else None


def facts_of(stores: Stores, session: Session, sop_ids: Collection[str], *, at: datetime, now: datetime) -> Facts:
    """Return what the staleness of some SOPs follows from, by a fixed number of queries however many they are.

    Of the present, what this process has read before is not read again.
    """
    named = _edition_at(session, at=at, now=now)
    if named is None:
        return load_facts_of(session, at, sop_ids)

    def read(missing: Collection[tuple[str, str]]) -> dict[tuple[str, str], Neighbourhood]:
        loaded = load_facts_of(session, now, [sop_id for _, sop_id in missing])
        return {key: neighbourhood(loaded, key[1]) for key in missing}

    return together(stores.neighbourhoods.several([(named, sop_id) for sop_id in sop_ids], read).values(), now)


def serving_rows(
    stores: Stores, session: Session, sop_ids: Collection[str], *, at: datetime, now: datetime
) -> Mapping[str, Revision]:
    """Return by SOP the revision in force at `at`; those of the present that this process has read are not read again.

    A SOP that has none then is missing.
    """
    named = _edition_at(session, at=at, now=now)
    if named is None:
        return {row.sop_id: row for row in sops.in_force_rows(session, at, ids=sop_ids)}

    def read(missing: Collection[tuple[str, str]]) -> dict[tuple[str, str], Revision]:
        rows = sops.in_force_rows(session, now, ids=[sop_id for _, sop_id in missing])
        return {(named, row.sop_id): row for row in rows}

    found = stores.serving.several([(named, sop_id) for sop_id in sop_ids], read)
    return {row.sop_id: row for row in found.values()}


def readable_ids(
    stores: Stores, session: Session, departments: frozenset[str], *, at: datetime, now: datetime
) -> frozenset[str]:
    """Return the SOPs in force at `at` that belong to one of the departments."""

    def read() -> frozenset[str]:
        return frozenset(sops.in_force_ids(session, at, governed=(departments, now)))

    named = _edition_at(session, at=at, now=now)
    return read() if named is None else stores.readable.get((named, departments), read)


def counts_by_department(
    stores: Stores, session: Session, reach: frozenset[str] | None, *, at: datetime, now: datetime
) -> Mapping[str | None, int]:
    """Count by department the SOPs in force at `at`, all or those that belong to one of `reach`."""

    def read() -> Mapping[str | None, int]:
        governed = None if reach is None else (reach, max(at, now))
        return sops.in_force_departments(session, at, governed=governed)

    named = _edition_at(session, at=at, now=now)
    return read() if named is None else stores.counts.get((named, reach), read)


def marks_of(
    stores: Stores, session: Session, sop_ids: Collection[str], *, at: datetime, now: datetime
) -> Mapping[str, Marks]:
    """Return why each of some SOPs is stale, and what deviates from it; those that have no mark are left out."""
    if not sop_ids:
        return {}
    of = standing(facts_of(stores, session, sop_ids, at=at, now=now))
    stale = {item.sop_id: item.reasons for item in staleness(of, among=sop_ids)}
    marked = stale.keys() | {fact.sop_id for fact in of.facts.deviations}
    return {sop_id: Marks(stale.get(sop_id, ()), deviations_from(of, sop_id)) for sop_id in marked}


def deviations_from(of: Standing, sop_id: str) -> tuple[DeviationMark, ...]:
    """Return what is done otherwise than a SOP says, and what will be."""
    return marks(of.facts.deviations, of.facts.revisions.get(sop_id, ()), sop_id=sop_id, at=of.at)


def text_of(stores: Stores, session: Session, row: Revision, *, lead: str, now: datetime) -> SopText:
    """Return the text of a revision, with its links as they lead at the present; `lead` is that of its record."""

    def made() -> SopText:
        text = normalise(stores.library.read(row.blob_oid))
        parsed = front_matter.parse(text)
        resolve = resolver(session, path=row.path, at=now)
        return SopText(text, parsed.raw, parsed.body, render(parsed.body, resolve=resolve))

    return stores.texts.get((row.content_hash, row.path, lead), made)
