"""All that is recorded of one SOP, apart from people's own dealings with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sop_server.domain import revisions
from sop_server.domain.absences import Absence, away
from sop_server.domain.break_glass import known_by
from sop_server.domain.revisions import RevisionState
from sop_server.errors import NotFoundError
from sop_server.rendering.markdown import Rendered
from sop_server.rendering.raw_diff import DiffLine
from sop_server.rendering.redline import Redline
from sop_server.services.library.sop_views import GlassView, RevisionView, glass_view, revision_view
from sop_server.storage import broken_glass
from sop_server.storage.leaving import StandIn
from sop_server.storage.tables import BrokenGlass, PublishIntent, Revision


@dataclass(frozen=True, slots=True)
class SopText:
    """The text of one revision: the whole file, its front matter, what follows that, and how that is shown."""

    markdown: str
    front_matter: Mapping[str, object]
    body: str
    rendered: Rendered


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed from one text to another: as it is read, and line by line."""

    redline: Redline
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class SopRecord:
    """One SOP as it is recorded at the present: `rows` are its revisions in ascending number, at least one.

    `names` are those of its owners and deputies by address; `links_here` the SOPs in force that refer to it,
    `builds_on` those that its revision in force names; `broken` what one person published alone, by the number of the
    revision; `lead` changes with whatever links of texts lead to: with `main`, and with each revision that comes into
    force by itself; `stand_in` who stands in for somebody who left; `absences` are those of its owners and deputies.
    `tells_drafts`: whether the one who looks at it sees drafts, so that it may name them. `erased` are address and
    name of now, by intent and the address there, of whoever was erased since.
    """

    rows: tuple[Revision, ...]
    intents: Mapping[int, PublishIntent]
    names: Mapping[str, str]
    links_here: tuple[Revision, ...]
    builds_on: tuple[Revision, ...]
    lead: str
    broken: Mapping[int, BrokenGlass] = field(default_factory=dict)
    stand_in: StandIn | None = None
    absences: Mapping[str, tuple[Absence, ...]] = field(default_factory=dict)
    tells_drafts: bool = True
    erased: Mapping[tuple[int, str], tuple[str, str]] = field(default_factory=dict)

    def away(self, email: str | None, at: datetime) -> Absence | None:
        """Return the absence of its owner or deputy that holds at an instant; None where they are there."""
        return away(self.absences.get((email or "").lower(), ()), at)

    def department(self, at: datetime) -> str | None:
        """Return the department that governs it: that of the latest revision in force, else of its first one."""
        return (revisions.latest(self.rows, at) or self.rows[0]).department

    def row(self, number: int) -> Revision:
        """Return one revision by its number; raises NotFoundError."""
        for row in self.rows:
            if row.number == number:
                return row
        newest = self.rows[-1]
        raise NotFoundError(f"{newest.sop_id} has no revision r{number}; the newest is r{newest.number}.")

    def view(self, row: Revision, at: datetime) -> RevisionView:
        """Return one revision as the history shows it at an instant."""
        return revision_view(
            row,
            self.intents.get(row.intent_id),
            revisions.state(self.rows, row.number, at),
            self.glass(row.number, at),
            erased=self.erased,
        )

    def coming(self, row: Revision) -> RevisionView:
        """Return one revision that is approved and not in force yet."""
        return revision_view(row, self.intents.get(row.intent_id), RevisionState.SCHEDULED, erased=self.erased)

    def glass(self, number: int, at: datetime) -> GlassView | None:
        """Return how it stood at an instant that one person published a revision alone; None where it was approved."""
        row = self.broken.get(number)
        if row is None:
            return None
        fact, intent = broken_glass.as_fact(row), self.intents.get(row.intent_id)
        told = glass_view(known_by(fact, at), row, intent, at=at)
        return told if self.tells_drafts else replace(told, draft_id=None)

    def history(self, at: datetime) -> list[RevisionView]:
        """Return all its revisions as they stand at an instant, the newest first."""
        return [self.view(row, at) for row in reversed(self.rows)]


@dataclass(frozen=True, slots=True)
class Places:
    """The departments: the `names` of all by slug, in their order, and the slugs of those with something `to_read`."""

    names: Mapping[str, str]
    to_read: frozenset[str]
