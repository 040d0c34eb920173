"""One run of an import: what is known of its source, what waits to be published, and what is to be reported."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sop_server.domain import identifiers
from sop_server.domain.facts import Significance
from sop_server.domain.front_matter_text import Value
from sop_server.domain.permissions import Actor
from sop_server.errors import InvalidInputError
from sop_server.services.drafts.paths import choose_path
from sop_server.services.imports.import_drafts import draft_change
from sop_server.services.imports.import_mapping import ImportMapping
from sop_server.services.imports.import_paths import library_path_of
from sop_server.services.imports.import_publishing import (
    Arrival,
    Registered,
    clean_subject,
    publish_arrivals,
    register,
    review_instant,
)
from sop_server.services.imports.import_report import DraftedChange, Tally, Watch
from sop_server.services.imports.import_texts import MappedText, UnreadableFileError, map_text
from sop_server.services.stores import Stores
from sop_server.storage import counters, imports, sops
from sop_server.storage.database import Session
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import ImportedFile

# The database is held while a chunk is recorded: for a second or two, not for a whole import.
CHUNK = 200

_HIGHEST_ID = 99_999_999
_LONGEST_ID = "SOP-999999999"


def _nothing(_path: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import. `source` is the name by which the source is known again, its absolute path where absent.

    `department` and `owner` are what a file gets that names none; `leaves_out` tells the source paths to pass over.
    """

    root: Path
    department: str | None = None
    owner: str | None = None
    mapping: ImportMapping = field(default_factory=ImportMapping)
    history: bool = False
    source: str | None = None
    leaves_out: Callable[[str], bool] = _nothing


@dataclass(slots=True, kw_only=True)
class ImportRun:
    """The state of one import. `known` are the files that were imported before, `revisions` how many each SOP has."""

    stores: Stores
    actor: Actor
    root: str
    request: ImportRequest
    defaults: Mapping[str, Value]
    now: datetime
    watch: Watch
    own_dates: bool
    tally: Tally
    known: dict[str, ImportedFile] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    carried: dict[str, str] = field(default_factory=dict)
    _waiting: list[Arrival] = field(default_factory=list)
    _registered: dict[str, Registered] = field(default_factory=dict)

    def load(self) -> None:
        """Learn what was imported from this source before."""
        with self.stores.database.read() as session:
            self.known = dict(imports.imported_files(session, self.root))
            self.revisions = dict(imports.revision_counts(session, self.root))

    def published(self, path: str) -> int:
        """Return how many revisions of a file were published, or are on their way."""
        known = self.known.get(path)
        return 0 if known is None else self.revisions.get(known.sop_id, 0)

    def follow_moves(self, gone: Collection[str], new: Mapping[str, str]) -> set[str]:
        """Find the files that are `gone` among the `new` ones, which are (path, hash); returns those that were found.

        What is gone and was not moved is reported: its SOP stays in force until somebody retires it.
        """
        paths_of: dict[str, list[str]] = {}
        for path in sorted(new):
            paths_of.setdefault(new[path], []).append(path)
        moved: set[str] = set()
        with self.stores.database.write() as session:
            missing = [self.known[path] for path in sorted(gone)]
            in_force = {
                row.sop_id for row in sops.in_force_rows(session, self.now, ids={one.sop_id for one in missing})
            }
            for known in missing:
                row = imports.imported_file(session, known.id)
                candidates = paths_of.get(known.source_hash, [])
                if row is not None and candidates:
                    path = candidates.pop(0)
                    self.tally.warn(path, f"was {row.path} when it was imported as {row.sop_id}, and stays that SOP")
                    self.known[path] = self.known.pop(row.path)
                    row.path = self.known[path].path = path
                    self.tally.unchanged += 1
                    moved.add(path)
                elif known.sop_id in in_force:
                    self.tally.warn(
                        known.path,
                        f"is no longer in the source; {known.sop_id}, which was imported from it, stays in force. "
                        "Retire it if nobody works by it any more",
                    )
        return moved

    def claim_ids(self, carried: Mapping[str, str]) -> None:
        """Let new files keep the ids that they carry, by path; a file whose id somebody has is passed over."""
        owners: dict[str, str] = {}
        for path, sop_id in carried.items():
            first = owners.setdefault(sop_id, path)
            if first != path:
                self.tally.skip(path, f"carries the id {sop_id}, as {first} does, which was imported; give it another")
        with self.stores.database.write() as session:
            taken = imports.taken_ids(session, owners)
            origins = imports.origins(session, taken)
            for sop_id, path in owners.items():
                number = identifiers.parse_sop_id(sop_id) or 0
                if sop_id in taken:
                    whose = f"is imported from {origins[sop_id]}" if sop_id in origins else "is in the library"
                    self.tally.skip(path, f"carries the id {sop_id}, which {whose} already; take the id out")
                elif number > _HIGHEST_ID:
                    self.tally.skip(path, f"carries the id {sop_id}, which leaves too few for others; take the id out")
                else:
                    self.carried[path] = sop_id
            highest = max((identifiers.parse_sop_id(sop_id) or 0 for sop_id in self.carried.values()), default=0)
            # Before any id is given: none may be one that a later file carries.
            counters.pass_number(session, "sop", highest)

    def map(self, path: str, content: bytes) -> MappedText:
        """Return what a file becomes. Raises `UnreadableFileError`."""
        mapped = map_text(content, path=path, mapping=self.request.mapping, defaults=self.defaults)
        try:
            mapped.with_id(_LONGEST_ID)
        except InvalidInputError as exc:
            raise UnreadableFileError(exc.message, line=1) from exc
        return mapped

    def note(self, path: str, mapped: MappedText) -> None:
        """Report what a person should know of a file's mapping."""
        for note in mapped.notes:
            self.tally.warn(path, note.message, line=note.line)
        if mapped.last_review is not None and review_instant(mapped.last_review, now=self.now) is None:
            self.tally.warn(path, f"its review of {mapped.last_review} is still to come; it was not recorded")

    def arrive(
        self,
        path: str,
        mapped: MappedText,
        *,
        source_hash: str,
        author: Identity | None = None,
        summary: str = "",
        significance: Significance = Significance.MAJOR,
        at: datetime | None = None,
    ) -> None:
        """Have one revision of a file published with the next chunk."""
        self._waiting.append(
            Arrival(
                path=path,
                source_hash=source_hash,
                mapped=mapped,
                author=author or Identity(self.actor.name, self.actor.email),
                summary=clean_subject(
                    summary, otherwise=clean_subject(f"Imported from {path}.", otherwise="Imported.")
                ),
                significance=significance,
                at=at or self.now,
            )
        )
        if len(self._waiting) >= CHUNK:
            self.publish()

    def publish(self) -> None:
        """Publish what waits: one commit each, one move of `main`."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        with self.stores.library.lock():
            with self.stores.database.write() as session:
                arrivals = [(arrival, self._register(session, arrival)) for arrival in waiting]
            publish_arrivals(
                self.stores,
                actor=self.actor,
                root=self.root,
                arrivals=arrivals,
                own_dates=self.own_dates,
                now=self.now,
            )
        for arrival, registered in arrivals:
            self.tally.came_in(arrival.path, sop_id=registered.sop_id, library_path=registered.library_path)

    def change(self, path: str, mapped: MappedText, *, source_hash: str) -> None:
        """Make a draft of what changed in a file that was imported before."""
        with self.stores.library.lock():
            outcome = draft_change(
                self.stores,
                actor=self.actor,
                imported=self.known[path],
                mapped=mapped,
                source_hash=source_hash,
                now=self.now,
            )
        if isinstance(outcome, DraftedChange):
            self.tally.drafted.append(outcome)
        elif outcome is None:
            self.tally.unchanged += 1
        else:
            self.tally.skip(path, outcome)

    def _register(self, session: Session, arrival: Arrival) -> Registered:
        """Return the SOP of a file, which it gets with its first revision, or has from a run that was killed."""
        path = arrival.path
        found = self._registered.get(path)
        known = self.known.get(path)
        if found is None and known is not None:
            row, sop = imports.imported_file(session, known.id), sops.sop_row(session, known.sop_id)
            if row is not None and sop is not None:
                row.source_hash, row.imported_at = arrival.source_hash, self.now
                found = Registered(sop.id, sop.path)
        if found is None:
            library_path = choose_path(session, path=library_path_of(path), department=None, title="")
            if library_path != path:
                self.tally.warn(path, f"is kept as {library_path}; links that lead to it by its own path do not work")
            found = register(
                session,
                root=self.root,
                path=path,
                source_hash=arrival.source_hash,
                sop_id=self.carried.get(path),
                library_path=library_path,
                now=arrival.at if self.own_dates else self.now,
            )
        self._registered[path] = found
        return found


def hash_of(content: bytes) -> str:
    """Return what tells one text of a source file from another."""
    return hashlib.sha256(content).hexdigest()
