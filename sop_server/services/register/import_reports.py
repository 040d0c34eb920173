"""What became of an import: every row is in one of the counts, or named with the reason it was skipped."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was not imported: its line, or its number in a JSON file, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many rows made something, changed something, changed nothing, and which were skipped."""

    created: int
    updated: int
    unchanged: int
    skipped: tuple[Skipped, ...]


@dataclass(slots=True)
class Tally:
    """A report while it is being counted."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def report(self) -> ImportReport:
        """Return the counts, the skipped rows in their order in the file."""
        skipped = tuple(sorted(self.skipped, key=lambda row: row.line))
        return ImportReport(self.created, self.updated, self.unchanged, skipped)
