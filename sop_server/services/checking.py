"""Holding library, database, index and audit chain against each other, and mending what can be made again."""

from dataclasses import dataclass
from datetime import datetime

from sop_server.services import indexing, projecting, reconciling
from sop_server.services.projecting import Published
from sop_server.services.stores import Stores
from sop_server.storage import audit, drafts, facts, outbox, schema, sops
from sop_server.storage.database import Session
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
    mended = repair_projections(stores, now=now) if repair else []
    problems = list(stores.library.verify())
    if not schema.is_current(stores.database):
        problems.append("The database has another shape than this version needs; run `sop-server init` to move it on.")
        return CheckReport(tuple(problems), (), tuple(mended))
    with stores.database.read() as session:
        problems += _library_against_projection(stores, session)
        problems += _projection_against_intents(session)
        broken = audit.first_broken_link(session)
        if broken is not None:
            problems.append(f"The audit chain does not hold from {broken} on: something was changed behind it.")
        notes = _notes(session, now=now)
    lag = indexing.behind(stores)
    if lag is not None:
        problems.append(lag)
    return CheckReport(tuple(problems), tuple(notes), tuple(mended))


def synchronise(stores: Stores, *, now: datetime) -> list[str]:
    """Bring the projection up to `main`: what is missing is recorded, what is not approved is set aside."""
    return reconciling.reconcile(stores, now=now) + _project_missing(stores)


def repair_projections(stores: Stores, *, now: datetime) -> list[str]:
    """Mend the projection and the index from the record; returns a sentence for each thing done."""
    mended = synchronise(stores, now=now)
    if indexing.behind(stores) is not None:
        count = indexing.rebuild_index(stores)
        mended.append(f"The search index was built anew with {count} SOPs.")
    return mended


def _project_missing(stores: Stores) -> list[str]:
    mended: list[str] = []
    with stores.library.lock(), stores.database.write() as session:
        held = {(row.sop_id, row.number): row for row in sops.all_rows(session)}
        for intent in drafts.done_intents(session):
            row = held.get((intent.sop_id, intent.revision))
            if row is not None and not _differs(row, intent):
                continue
            if row is not None:
                session.delete(row)
                session.flush()
            text = projecting.texts(stores.library, [intent])[intent.id]
            recorded_at = intent.done_at or intent.created_at
            projecting.project(session, intent, Published(intent.commit_oid or "", text), recorded_at=recorded_at)
            projecting.ask_for_indexing(session, intent, now=stores.clock())
            mended.append(f"The projection of {intent.sop_id} r{intent.revision} was made again.")
    return mended


def _differs(row: Revision, intent: PublishIntent) -> bool:
    return (
        row.content_hash != intent.content_hash
        or row.commit_oid != intent.commit_oid
        or row.effective_from != intent.effective_from
        or row.kind != intent.kind
    )


def _library_against_projection(stores: Stores, session: Session) -> list[str]:
    problems: list[str] = []
    head = stores.library.head()
    if drafts.mark(session, drafts.MAIN) != head:
        problems.append("The projection is not at the head of main; run `sop-server check --repair`.")
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
    problems += [
        f"Commit {entry.commit_oid[:12]} on main is not approved here: {entry.reason}. It is not served."
        for entry in drafts.quarantined(session)
    ]
    return problems


def _projection_against_intents(session: Session) -> list[str]:
    problems: list[str] = []
    held = {(row.sop_id, row.number): row for row in sops.all_rows(session)}
    for intent in drafts.done_intents(session):
        row = held.pop((intent.sop_id, intent.revision), None)
        if row is None or _differs(row, intent):
            problems.append(f"The projection of {intent.sop_id} r{intent.revision} is not what was approved.")
    problems += [f"The projection has {sop_id} r{number}, which nobody approved." for sop_id, number in sorted(held)]
    problems += [
        f"{intent.sop_id} r{intent.revision} was approved but is not on main yet; run `sop-server check --repair`."
        for intent in drafts.intents(session, "pending")
    ]
    return problems


def _notes(session: Session, *, now: datetime) -> list[str]:
    notes: list[str] = []
    waiting = outbox.open_count(session)
    if waiting:
        notes.append(f"{waiting} items wait in the outbox; the server works them off.")
    snapshot = facts.load_facts(session, now)
    for sop_id in sorted(snapshot.revisions):
        newest = snapshot.revisions[sop_id][-1]
        notes += [f"{sop_id} r{newest.number} has a link that leads nowhere: {link}." for link in newest.broken_links]
    if len(snapshot.revisions) > _LARGE:
        notes.append(
            f"The library has {len(snapshot.revisions)} SOPs. Whoosh answers in about 10 ms there, but a change takes "
            "100 ms to index and a rebuild minutes; a database search engine will suit it better."
        )
    return notes
