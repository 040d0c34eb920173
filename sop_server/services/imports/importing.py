"""Importing a folder or a git repository of Markdown: each file a SOP, and one bad file never hides the others.

Safe to be killed and to be run again: a file is known by its source and its path there, so it keeps its id, and what
was published is not published twice.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sop_server.domain.front_matter_text import Value
from sop_server.domain.people import clean_email
from sop_server.domain.permissions import Action, Actor
from sop_server.domain.roles import clean_slug
from sop_server.services.imports import import_history
from sop_server.services.imports.import_report import ImportProgress, ImportReport, Tally, Watch, unwatched
from sop_server.services.imports.import_run import ImportRequest, ImportRun, hash_of
from sop_server.services.imports.import_texts import UnreadableFileError, declared_id
from sop_server.services.publication import reconciling
from sop_server.services.stores import Stores
from sop_server.storage.git.source_tree import SourceTree

READING = "Reading"
IMPORTING = "Importing"

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def import_tree(
    stores: Stores, *, actor: Actor, request: ImportRequest, now: datetime, watch: Watch = unwatched
) -> ImportReport:
    """Import every `*.md` of a source; returns what came in, what was skipped and why.

    Each file becomes r1 under an import approval of `actor`; with `history` each past commit of it becomes a revision
    at the commit's own date, r1 major and the others minor. A file that changed since it was imported becomes a
    draft. Raises ForbiddenError, InvalidInputError (no such source), ConflictError (a history into a library that
    is not empty).
    """
    actor.require(Action.ADMINISTER, None)
    defaults = _defaults(request)
    with SourceTree(request.root) as tree:
        root = request.source or str((request.root if request.root.is_dir() else request.root.parent).resolve())
        histories = tree.histories() if request.history else None
        reconciling.reconcile(stores, now=now)
        own_dates = histories is not None and import_history.begin(stores, root=root)
        run = ImportRun(
            # What is recorded at its own date is recorded at the intent's instant, whatever the clock says.
            stores=replace(stores, clock=lambda: _BEGINNING) if own_dates else stores,
            actor=actor,
            root=root,
            request=request,
            defaults=defaults,
            now=now,
            watch=watch,
            own_dates=own_dates,
            tally=Tally(root),
        )
        run.load()
        if histories is not None and own_dates:
            import_history.import_histories(run, tree, histories)
            import_history.end(stores, root=root)
        else:
            _import_files(run, tree)
    return run.tally.report()


def _defaults(request: ImportRequest) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    if request.department:
        found["department"] = clean_slug(request.department, what="department", field="department")
    if request.owner:
        found["owner"] = clean_email(request.owner, field="owner")
    return found


def _import_files(run: ImportRun, tree: SourceTree) -> None:
    todo = _look_through(run, tree)
    done = 0
    for file in tree.files():
        if file.path not in todo or file.content is None:
            continue
        done += 1
        try:
            mapped = run.map(file.path, file.content)
        except UnreadableFileError as exc:
            run.tally.skip(file.path, exc.message, line=exc.line)
            continue
        run.note(file.path, mapped)
        if run.published(file.path):
            run.change(file.path, mapped, source_hash=hash_of(file.content))
        else:
            run.arrive(file.path, mapped, source_hash=hash_of(file.content))
        run.watch(ImportProgress(IMPORTING, done, len(todo)))
    run.publish()


def _look_through(run: ImportRun, tree: SourceTree) -> set[str]:
    """Return the paths of the files that are new or have changed; ids are claimed before the first one is given.

    A file that stands at another path with the same content was moved: it stays the SOP that it is.
    """
    todo: set[str] = set()
    seen: set[str] = set()
    new: dict[str, str] = {}
    carried: dict[str, str] = {}
    for number, file in enumerate(tree.files(), start=1):
        run.watch(ImportProgress(READING, number, None))
        if run.request.leaves_out(file.path):
            continue
        seen.add(file.path)
        if file.content is None:
            run.tally.skip(file.path, file.problem or "cannot be read")
            continue
        known = run.known.get(file.path)
        if known is not None and run.published(file.path) and known.source_hash == hash_of(file.content):
            run.tally.unchanged += 1
            continue
        if known is None:
            new[file.path] = hash_of(file.content)
            sop_id = declared_id(file.content)
            if sop_id is not None:
                carried[file.path] = sop_id
        todo.add(file.path)
    # Of a file that was named alone, nothing follows for its neighbours.
    gone = run.known.keys() - seen if run.request.root.is_dir() else set()
    for path in run.follow_moves(gone, new):
        todo.discard(path)
        carried.pop(path, None)
    run.claim_ids(carried)
    return {path for path in todo if path not in carried or path in run.carried}
