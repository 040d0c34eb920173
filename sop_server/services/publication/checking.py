"""Holding library, database, index and audit chain against each other, and mending what can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sop_server.domain import identifiers
from sop_server.domain.break_glass import BrokenGlassFact
from sop_server.domain.content import content_hash
from sop_server.domain.drafts import OPEN
from sop_server.errors import DamagedError
from sop_server.services.deviations import proving
from sop_server.services.library import indexing
from sop_server.services.publication import approved_files, lost_revisions, projecting, reconciling
from sop_server.services.publication.projecting import Published
from sop_server.services.stores import Stores
from sop_server.services.trail import guarding
from sop_server.services.trail.proving import prove_trail
from sop_server.storage import drafts, facts, outbox, schema, sops
from sop_server.storage.database import Session
from sop_server.storage.kept_facts import PROJECTED_AGAIN
from sop_server.storage.tables import PublishIntent, Revision

_LARGE = 3000


@dataclass(frozen=True, slots=True)
class CheckReport:
    """`problems` are what differs; `notes` are what an administrator should know; `mended` is what was repaired."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    mended: tuple[str, ...]


def check(stores: Stores, *, now: datetime, repair: bool = False) -> CheckReport:
    """Compare the stores; with `repair`, first mend what follows from the record."""
    if not schema.is_current(stores.database):
        told = "The database has another shape than this version needs; run `sop-server init` to move it on."
        return CheckReport((*stores.library.verify(), told), (), ())
    mended = repair_stores(stores, now=now) if repair else []
    problems = [*_left_locks(stores), *_lost_drafts(stores), *stores.library.verify()]
    try:
        stores.library.head()
    except DamagedError as error:
        return CheckReport((*problems, error.message), (), tuple(mended))
    with stores.database.read() as session:
        differing, history = _library_against_projection(stores, session)
        problems += differing
        problems += _projection_against_intents(stores, session)
        problems += proving.altered(session)
        notes = [*history, *_notes(session, now=now)]
    problems += guarding.unguarded(stores)
    broken = prove_trail(stores).broken
    if broken is not None:
        problems.append(f"The audit chain does not hold from {broken} on: something was changed behind it.")
    lag = indexing.behind(stores)
    if lag is not None:
        problems.append(lag)
    return CheckReport(tuple(problems), tuple(notes), tuple(mended))


def synchronise(stores: Stores, *, now: datetime) -> list[str]:
    """Bring the projection up to `main`: what is missing is recorded, what is not approved is set aside."""
    return reconciling.reconcile(stores, now=now, thorough=True) + _project_missing(stores)


def repair_stores(stores: Stores, *, now: datetime) -> list[str]:
    """Mend projection, files of `main` and index from the record; returns a sentence for each thing done."""
    with stores.library.lock():
        # Nobody publishes between: a text that `main` has and the record does not would be taken for a stranger's.
        mended = synchronise(stores, now=now)
        mended += approved_files.put_back(stores, now=now)
    mended += guarding.guard_again(stores, now=now)
    indexing.index_due(stores, now=max(now, stores.clock()))
    if indexing.behind(stores) is not None:
        count = indexing.rebuild_index(stores)
        mended.append(f"The search index was built anew with {count} SOPs.")
    return mended


def _lost_drafts(stores: Stores) -> list[str]:
    with stores.database.read() as session:
        waiting = [row for row in drafts.draft_rows(session, states=OPEN) if not stores.library.has(row.blob_oid)]
    return [
        f"The text of {identifiers.draft_id(row.id)} on {row.sop_id} is lost from the library. Ask its author to write "
        "it again on the draft's page, or to withdraw it."
        for row in waiting
    ]


def _left_locks(stores: Stores) -> list[str]:
    if not stores.library.locks():
        return []
    # A git that is at work keeps its lock files until the library lock is free; what is there then, nobody needs.
    with stores.library.lock():
        left = stores.library.locks()
    return [
        f"A git that was killed left the lock file {name} in the library. Run `sop-server check --repair`, which "
        "removes it; if it stays, remove it as the user who may."
        for name in left
    ]


def _project_missing(stores: Stores) -> list[str]:
    mended: dict[str, list[str]] = {}
    with stores.library.lock(), stores.database.write() as session:
        held = {(row.sop_id, row.number): row for row in sops.all_rows(session)}
        kept = sops.all_references(session)
        for intent in drafts.done_intents(session):
            row = held.pop((intent.sop_id, intent.revision), None)
            published = _published(stores, intent)
            if published is None:
                continue
            wanted = projecting.derive(intent, published, recorded_at=_recorded_at(intent))
            if row is not None and not _differs(row, kept, wanted):
                continue
            if row is not None:
                sops.remove_revision(session, row)
            sops.add_revision(session, wanted.row, tickets=wanted.tickets, targets=wanted.targets)
            mended.setdefault(intent.sop_id, []).append(
                f"The projection of {intent.sop_id} r{intent.revision} was made again."
            )
        for (sop_id, number), row in held.items():
            sops.remove_revision(session, row)
            mended.setdefault(sop_id, []).append(
                f"The projection had {sop_id} r{number}, which nobody approved; it was taken out."
            )
        if mended:
            generation = uuid4().hex
            drafts.set_mark(session, PROJECTED_AGAIN, generation)
            for sop_id in mended:
                projecting.ask_for_indexing_again(session, sop_id, generation=generation, now=stores.clock())
    return [told for several in mended.values() for told in several]


def _differs(
    row: Revision,
    kept: tuple[Mapping[int, frozenset[int]], Mapping[int, frozenset[str]]],
    wanted: projecting.Derived,
) -> bool:
    tickets, targets = kept
    return (
        any(getattr(row, name) != getattr(wanted.row, name) for name in sops.DERIVED)
        or tickets.get(row.id, frozenset()) != wanted.tickets
        or targets.get(row.id, frozenset()) != wanted.targets
    )


def _published(stores: Stores, intent: PublishIntent) -> Published | None:
    """Return what an intent published; None where its text is lost, which hides no other one."""
    try:
        text = projecting.texts(stores.library, [intent])[intent.id]
    except DamagedError:
        return None
    return Published(intent.commit_oid or "", text)


def _recorded_at(intent: PublishIntent) -> datetime:
    return intent.done_at or intent.created_at


def _library_against_projection(stores: Stores, session: Session) -> tuple[list[str], list[str]]:
    """Return what differs, and what is to be known of commits that were set aside and do no harm any more."""
    head = stores.library.head()
    problems = _line_of_main(stores, session, head)
    wrong = _files_of_main(stores, session, head)
    set_aside = drafts.quarantined(session)
    if not wrong:
        return problems, [
            f"Commit {entry.commit_oid[:12]} was put on main past the server and set aside on {_day(entry.found_at)}: "
            f"{entry.reason}. It is history: main has the approved texts. Find out who wrote to it, and close that way."
            for entry in set_aside
        ]
    problems += wrong
    problems += [
        f"Commit {entry.commit_oid[:12]} on main is not approved here: {entry.reason}. It is not served, the approved "
        "text is. Run `sop-server check --repair`, which puts the approved texts back on top of it, or publish the "
        "next revision; and find out who wrote to main past the server."
        for entry in set_aside
    ]
    return problems, []


def _line_of_main(stores: Stores, session: Session, head: str | None) -> list[str]:
    problems: list[str] = []
    gone = lost_revisions.lost(stores)
    if gone:
        problems.append(
            f"main does not lead to {lost_revisions.names(drafts.intents_in_order(session, gone))} any more, which was "
            "approved and is served: somebody set main back, or put another line in its place. Run `sop-server check "
            "--repair`, which puts it on main again; what stays lost then has to come from a backup."
        )
    if drafts.mark(session, drafts.MAIN) != head:
        problems.append("The projection is not at the head of main; run `sop-server check --repair`.")
    return problems


def _files_of_main(stores: Stores, session: Session, head: str | None) -> list[str]:
    problems: list[str] = []
    files = {} if head is None else dict(stores.library.tree(head))
    for row in sops.newest_rows(session):
        held = files.pop(row.path, None)
        if row.kind == "retire":
            if held is not None:
                problems.append(f"{row.sop_id} was retired, but main still has {row.path}.")
        elif held is None:
            problems.append(f"main has no file {row.path}, which is {row.sop_id} r{row.number}.")
        elif held != row.blob_oid:
            problems.append(f"{row.path} on main is not the approved text of {row.sop_id} r{row.number}.")
    problems += [f"main has {path}, which no approved revision put there." for path in sorted(files)]
    return problems


def _day(instant: datetime) -> str:
    return instant.date().isoformat()


def _projection_against_intents(stores: Stores, session: Session) -> list[str]:
    problems: list[str] = []
    held = {(row.sop_id, row.number): row for row in sops.all_rows(session)}
    kept = sops.all_references(session)
    approved = drafts.approved_hashes(session)
    for intent in drafts.done_intents(session):
        name = f"{intent.sop_id} r{intent.revision}"
        row = held.pop((intent.sop_id, intent.revision), None)
        published = _published(stores, intent)
        if published is None:
            problems.append(f"The text of {name} is lost from the library, or damaged there; it is in a backup alone.")
            continue
        wanted = projecting.derive(intent, published, recorded_at=_recorded_at(intent))
        if row is None or _differs(row, kept, wanted):
            problems.append(f"The projection of {name} is not what was approved.")
        if content_hash(published.text) != intent.content_hash:
            problems.append(f"The text of {name} does not have the hash that was approved.")
        decisions = drafts.decisions_of(intent)
        if not decisions or any(approved.get(number) != intent.content_hash for number in decisions):
            problems.append(f"No standing approval in the database names the text of {name}.")
    problems += [f"The projection has {sop_id} r{number}, which nobody approved." for sop_id, number in sorted(held)]
    problems += [
        f"{intent.sop_id} r{intent.revision} was approved but is not on main yet; run `sop-server check --repair`."
        for intent in drafts.intents(session, "pending")
    ]
    return problems


def _unconfirmed(fact: BrokenGlassFact, *, now: datetime) -> str:
    told = f"{fact.sop_id} r{fact.revision} was published by {fact.name} alone and a second person has not confirmed it"
    return f"{told}; it has to be by {fact.due_at:%d %b %Y, %H:%M} UTC" + (
        ", which is over." if now > fact.due_at else "."
    )


def _notes(session: Session, *, now: datetime) -> list[str]:
    notes: list[str] = []
    waiting = outbox.open_count(session)
    if waiting:
        notes.append(f"{waiting} items wait in the outbox; the server works them off.")
    snapshot = facts.load_facts(session, now)
    notes += [_unconfirmed(fact, now=now) for fact in snapshot.broken_glass if fact.open]
    for sop_id in sorted(snapshot.revisions):
        newest = snapshot.revisions[sop_id][-1]
        notes += [f"{sop_id} r{newest.number} has a link that leads nowhere: {link}." for link in newest.broken_links]
    if len(snapshot.revisions) > _LARGE:
        notes.append(
            f"The library has {len(snapshot.revisions)} SOPs. Whoosh answers in about 10 ms there, but a change takes "
            "100 ms to index and a rebuild minutes; a database search engine will suit it better."
        )
    return notes
