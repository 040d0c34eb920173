"""What became of an import: one report of what came in, what did not, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person should know of one source file; `line` counts from 1, None where it is the whole file."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class ImportedSop:
    """A source file that is a SOP now, at `library_path`, with so many revisions."""

    path: str
    sop_id: str
    library_path: str
    revisions: int


@dataclass(frozen=True, slots=True)
class DraftedChange:
    """A source file that changed since it was imported, and the draft that was made of the change."""

    path: str
    sop_id: str
    draft_id: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of one import; `unchanged` counts the files that had nothing new."""

    source: str
    imported: tuple[ImportedSop, ...]
    unchanged: int
    drafted: tuple[DraftedChange, ...]
    skipped: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come: `done` of `total` in this phase, whose end is not known where `total` is None."""

    phase: str
    done: int
    total: int | None


Watch = Callable[[ImportProgress], None]


def unwatched(_progress: ImportProgress) -> None:
    """Let an import go on without anybody who looks."""


@dataclass(slots=True)
class Tally:
    """The report of an import while it is being made."""

    source: str
    imported: dict[str, ImportedSop] = field(default_factory=dict)
    unchanged: int = 0
    drafted: list[DraftedChange] = field(default_factory=list)
    skipped: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)

    def skip(self, path: str, message: str, *, line: int | None = None) -> None:
        """Note that a file was not imported."""
        self.skipped.append(Remark(path, line, message))

    def warn(self, path: str, message: str, *, line: int | None = None) -> None:
        """Note something about a file that was imported all the same."""
        self.warnings.append(Remark(path, line, message))

    def came_in(self, path: str, *, sop_id: str, library_path: str) -> None:
        """Note one more revision of a file."""
        former = self.imported.get(path)
        self.imported[path] = ImportedSop(path, sop_id, library_path, 1 if former is None else former.revisions + 1)

    def report(self) -> ImportReport:
        """Return the finished report, in the order of the paths."""
        return ImportReport(
            source=self.source,
            imported=tuple(self.imported[path] for path in sorted(self.imported)),
            unchanged=self.unchanged,
            drafted=tuple(self.drafted),
            skipped=tuple(sorted(self.skipped, key=_place)),
            warnings=tuple(sorted(self.warnings, key=_place)),
        )


def _place(remark: Remark) -> tuple[str, int]:
    return remark.path, remark.line or 0
