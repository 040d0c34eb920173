"""Making a synthetic library: files, import, facts, and what was published after the import."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from benchmarks import facts, texts
from sop_server.domain.content import content_hash, normalise
from sop_server.domain.doers import OPERATOR
from sop_server.domain.drafts import Decision, DraftKind
from sop_server.domain.facts import Significance
from sop_server.domain.permissions import Actor
from sop_server.home import close_stores, create_home
from sop_server.services.accounts.people import add_person
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.library.indexing import rebuild_index
from sop_server.services.publication import publishing
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from sop_server.storage import people, sops
from sop_server.storage.database import Session, sqlite_url
from sop_server.storage.git.fast_import import blob_oid
from sop_server.storage.tables import Approval, OutboxItem, PublishIntent

CAST = {
    "reader": "reader",
    "payments_reader": "reader@payments",
    "editor": "editor",
    "approver": "approver",
    "manager": "manager",
    "admin": "admin",
}
EDITION = 1
"""Which library is made: the next number when texts, facts or history change, so that none of before is used."""

LONG_HISTORY_SOP = 1
LONG_HISTORY = 30

_AGE = timedelta(days=800)
_CHUNK = 200


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One publication after the import: the `change`-th revision of a SOP, and the tickets that it references."""

    at: datetime
    number: int
    change: int
    tickets: tuple[int, ...]


def make_library(folder: Path, *, sops: int, now: datetime) -> None:
    """Make `files` and `home` in a folder; the library's history ends at `now`."""
    write_files(folder / "files", sops=sops)
    began = now - _AGE
    stores = create_home(settings_of(folder / "home"))
    try:
        facts.store_people(stores.database, at=began)
        cast = add_cast(stores, now=began)
        import_files(stores, folder / "files", actor=cast["admin"], now=began)
        facts.store_processes(stores.database, sops=sops, at=began)
        releases = facts.releases(sops, now=now)
        facts.store_tickets(stores.database, releases)
        facts.store_triage(stores.database, sops=sops, now=now)
        steps = _steps(releases, now=now)
        _publish(replace(stores, clock=lambda: began), steps, sops=sops, cast=cast)
        facts.store_participation(stores.database, sops=sops, since=began, now=now)
        rebuild_index(stores)
        with stores.database.write() as session:
            # The index was built with all of it; a server that starts on a copy has nothing to catch up with.
            session.execute(update(OutboxItem).values(done_at=now))
        stores.library.maintain()
    finally:
        close_stores(stores)


def settings_of(home: Path) -> Settings:
    """Return the settings of a home; what the environment says of another database is not for a benchmark."""
    return Settings(home=home, database_url=sqlite_url(home / "sop.db"))


def write_files(folder: Path, *, sops: int) -> None:
    """Write the Markdown files of a library of this size."""
    for number in range(1, sops + 1):
        path = folder / texts.file_path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.sop_text(number, sops=sops), encoding="utf-8")


def import_files(stores: Stores, files: Path, *, actor: Actor, now: datetime) -> None:
    """Import a folder as at `now`, the whole of it."""
    report = import_tree(
        replace(stores, clock=lambda: now), actor=actor, request=ImportRequest(root=files, source="files"), now=now
    )
    assert not report.skipped, report.skipped[0]


def add_cast(stores: Stores, *, now: datetime) -> dict[str, Actor]:
    """Add one person for each role that a benchmark plays."""
    for name, role in CAST.items():
        add_person(stores, actor=OPERATOR, now=now, email=f"{name}@example.com", name=name.title(), roles=[role])
    return cast_of(stores)


def cast_of(stores: Stores) -> dict[str, Actor]:
    """Return the people that `add_cast` added, by name."""
    found: dict[str, Actor] = {}
    now = stores.clock()
    with stores.database.read() as session:
        for name in CAST:
            person = people.person_by_email(session, f"{name}@example.com")
            actor = None if person is None else people.load_actor(session, person.id, now)
            assert actor is not None
            found[name] = actor
    return found


def _steps(releases: Sequence[facts.Release], *, now: datetime) -> list[Step]:
    """Return what was published after the import, by date: what the releases brought, and one SOP's long history."""
    brought = [
        Step(at, number, 2, release.tickets)
        for release in releases
        for number, at in zip(release.sops, release.at, strict=True)
        if at is not None
    ]
    long = [
        Step(now - timedelta(days=12 * (LONG_HISTORY - change + 1)), LONG_HISTORY_SOP, change, ())
        for change in range(2, LONG_HISTORY + 1)
    ]
    return sorted([*brought, *long])


def _publish(stores: Stores, steps: Sequence[Step], *, sops: int, cast: dict[str, Actor]) -> None:
    for start in range(0, len(steps), _CHUNK):
        chunk = steps[start : start + _CHUNK]
        contents = [normalise(texts.sop_text(one.number, sops=sops, change=one.change).encode()) for one in chunk]
        with stores.library.lock():
            with stores.database.write() as session:
                intents = [_intent(session, step, text, cast=cast) for step, text in zip(chunk, contents, strict=True)]
            publishing.publish(
                stores, intents, contents={one.id: text for one, text in zip(intents, contents, strict=True)}
            )


def _intent(session: Session, step: Step, text: str, *, cast: dict[str, Actor]) -> PublishIntent:
    at, author, approver = step.at, cast["editor"], cast["approver"]
    sop = sops.sop_row(session, texts.sop_id(step.number))
    assert sop is not None
    approval = Approval(
        draft_id=None,
        kind="person",
        content_hash=content_hash(text),
        person_id=approver.person_id,
        decision=Decision.APPROVE,
        comment="",
        effective_from=None,
        decided_at=at,
    )
    session.add(approval)
    session.flush()
    intent = PublishIntent(
        state="pending",
        sop_id=sop.id,
        revision=step.change,
        draft_id=None,
        kind=DraftKind.EDIT,
        significance=Significance.MAJOR if step.number % 5 == 0 else Significance.MINOR,
        path=sop.path,
        content_hash=approval.content_hash,
        blob_oid=blob_oid(text.encode()),
        base_revision=step.change - 1,
        reverts=None,
        change_summary=f"What {len(step.tickets)} changes of the business ask for.",
        author_name=author.name,
        author_email=author.email,
        authors=[author.email],
        approvals=[{"id": approval.id, "email": approver.email, "name": approver.name, "at": at.isoformat()}],
        tickets=[{"id": ticket, "label": f"jira:CHG-{ticket}"} for ticket in step.tickets],
        authored_at=at,
        approved_at=at,
        effective_from=at,
        created_at=at,
    )
    session.add(intent)
    session.flush()
    return intent
