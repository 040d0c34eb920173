"""The past of a git repository as revisions: all files' states in the order of their dates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sop_server.domain.facts import Significance
from sop_server.errors import ConflictError, InvalidInputError
from sop_server.services.imports.import_report import ImportProgress
from sop_server.services.imports.import_run import ImportRun, hash_of
from sop_server.services.imports.import_texts import UnreadableFileError, declared_id
from sop_server.services.stores import Stores
from sop_server.storage import drafts, imports
from sop_server.storage.git.source_repository import SourceHistory, SourceRevision
from sop_server.storage.git.source_tree import SourceTree

READING = "Reading the history"
IMPORTING = "Importing"

_BEGUN = "begun"
_DONE = "done"
_APART = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One past state of the file that is at `path` today; `number` counts its states from 1, `at` is when it began."""

    path: str
    number: int
    revision: SourceRevision
    at: datetime


def timeline(histories: Iterable[tuple[str, Sequence[SourceRevision]]], *, now: datetime) -> list[Step]:
    """Return the states of all files in the order of their dates.

    The states of one file keep their order: where the dates of its commits run backwards (a rebase), lie in the same
    second or in the future, they are moved apart by as little as does it, and never past `now`.
    """
    steps = [
        Step(path, number, revision, at)
        for path, revisions in histories
        for number, (revision, at) in enumerate(zip(revisions, _instants(revisions, now=now), strict=True), start=1)
    ]
    return sorted(steps, key=lambda step: (step.at, step.path))


def import_histories(run: ImportRun, tree: SourceTree, histories: Iterable[SourceHistory]) -> None:
    """Publish each past state of each file as a revision, in the order of the dates."""
    hashes: dict[str, str] = {}
    carried: dict[str, str] = {}
    kept: dict[str, list[SourceRevision]] = {}
    for number, history in enumerate(histories, start=1):
        run.watch(ImportProgress(READING, number, None))
        if run.request.leaves_out(history.path):
            continue
        if history.problem is not None:
            run.tally.skip(history.path, history.problem)
            continue
        states = _usable(run, tree, history)
        if states:
            newest = tree.read(history.revisions[-1].blob_oid)
            kept[history.path], hashes[history.path] = states, hash_of(newest)
            sop_id = declared_id(newest)
            if sop_id is not None and history.path not in run.known:
                carried[history.path] = sop_id
    run.claim_ids(carried)
    wanted = [(path, states) for path, states in kept.items() if path not in carried or path in run.carried]
    steps = timeline(wanted, now=run.now)
    for done, step in enumerate(steps, start=1):
        run.watch(ImportProgress(IMPORTING, done, len(steps)))
        # What a run that was killed has published is not published again.
        if step.number <= run.published(step.path):
            continue
        run.arrive(
            step.path,
            run.map(step.path, tree.read(step.revision.blob_oid)),
            source_hash=hashes[step.path],
            author=step.revision.author,
            summary=step.revision.subject,
            significance=Significance.MAJOR if step.number == 1 else Significance.MINOR,
            at=step.at,
        )
    run.publish()


def _usable(run: ImportRun, tree: SourceTree, history: SourceHistory) -> list[SourceRevision]:
    """Return the states that can be revisions and differ from the one before; none where today's cannot be one."""
    usable: list[SourceRevision] = []
    former: str | None = None
    for revision in history.revisions:
        newest = revision is history.revisions[-1]
        try:
            mapped = run.map(history.path, tree.read(revision.blob_oid))
        except (UnreadableFileError, InvalidInputError) as exc:
            line = exc.line if isinstance(exc, UnreadableFileError) else None
            if newest:
                run.tally.skip(history.path, exc.message, line=line)
                return []
            message = f"its state of {revision.authored_at:%Y-%m-%d} was left out: {exc.message}"
            run.tally.warn(history.path, message, line=line)
            continue
        if newest:
            run.note(history.path, mapped)
        if mapped.text != former:
            usable.append(revision)
        former = mapped.text
    return usable


def begin(stores: Stores, *, root: str) -> bool:
    """Let a history come in at its own dates; False where it came in before, whole.

    Raises ConflictError unless the library is empty, or has but a part of this very history after a crash.
    """
    with stores.database.write() as session:
        state = drafts.mark(session, _name(root))
        if state == _DONE:
            return False
        if state is None:
            if imports.sops_from_elsewhere(session, root) or imports.imported_files(session, root):
                raise ConflictError(
                    "A history is recorded at its own dates, which only an empty library allows: otherwise figures of "
                    "the past would change. Nothing was imported. Import without --history, or into a new home."
                )
            drafts.set_mark(session, _name(root), _BEGUN)
    return True


def end(stores: Stores, *, root: str) -> None:
    """Note that a history came in whole."""
    with stores.database.write() as session:
        drafts.set_mark(session, _name(root), _DONE)


def _instants(revisions: Sequence[SourceRevision], *, now: datetime) -> list[datetime]:
    forward: list[datetime] = []
    for revision in revisions:
        forward.append(max(revision.authored_at, forward[-1] + _APART) if forward else revision.authored_at)
    latest = now
    found: list[datetime] = []
    for at in reversed(forward):
        found.append(min(at, latest))
        latest = found[-1] - _APART
    return found[::-1]


def _name(root: str) -> str:
    return f"import-history:{root}"
