import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.domain.doers import OPERATOR
from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.resources import resource
from sop_server.services.accounts.people import add_person
from sop_server.services.imports.import_report import ImportReport
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.stores import Stores
from sop_server.storage import counters, people, schema, sops
from sop_server.storage.database import Database, sqlite_url
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine
from sop_server.storage.tables import PublishIntent, Revision, Sop
from tests.services.sources import Files, Import, write

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of today's shape; each test gets a copy, since making one anew takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "sop.db"
    database = Database(sqlite_url(path), clock=lambda: NOW)
    schema.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def stores(tmp_path: Path, empty_database: Path) -> Iterator[Stores]:
    home = tmp_path / "home"
    (home / "index").mkdir(parents=True)
    shutil.copy(empty_database, home / "sop.db")
    database = Database(sqlite_url(home / "sop.db"), clock=lambda: NOW)
    library = Library.create(home / "library.git", resource("hooks"))
    search = WhooshEngine(home / "index")
    yield Stores(home=home, database=database, library=library, search=search, policy=Policy(), clock=lambda: NOW)
    search.close()
    library.close()
    database.close()


@dataclass(frozen=True)
class Cast:
    """Who plays in the tests: each named for a role, in payments unless their name says otherwise."""

    reader: Actor
    editor: Actor
    approver: Actor
    manager: Actor
    other_manager: Actor
    care_editor: Actor
    admin: Actor
    nobody: Actor


@pytest.fixture
def cast(stores: Stores) -> Cast:
    def person(name: str, *roles: str, teams: tuple[str, ...] = ()) -> Actor:
        added = add_person(
            stores, actor=OPERATOR, now=NOW, email=f"{name}@example.com", name=name.title(), roles=roles, teams=teams
        )
        with stores.database.read() as session:
            actor = people.load_actor(session, added.person.id, NOW)
        assert actor is not None
        return actor

    return Cast(
        reader=person("rita", "reader@payments", teams=("payments-tier1",)),
        editor=person("asha", "editor@payments"),
        approver=person("ben", "approver@payments"),
        manager=person("mia", "manager"),
        other_manager=person("max", "manager"),
        care_editor=person("cora", "editor@customer-care"),
        admin=person("ada", "admin"),
        nobody=person("nils"),
    )


Publish = Callable[..., int]
"""Stores the next revision of a SOP, which comes to be with it, and returns its number."""


@pytest.fixture
def publish(stores: Stores) -> Publish:
    def stored(
        sop_id: str,
        *,
        at: datetime = NOW,
        department: str | None = "payments",
        kind: str = "edit",
        significance: str = "major",
        tickets: tuple[int, ...] = (),
        reverts: int | None = None,
        content_hash: str | None = None,
        audience: tuple[str, ...] = (),
        processes: tuple[str, ...] = (),
    ) -> int:
        with stores.database.write() as session:
            if session.get(Sop, sop_id) is None:
                number = counters.next_number(session, "test-sop")
                session.add(Sop(id=sop_id, number=number, path=f"{sop_id.lower()}.md", created_at=at))
                session.flush()
            number = sops.next_revision_number(session, sop_id)
            text_hash = content_hash or f"{sop_id}-{number}".encode().hex().ljust(64, "0")
            intent = PublishIntent(
                state="done",
                sop_id=sop_id,
                revision=number,
                kind=kind,
                significance=significance,
                path=f"{sop_id.lower()}.md",
                content_hash=text_hash,
                blob_oid="0" * 40,
                change_summary="What changed.",
                author_name="Asha",
                author_email="asha@example.com",
                authors=["asha@example.com"],
                approvals=[],
                tickets=[],
                authored_at=at,
                approved_at=at,
                effective_from=at,
                created_at=at,
            )
            session.add(intent)
            session.flush()
            row = Revision(
                sop_id=sop_id,
                number=number,
                kind=kind,
                significance=significance,
                content_hash=text_hash,
                blob_oid="0" * 40,
                commit_oid=f"{intent.id:040x}",
                intent_id=intent.id,
                path=f"{sop_id.lower()}.md",
                title=f"Title of {sop_id}",
                department=department,
                owner="asha@example.com",
                deputy=None,
                processes=list(processes),
                systems=[],
                audience=list(audience),
                tags=[],
                links=[],
                path_links=[],
                review_every_days=365,
                change_summary="What changed.",
                author_name="Asha",
                author_email="asha@example.com",
                reverts=reverts,
                approved_at=at,
                effective_from=at,
                recorded_at=at,
            )
            sops.add_revision(session, row, tickets=tickets, targets=())
        return number

    return stored


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def bring_in(stores: Stores, cast: Cast, source: Path) -> Import:
    def run(files: Files | None = None, **kwargs: object) -> ImportReport:
        write(source, files or {})
        at = kwargs.pop("now", NOW)
        request = ImportRequest(root=source, **kwargs)  # type: ignore[arg-type]  # each test names fields of it
        return import_tree(stores, actor=cast.admin, request=request, now=at)  # type: ignore[arg-type]

    return run
