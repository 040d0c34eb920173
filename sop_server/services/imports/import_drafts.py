"""A source file that changed since it was imported: the change becomes a draft, and nobody's edits are lost."""

from datetime import datetime

from sop_server.domain import front_matter, identifiers
from sop_server.domain.content import content_hash, normalise
from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.domain.facts import Significance
from sop_server.domain.permissions import Actor
from sop_server.services.drafts.draft_commits import save_state
from sop_server.services.imports.import_report import DraftedChange
from sop_server.services.imports.import_texts import MappedText
from sop_server.services.stores import Stores
from sop_server.storage import audit, imports, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import Identity, merge
from sop_server.storage.tables import Draft, ImportedFile, Revision

_MOST_SHOWN = 200


def draft_change(
    stores: Stores, *, actor: Actor, imported: ImportedFile, mapped: MappedText, source_hash: str, now: datetime
) -> DraftedChange | str | None:
    """Make a draft of a file's new text; returns it, None where it changes nothing, or why no draft can be made.

    What people changed here since the import is merged in. Where both changed the same lines the draft has the
    source's text on the imported revision, and its author resolves it. The caller holds the library lock.
    """
    with stores.database.write() as session:
        row = imports.imported_file(session, imported.id)
        newest = sops.latest_row(session, imported.sop_id, now)
        if row is None or newest is None:
            return f"{imported.sop_id} is not in force yet; import it again then"
        if newest.kind == DraftKind.RETIRE:
            return f"{imported.sop_id}, which it was imported as, is retired"
        row.source_hash, row.imported_at = source_hash, now
        text = mapped.with_id(imported.sop_id)
        base = _imported_revision(session, newest)
        if base.number != newest.number:
            text, base = _brought_together(stores, text, base, newest)
        if content_hash(text) == newest.content_hash:
            return None
        draft = _draft(session, text, base, path=imported.path, actor=actor, now=now)
        save_state(
            stores,
            session,
            draft,
            text,
            path=newest.path,
            author=Identity(actor.name, actor.email),
            person_id=actor.person_id,
            now=now,
        )
        name = identifiers.draft_id(draft.id)
        audit.record(
            session,
            at=now,
            actor=actor.email,
            action="draft.created",
            subject=draft.sop_id,
            details={
                "draft": name,
                "content_hash": draft.content_hash,
                "kind": draft.kind,
                "imported_from": imported.path,
            },
        )
        return DraftedChange(imported.path, draft.sop_id, name)


def _imported_revision(session: Session, newest: Revision) -> Revision:
    """Return the revision that was last imported: what the source's change was made on."""
    for row in sops.revision_rows(session, newest.sop_id):
        if row.draft_id is None and row.number <= newest.number:
            return row
    return newest


def _brought_together(stores: Stores, text: str, base: Revision, newest: Revision) -> tuple[str, Revision]:
    merged = merge(
        stores.library.read(base.blob_oid),
        text.encode(),
        stores.library.read(newest.blob_oid),
        labels=("the source", f"r{base.number}", f"r{newest.number}, in force"),
    )
    if merged.conflicted:
        return text, base
    together = normalise(merged.content)
    return (text, base) if front_matter.parse(together).errors else (together, newest)


def _draft(session: Session, text: str, base: Revision, *, path: str, actor: Actor, now: datetime) -> Draft:
    front = front_matter.parse(text).front
    shown = "".join(character if character.isprintable() else "?" for character in path)[:_MOST_SHOWN]
    draft = Draft(
        sop_id=base.sop_id,
        kind=DraftKind.EDIT,
        reverts=None,
        base_revision=base.number,
        state=DraftState.DRAFT,
        significance=Significance.MAJOR,
        change_summary=f"The source {shown} changed since it was imported.",
        title=front.title or base.sop_id,
        department=front.department,
        head_oid="",
        blob_oid="",
        content_hash=content_hash(text),
        conflicted=False,
        author_id=actor.person_id,
        effective_from=None,
        created_at=now,
        updated_at=now,
    )
    session.add(draft)
    session.flush()
    return draft
