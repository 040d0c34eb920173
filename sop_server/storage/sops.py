"""SOPs and their revisions as the projection of `main` has them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from sop_server.storage.serving import is_served
from sop_server.storage.tables import Department, PublishIntent, Revision, RevisionLink, RevisionTicket, Sop

_CHUNK = 500


class CaredRow(NamedTuple):
    """A SOP in force and who owns it."""

    sop_id: str
    department: str | None
    owner: str | None


# Made once: an alias works its columns out anew each time that it is made, which costs more than the query.
_LATER = aliased(Revision)
_GOVERNING = aliased(Revision)

# Built once: what is asked for with every page costs more to put together than to answer.
_LATEST = (
    select(Revision)
    .where(Revision.sop_id == bindparam("sop_id"), Revision.effective_from <= bindparam("at"))
    .order_by(Revision.number.desc())
    .limit(1)
)
_SCHEDULED = (
    select(Revision)
    .where(Revision.sop_id == bindparam("sop_id"), Revision.effective_from > bindparam("at"))
    .order_by(Revision.number)
)


def sop_row(session: Session, sop_id: str) -> Sop | None:
    """Return the identity of a SOP, published or not."""
    return session.get(Sop, sop_id)


def latest_row(session: Session, sop_id: str, at: datetime) -> Revision | None:
    """Return the highest revision that has come into force by `at`, a retirement too."""
    return session.scalar(_LATEST, {"sop_id": sop_id, "at": at})


def in_force_row(session: Session, sop_id: str, at: datetime) -> Revision | None:
    """Return the revision in force at `at`; None where there is none or the SOP was retired."""
    row = latest_row(session, sop_id, at)
    return None if row is None or row.kind == "retire" else row


def _is_governed_by(departments: Collection[str], now: datetime) -> ColumnElement[bool]:
    """Return the condition, for a query on Revision, that its SOP belongs to one of the departments at `now`."""
    overtaken = (
        select(_LATER.id)
        .where(_LATER.sop_id == _GOVERNING.sop_id, _LATER.number > _GOVERNING.number, _LATER.effective_from <= now)
        .exists()
    )
    return (
        select(_GOVERNING.id)
        .where(
            _GOVERNING.sop_id == Revision.sop_id,
            _GOVERNING.effective_from <= now,
            _GOVERNING.department.in_(departments),
            ~overtaken,
        )
        .exists()
    )


def in_force_rows(
    session: Session,
    at: datetime,
    *,
    ids: Collection[str] | None = None,
    departments: Collection[str] | None = None,
    governed: tuple[Collection[str], datetime] | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Sequence[Revision]:
    """Return the revisions in force at `at`, by SOP id; `departments` keeps those of the named ones alone.

    `governed` are (departments, instant): it keeps the SOPs that belong to one of them at that instant.
    """
    query = select(Revision).where(*is_served(at)).order_by(Revision.sop_id)
    if departments is not None:
        query = query.where(Revision.department.in_(departments))
    if governed is not None:
        query = query.where(_is_governed_by(*governed))
    if after is not None:
        query = query.where(Revision.sop_id > after)
    if limit is not None:
        query = query.limit(limit)
    if ids is None:
        return session.scalars(query).all()
    wanted = sorted(ids)
    found: list[Revision] = []
    for start in range(0, len(wanted), _CHUNK):
        found.extend(session.scalars(query.where(Revision.sop_id.in_(wanted[start : start + _CHUNK]))))
    return found


def governed_ids(departments: Collection[str], now: datetime) -> Select[str]:
    """Return the query for the SOPs that belong to one of the departments at `now`, in force or not."""
    return select(Revision.sop_id).where(_is_governed_by(sorted(departments), now)).distinct()


def in_force_ids(
    session: Session,
    at: datetime,
    *,
    departments: Collection[str] | None = None,
    governed: tuple[Collection[str], datetime] | None = None,
) -> Sequence[str]:
    """Return the ids of the SOPs in force, all or some of them as for `in_force_rows`."""
    query = select(Revision.sop_id).where(*is_served(at)).order_by(Revision.sop_id)
    if departments is not None:
        query = query.where(Revision.department.in_(departments))
    if governed is not None:
        query = query.where(_is_governed_by(*governed))
    return session.scalars(query).all()


def cared_rows(session: Session, email: str, *, at: datetime, also: Collection[str] = ()) -> Sequence[CaredRow]:
    """Return the SOPs in force that a person owns or is the deputy of, and `also` those of these ids."""
    mine = or_(Revision.owner == email, Revision.deputy == email, Revision.sop_id.in_(sorted(also)))
    columns = (Revision.sop_id, Revision.department, Revision.owner)
    rows = session.execute(select(*columns).where(mine, *is_served(at)).order_by(Revision.sop_id))
    return [CaredRow(*row) for row in rows]


def titled(session: Session, words: Sequence[str], *, at: datetime) -> Sequence[Revision]:
    """Return the revisions in force whose title holds every word, by title."""
    query = select(Revision).where(*is_served(at)).order_by(Revision.title, Revision.sop_id)
    for word in words[:8]:
        query = query.where(Revision.title.icontains(word, autoescape=True))
    return session.scalars(query).all()


def all_rows(session: Session) -> Sequence[Revision]:
    """Return every revision of the projection."""
    return session.scalars(select(Revision).order_by(Revision.sop_id, Revision.number)).all()


def newest_rows(session: Session) -> Sequence[Revision]:
    """Return the revision with the highest number of each SOP, in force or not."""
    newest = select(Revision.sop_id, func.max(Revision.number)).group_by(Revision.sop_id)
    return session.scalars(
        select(Revision).where(tuple_(Revision.sop_id, Revision.number).in_(newest)).order_by(Revision.sop_id)
    ).all()


def published_ids(session: Session) -> Sequence[str]:
    """Return the ids of all SOPs that have a revision."""
    return session.scalars(select(Revision.sop_id).distinct().order_by(Revision.sop_id)).all()


def histories(session: Session, ids: Collection[str]) -> Mapping[str, list[Revision]]:
    """Return all revisions of some SOPs, in ascending number."""
    found: dict[str, list[Revision]] = {}
    for row in session.scalars(
        select(Revision).where(Revision.sop_id.in_(ids)).order_by(Revision.sop_id, Revision.number)
    ):
        found.setdefault(row.sop_id, []).append(row)
    return found


def departments_in_force(session: Session, at: datetime, departments: Collection[str] | None) -> set[str]:
    """Return the departments, of some or of all, that have a SOP in force; looks for one of each, counts none."""
    query = select(Department.slug).where(
        select(Revision.id).where(Revision.department == Department.slug, *is_served(at)).exists()
    )
    if departments is not None:
        query = query.where(Department.slug.in_(departments))
    return set(session.scalars(query))


def in_force_departments(
    session: Session, at: datetime, *, governed: tuple[Collection[str], datetime] | None = None
) -> Mapping[str | None, int]:
    """Count the SOPs in force at `at` by department; `governed` as for `in_force_rows`."""
    query = select(Revision.department, func.count()).where(*is_served(at)).group_by(Revision.department)
    if governed is not None:
        query = query.where(_is_governed_by(*governed))
    return dict(session.execute(query).all())


def revision_row(session: Session, sop_id: str, number: int) -> Revision | None:
    """Return one revision."""
    return session.scalar(select(Revision).where(Revision.sop_id == sop_id, Revision.number == number))


def revision_rows(session: Session, sop_id: str) -> Sequence[Revision]:
    """Return all revisions of a SOP, the newest first."""
    return session.scalars(select(Revision).where(Revision.sop_id == sop_id).order_by(Revision.number.desc())).all()


def scheduled_rows(session: Session, sop_id: str, *, at: datetime) -> Sequence[Revision]:
    """Return the approved revisions that are to come into force after `at`, by number."""
    return session.scalars(_SCHEDULED, {"sop_id": sop_id, "at": at}).all()


def overtaken_rows(session: Session, sop_id: str, *, number: int, begins: datetime) -> Sequence[Revision]:
    """Return the scheduled revisions before `number` that were to begin at `begins` or later: nobody is served them."""
    return session.scalars(
        select(Revision)
        .where(
            Revision.sop_id == sop_id,
            Revision.number < number,
            Revision.effective_from >= begins,
            Revision.effective_from > Revision.approved_at,
        )
        .order_by(Revision.number)
    ).all()


def department_of(session: Session, sop_id: str, at: datetime) -> str | None:
    """Return the department that governs a SOP: that of the revision in force, else of its first one."""
    return departments_of(session, [sop_id], at).get(sop_id)


def departments_of(session: Session, sop_ids: Collection[str], at: datetime) -> Mapping[str, str | None]:
    """Return the departments that govern SOPs, as `department_of` does, of those that have a revision."""
    found: dict[str, str | None] = {}
    wanted = sorted(sop_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(Revision.sop_id, Revision.department, Revision.effective_from)
            .where(Revision.sop_id.in_(wanted[start : start + _CHUNK]))
            .order_by(Revision.sop_id, Revision.number)
        )
        for sop_id, department, effective_from in rows:
            if sop_id not in found or effective_from <= at:
                found[sop_id] = department
    return found


def recently_published(
    session: Session, at: datetime, *, departments: Collection[str] | None, limit: int
) -> Sequence[Revision]:
    """Return the revisions that came into force last, the newest first."""
    query = select(Revision).where(*is_served(at)).order_by(Revision.effective_from.desc()).limit(limit)
    if departments is not None:
        query = query.where(Revision.department.in_(departments))
    return session.scalars(query).all()


def last_came_into_force(session: Session, at: datetime) -> datetime | None:
    """Return the instant at which a revision, of whatever SOP, last came into force by `at`."""
    return session.scalar(select(func.max(Revision.effective_from)).where(Revision.effective_from <= at))


def known_ids(session: Session, ids: Collection[str]) -> set[str]:
    """Return those of `ids` that have at least one revision."""
    return set(session.scalars(select(Revision.sop_id).where(Revision.sop_id.in_(ids)).distinct()))


def sop_ids_by_path(session: Session, paths: Collection[str]) -> Mapping[str, str]:
    """Return the SOP behind each library path that is known."""
    return dict(session.execute(select(Sop.path, Sop.id).where(Sop.path.in_(paths))).all())


def path_taken(session: Session, path: str) -> bool:
    """Whether a SOP lives at `path`, or did."""
    return session.scalar(select(Sop.id).where(Sop.path == path)) is not None


def next_revision_number(session: Session, sop_id: str) -> int:
    """Return the number after the last that was given, by an intent that is not void."""
    last = session.scalar(
        select(func.max(PublishIntent.revision)).where(PublishIntent.sop_id == sop_id, PublishIntent.state != "void")
    )
    return (last or 0) + 1


def tickets_of_revisions(session: Session, revision_ids: Collection[int]) -> Mapping[int, tuple[int, ...]]:
    """Return the tickets that each revision references."""
    found: dict[int, list[int]] = {}
    wanted = sorted(revision_ids)
    for start in range(0, len(wanted), _CHUNK):
        rows = session.execute(
            select(RevisionTicket.revision_id, RevisionTicket.ticket_id)
            .where(RevisionTicket.revision_id.in_(wanted[start : start + _CHUNK]))
            .order_by(RevisionTicket.ticket_id)
        )
        for revision_id, ticket_id in rows:
            found.setdefault(revision_id, []).append(ticket_id)
    return {revision_id: tuple(tickets) for revision_id, tickets in found.items()}


def links_here(session: Session, sop_id: str, at: datetime) -> Sequence[Revision]:
    """Return the revisions in force at `at` that refer to this SOP."""
    return session.scalars(
        select(Revision)
        .join(RevisionLink, RevisionLink.revision_id == Revision.id)
        .where(RevisionLink.target == sop_id, *is_served(at))
        .order_by(Revision.title)
    ).all()


DERIVED = tuple(column.key for column in Revision.__table__.columns if column.key != "id")
"""The columns of a revision that follow from its intent and its text."""


def all_references(session: Session) -> tuple[Mapping[int, frozenset[int]], Mapping[int, frozenset[str]]]:
    """Return the tickets and the SOPs that every revision refers to, by the revision's row."""
    tickets: dict[int, set[int]] = {}
    targets: dict[int, set[str]] = {}
    for revision_id, ticket_id in session.execute(select(RevisionTicket.revision_id, RevisionTicket.ticket_id)):
        tickets.setdefault(revision_id, set()).add(ticket_id)
    for revision_id, target in session.execute(select(RevisionLink.revision_id, RevisionLink.target)):
        targets.setdefault(revision_id, set()).add(target)
    return (
        {revision_id: frozenset(several) for revision_id, several in tickets.items()},
        {revision_id: frozenset(several) for revision_id, several in targets.items()},
    )


def remove_revision(session: Session, row: Revision) -> None:
    """Take a row out of the projection, with what it refers to."""
    session.delete(row)
    session.flush()


def add_revision(session: Session, row: Revision, *, tickets: Iterable[int], targets: Iterable[str]) -> None:
    """Store one revision of the projection with what it references."""
    session.add(row)
    session.flush()
    session.add_all(RevisionTicket(revision_id=row.id, ticket_id=ticket) for ticket in sorted(set(tickets)))
    session.add_all(RevisionLink(revision_id=row.id, target=target) for target in sorted(set(targets)))
    session.flush()
