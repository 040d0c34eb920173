"""The demonstration's revisions and drafts: written, submitted and approved by the people who did it then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sop_server.domain import front_matter, identifiers
from sop_server.domain.content import content_hash, normalise
from sop_server.domain.drafts import DraftKind, DraftState
from sop_server.errors import DamagedError
from sop_server.services.demonstration.demo_stage import HISTORY, Event, Stage
from sop_server.services.demonstration.example_registers import Row, split_cell
from sop_server.services.drafts.approving import approve, request_changes
from sop_server.services.drafts.breaking_glass import break_glass
from sop_server.services.drafts.draft_commits import save_state
from sop_server.services.drafts.drafting import DraftInput, create_draft, submit_draft
from sop_server.storage import counters, drafts, sops
from sop_server.storage.git.library import Identity
from sop_server.storage.tables import Draft, Sop

_WRITTEN_BEFORE = timedelta(hours=9)
_SUBMITTED_BEFORE = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class _Current:
    """The newest text of a SOP, and the path at which it lives."""

    path: str
    text: str


def revision_events(stage: Stage, *, known_tickets: Mapping[str, datetime]) -> Iterator[Event]:
    """Yield the life of every revision: written, submitted, and approved at the instant that its row tells."""
    current = _current_texts(stage)
    _reserve(stage, current)
    rows = stage.history("revisions.csv")
    newest = {row["sop_id"]: row["revision"] for row in rows}
    for row in rows:
        approved = stage.ago(row["days_ago"])
        heard = [known_tickets[ticket] for ticket in split_cell(row["tickets"]) if ticket in known_tickets]
        # A draft names its tickets, so it is begun after the last of them is known here.
        begun = max([approved - _WRITTEN_BEFORE, *(at + (approved - at) / 4 for at in heard)])
        submitted = max(approved - _SUBMITTED_BEFORE, begun + (approved - begun) / 2)
        play = _Revision(stage, row, current[row["sop_id"]], newest[row["sop_id"]] == row["revision"])
        yield Event(begun, partial(play.write, begun))
        yield Event(submitted, partial(play.submit, submitted))
        yield Event(approved, partial(play.approve, approved))


class _Revision:
    """One revision on its way."""

    def __init__(self, stage: Stage, row: Row, current: _Current, newest: bool) -> None:  # noqa: FBT001 - one caller
        self._stage = stage
        self._row = row
        self._current = current
        self._newest = newest
        self._draft = ""

    def write(self, at: datetime) -> None:
        row = self._row
        if row["revision"] == "r1":
            self._draft = _first_draft(self._stage, row, self._text(), self._current.path, at)
            return
        reverts = row["reverts"]
        view = create_draft(
            self._stage.stores_at(at),
            actor=self._stage.person(row["author"], at),
            given=DraftInput(
                content=None if reverts else self._text(),
                change_summary=row["change_summary"],
                significance=row["significance"],
                tickets=split_cell(row["tickets"]),
            ),
            # The table names the revision whose text came back; a draft names the one that is taken back.
            reverts=_number(reverts) + 1 if reverts else None,
            sop_id=row["sop_id"],
            now=at,
        )
        self._draft = view.id

    def submit(self, at: datetime) -> None:
        actor = self._stage.person(self._row["author"], at)
        submit_draft(self._stage.stores_at(at), actor=actor, draft_id=self._draft, now=at)

    def approve(self, at: datetime) -> None:
        for alone in self._stage.history("break_glass.csv"):
            if (alone["sop_id"], alone["revision"]) == (self._row["sop_id"], self._row["revision"]):
                _publish_alone(self._stage, self._draft, alone["by"], at, reason=alone["reason"])
                return
        _approve(self._stage, self._draft, self._row["approver"], at)

    def _text(self) -> str:
        if self._newest:
            return self._current.text
        path = self._stage.root / HISTORY / "revisions" / self._row["sop_id"] / f"{self._row['revision']}.md"
        return self._stage.text(path)


def open_draft_events(stage: Stage) -> Iterator[Event]:
    """Yield the drafts that are open now, in each state."""
    for row in stage.history("drafts.csv"):
        play = _OpenDraft(stage, row)
        steps = (
            (row["created_days_ago"], play.write),
            (row["submitted_days_ago"], play.submit),
            (row["decided_days_ago"], play.decide),
        )
        for days, step in steps:
            if days:
                at = stage.ago(days)
                yield Event(at, partial(step, at))


class _OpenDraft:
    """One draft that is not in force yet."""

    def __init__(self, stage: Stage, row: Row) -> None:
        self._stage = stage
        self._row = row
        self._draft = ""

    def write(self, at: datetime) -> None:
        row = self._row
        self._draft = create_draft(
            self._stage.stores_at(at),
            actor=self._stage.person(row["author"], at),
            given=DraftInput(
                content=self._stage.text(self._stage.root / HISTORY / "drafts" / row["file"]),
                change_summary=row["change_summary"],
                significance=row["significance"],
                tickets=split_cell(row["tickets"]),
                base_revision=_number(row["base"]) if row["base"] else None,
            ),
            sop_id=row["sop_id"] or None,
            now=at,
        ).id

    def submit(self, at: datetime) -> None:
        actor = self._stage.person(self._row["author"], at)
        submit_draft(self._stage.stores_at(at), actor=actor, draft_id=self._draft, now=at)

    def decide(self, at: datetime) -> None:
        row = self._row
        if row["state"] == DraftState.CHANGES_REQUESTED:
            request_changes(
                self._stage.stores_at(at),
                actor=self._stage.person(row["decided_by"], at),
                draft_id=self._draft,
                comment=row["decision_note"],
                now=at,
            )
            return
        begins = self._stage.now + timedelta(days=float(row["effective_in_days"]))
        _approve(self._stage, self._draft, row["decided_by"], at, effective_from=begins, comment=row["decision_note"])


def _approve(
    stage: Stage, draft: str, approver: str, at: datetime, *, effective_from: datetime | None = None, comment: str = ""
) -> None:
    approve(
        stage.stores_at(at),
        actor=stage.person(approver, at),
        draft_id=draft,
        content_hash=_hash_of(stage, draft),
        now=at,
        effective_from=effective_from,
        comment=comment,
        attempt=stage.signing(),
    )


def _publish_alone(stage: Stage, draft: str, by: str, at: datetime, *, reason: str) -> None:
    break_glass(
        stage.stores_at(at),
        actor=stage.person(by, at),
        draft_id=draft,
        content_hash=_hash_of(stage, draft),
        reason=reason,
        now=at,
        attempt=stage.signing(),
    )


def _hash_of(stage: Stage, draft: str) -> str:
    number = identifiers.parse_draft_id(draft) or 0
    with stage.stores.database.read() as session:
        row = drafts.draft_row(session, number)
        return "" if row is None else row.content_hash


def _first_draft(stage: Stage, row: Row, content: str, path: str, at: datetime) -> str:
    """Start a new SOP under the id that its text carries: its links and its past name it by that."""
    author = stage.person(row["author"], at)
    text = normalise(content)
    front = front_matter.parse(text).front
    stores = stage.stores_at(at)
    with stores.library.lock(), stores.database.write() as session:
        number = identifiers.parse_sop_id(row["sop_id"]) or 0
        session.add(Sop(id=row["sop_id"], number=number, path=path, created_at=at))
        session.flush()
        draft = Draft(
            sop_id=row["sop_id"],
            kind=DraftKind.EDIT,
            reverts=None,
            base_revision=None,
            state=DraftState.DRAFT,
            significance=row["significance"],
            change_summary=row["change_summary"],
            title=front.title or row["sop_id"],
            department=front.department,
            head_oid="",
            blob_oid="",
            content_hash=content_hash(text),
            conflicted=False,
            author_id=author.person_id,
            effective_from=None,
            created_at=at,
            updated_at=at,
        )
        session.add(draft)
        session.flush()
        identity = Identity(author.name, author.email)
        save_state(stores, session, draft, text, path=path, author=identity, person_id=author.person_id, now=at)
        return identifiers.draft_id(draft.id)


def _current_texts(stage: Stage) -> Mapping[str, _Current]:
    found: dict[str, _Current] = {}
    for path in sorted(stage.root.glob("[!_]*/*.md")):
        text = stage.text(path)
        sop_id = front_matter.parse(normalise(text)).front.id
        if sop_id is None:
            raise DamagedError(f"The example library is not whole: {path} has no id. Install sop-server again.")
        found[sop_id] = _Current(_relative(path, stage.root), text)
    return found


def _reserve(stage: Stage, current: Mapping[str, _Current]) -> None:
    highest = max((identifiers.parse_sop_id(sop_id) or 0 for sop_id in current), default=0)
    with stage.stores.database.write() as session:
        if sops.published_ids(session):
            raise DamagedError("The demonstration needs a home of its own; this one has SOPs. Nothing was changed.")
        counters.pass_number(session, "sop", highest)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _number(revision: str) -> int:
    return int(revision.removeprefix("r"))
