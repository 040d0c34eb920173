"""What was imported from where, and how far it came."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sop_server.storage.tables import ImportedFile, PublishIntent, Review, Sop

_CHUNK = 500


def imported_files(session: Session, root: str) -> Mapping[str, ImportedFile]:
    """Return what was imported from a source, by its path there."""
    return {row.path: row for row in session.scalars(select(ImportedFile).where(ImportedFile.root == root))}


def imported_file(session: Session, file_id: int) -> ImportedFile | None:
    """Return one imported file."""
    return session.get(ImportedFile, file_id)


def origins(session: Session, sop_ids: Collection[str]) -> Mapping[str, str]:
    """Return the source path of each of these SOPs that was imported, from wherever."""
    found: dict[str, str] = {}
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(ImportedFile.sop_id, ImportedFile.path).where(
                ImportedFile.sop_id.in_(wanted[start : start + _CHUNK])
            )
        )
        found.update(rows.all())
    return found


def taken_ids(session: Session, sop_ids: Collection[str]) -> set[str]:
    """Return those of the ids that a SOP has already, published or not."""
    found: set[str] = set()
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        found.update(session.scalars(select(Sop.id).where(Sop.id.in_(wanted[start : start + _CHUNK]))))
    return found


def revision_counts(session: Session, root: str) -> Mapping[str, int]:
    """Return how many revisions each SOP of a source has, those that are still to be published too."""
    rows = session.execute(
        select(PublishIntent.sop_id, func.count())
        .join(ImportedFile, ImportedFile.sop_id == PublishIntent.sop_id)
        .where(ImportedFile.root == root, PublishIntent.state != "void")
        .group_by(PublishIntent.sop_id)
    )
    return dict(rows.all())


def sops_from_elsewhere(session: Session, root: str) -> int:
    """Return how many SOPs the library has that did not come from this source."""
    ours = select(ImportedFile.sop_id).where(ImportedFile.root == root)
    return session.scalar(select(func.count()).select_from(Sop).where(Sop.id.not_in(ours))) or 0


def reviews(session: Session, sop_ids: Collection[str], *, note: str) -> set[tuple[str, datetime]]:
    """Return (SOP, instant) of the reviews that an import recorded."""
    found: set[tuple[str, datetime]] = set()
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(Review.sop_id, Review.happened_at).where(
                Review.sop_id.in_(wanted[start : start + _CHUNK]), Review.note == note
            )
        )
        found.update(rows.all())
    return found
