"""Revisions as the rules read them: what was recorded by an instant, and where its links lead then."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, bindparam, or_, select
from sqlalchemy.orm import Session

from sop_server.domain.facts import RevisionFact, RevisionKind, Significance
from sop_server.storage.kept_facts import LONG_AGO, KeptFacts, Size
from sop_server.storage.tables import Revision, RevisionLink, RevisionTicket, Sop

_RETIRE = RevisionKind.RETIRE
_KINDS = {kind.value: kind for kind in RevisionKind}
_SIGNIFICANCES = {significance.value: significance for significance in Significance}

_COLUMNS = (
    Revision.id,
    Revision.sop_id,
    Revision.number,
    Revision.kind,
    Revision.significance,
    Revision.content_hash,
    Revision.effective_from,
    Revision.approved_at,
    Revision.recorded_at,
    Revision.title,
    Revision.department,
    Revision.owner,
    Revision.deputy,
    Revision.processes,
    Revision.systems,
    Revision.audience,
    Revision.path_links,
    Revision.review_every_days,
    Revision.reverts,
)


class _Read(NamedTuple):
    """A revision as it was written: `fact.links` are the SOPs that it names, `paths` the files."""

    fact: RevisionFact
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """Every revision, by SOP in ascending number; `linking` are the SOPs with links.

    `latest` is when the last one was recorded, `retired` when the last retirement takes effect.
    """

    by_sop: Mapping[str, tuple[_Read, ...]]
    facts: Mapping[str, tuple[RevisionFact, ...]]
    linking: tuple[str, ...]
    latest: datetime
    retired: datetime


@dataclass(frozen=True, slots=True)
class _Places:
    """The SOP that each path was given to, and when; `latest` is when the last one was."""

    paths: Mapping[str, tuple[str, datetime]]
    latest: datetime


def _selects(*where: ColumnElement[bool]) -> tuple[Executable, Executable, Executable]:
    """Return what reads revisions, their links and their tickets."""
    return (
        select(*_COLUMNS).where(*where).order_by(Revision.id),
        select(RevisionLink.revision_id, RevisionLink.target).join(Revision).where(*where),
        select(RevisionTicket.revision_id, RevisionTicket.ticket_id)
        .join(Revision)
        .where(*where)
        .order_by(RevisionTicket.ticket_id),
    )


_AFTER = _selects(Revision.id > bindparam("after"))
_PART = _selects(
    Revision.sop_id.in_(bindparam("ids", expanding=True)),
    or_(Revision.recorded_at <= bindparam("at"), Revision.effective_from <= bindparam("at")),
)
_PATHS = select(Sop.number, Sop.path, Sop.id, Sop.created_at).where(Sop.number > bindparam("after"))
_PATHS_NAMED = select(Sop.number, Sop.path, Sop.id, Sop.created_at).where(
    Sop.path.in_(bindparam("paths", expanding=True))
)


def whole(
    session: Session, at: datetime, kept: KeptFacts, sizes: Mapping[str, Size]
) -> Mapping[str, tuple[RevisionFact, ...]]:
    """Return every revision recorded by `at`, by SOP id."""
    everything = kept.get(
        "revision", sizes["revision"], read=lambda after: _read(session, _AFTER, {"after": after}), shape=_shape
    )
    places = kept.get(
        "sop",
        sizes["sop"],
        read=lambda after: session.execute(_PATHS, {"after": after}).all(),
        shape=_places,
    )
    if at < max(everything.latest, everything.retired, places.latest):
        return _linked(_recorded(everything.facts, at), everything, places.paths, at)
    # Nothing is to come any more that could change where a link leads: the answer is the same until a table grows.
    settled = Size(f"{sizes['revision']}{sizes['sop']}", 0, 0)
    return kept.get(
        "linked",
        settled,
        read=lambda _after: list(_linked(dict(everything.facts), everything, places.paths, at).items()),
        shape=dict,
    )


def _linked(
    found: dict[str, tuple[RevisionFact, ...]],
    everything: Whole,
    paths: Mapping[str, tuple[str, datetime]],
    at: datetime,
) -> Mapping[str, tuple[RevisionFact, ...]]:
    alive = _alive(found, at)
    return found | {
        sop_id: tuple(
            _resolved(one, paths, alive, at) for one in everything.by_sop[sop_id] if one.fact.recorded_at <= at
        )
        for sop_id in everything.linking
        if sop_id in found
    }


def _recorded(facts: Mapping[str, tuple[RevisionFact, ...]], at: datetime) -> dict[str, tuple[RevisionFact, ...]]:
    found = {sop_id: tuple(fact for fact in revisions if fact.recorded_at <= at) for sop_id, revisions in facts.items()}
    return {sop_id: revisions for sop_id, revisions in found.items() if revisions}


def part(session: Session, at: datetime, sop_ids: Collection[str]) -> Mapping[str, tuple[RevisionFact, ...]]:
    """Return the revisions of some SOPs and of those that they refer to: what was recorded, or in force, by `at`."""
    reads = _read(session, _PART, {"ids": sorted(sop_ids), "at": at})
    wanted = {path for one in reads for path in one.paths}
    paths = {
        path: (sop_id, created_at)
        for _, path, sop_id, created_at in (session.execute(_PATHS_NAMED, {"paths": sorted(wanted)}) if wanted else ())
    }
    named = {target for one in reads for target in one.fact.links} | {sop_id for sop_id, _ in paths.values()}
    linked = named.difference(sop_ids)
    if linked:
        reads = [*reads, *_read(session, _PART, {"ids": sorted(linked), "at": at})]
    everything = _shape(reads)
    alive = _alive(everything.facts, at)
    return {
        sop_id: tuple(_resolved(one, paths, alive, at) if sop_id not in linked else one.fact for one in revisions)
        for sop_id, revisions in everything.by_sop.items()
    }


def _read(session: Session, selects: Sequence[Executable], given: Mapping[str, Any]) -> list[_Read]:
    rows = session.execute(selects[0], given).all()
    if not rows:
        return []
    links = _grouped(session.execute(selects[1], given))
    tickets = _grouped(session.execute(selects[2], given))
    return [
        _Read(
            RevisionFact(
                sop_id=sop_id,
                number=number,
                kind=_KINDS[kind],
                significance=_SIGNIFICANCES[significance],
                content_hash=content_hash,
                effective_from=effective_from,
                approved_at=approved_at,
                recorded_at=recorded_at,
                title=title,
                department=department,
                owner=owner,
                deputy=deputy,
                processes=tuple(processes),
                systems=tuple(systems),
                audience=tuple(audience),
                links=tuple(sorted(links.get(row_id, ()))),
                review_every_days=review_every_days,
                tickets=tuple(tickets.get(row_id, ())),
                reverts=reverts,
            ),
            tuple(path_links),
        )
        for (
            row_id,
            sop_id,
            number,
            kind,
            significance,
            content_hash,
            effective_from,
            approved_at,
            recorded_at,
            title,
            department,
            owner,
            deputy,
            processes,
            systems,
            audience,
            path_links,
            review_every_days,
            reverts,
        ) in rows
    ]


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return found


def _places(rows: Sequence[Any]) -> _Places:
    paths = {path: (sop_id, created_at) for _, path, sop_id, created_at in rows}
    return _Places(paths, max((created_at for _, created_at in paths.values()), default=LONG_AGO))


def _shape(reads: Sequence[_Read]) -> Whole:
    by_sop: dict[str, list[_Read]] = {}
    for one in sorted(reads, key=lambda one: (one.fact.sop_id, one.fact.number)):
        by_sop.setdefault(one.fact.sop_id, []).append(one)
    return Whole(
        by_sop={sop_id: tuple(several) for sop_id, several in by_sop.items()},
        facts={sop_id: tuple(one.fact for one in several) for sop_id, several in by_sop.items()},
        linking=tuple(
            sop_id for sop_id, several in by_sop.items() if any(one.paths or one.fact.links for one in several)
        ),
        latest=max((one.fact.recorded_at for one in reads), default=LONG_AGO),
        retired=max((one.fact.effective_from for one in reads if one.fact.kind == _RETIRE), default=LONG_AGO),
    )


def _alive(found: Mapping[str, Sequence[RevisionFact]], at: datetime) -> Callable[[str], bool]:
    """Return whether a link may lead to a SOP at the instant: in force or approved to come, and not retired."""

    def alive(sop_id: str) -> bool:
        for revision in reversed(found.get(sop_id, ())):
            if revision.kind != RevisionKind.RETIRE:
                return True
            if revision.effective_from <= at:
                return False
        return False

    return alive


def _resolved(
    one: _Read, paths: Mapping[str, tuple[str, datetime]], alive: Callable[[str], bool], at: datetime
) -> RevisionFact:
    links, lost = one.fact.links, []
    if one.paths:
        known = {path: paths[path][0] for path in one.paths if path in paths and paths[path][1] <= at}
        links = tuple(sorted({*links, *known.values()}))
        lost = [path for path in one.paths if path not in known]
    broken = [target for target in links if not alive(target)] + lost
    if not broken and links == one.fact.links:
        return one.fact
    return one.fact._replace(links=links, broken_links=tuple(broken))
