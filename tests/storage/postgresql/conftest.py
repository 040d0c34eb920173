"""A server for all of these tests, and for each a database and a library of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sop_server.domain.permissions import Actor
from sop_server.domain.policy import Policy
from sop_server.resources import resource
from sop_server.services.stores import Stores
from sop_server.storage.database import Database
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine
from tests.storage.postgresql.play import NOW, person
from tests.storage.postgresql.server import MISSING, Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if MISSING is not None:
        pytest.skip(MISSING)
    with running() as made:
        yield made


@pytest.fixture
def stores(server: Server, tmp_path: Path) -> Iterator[Stores]:
    (tmp_path / "index").mkdir()
    made = Stores(
        home=tmp_path,
        database=Database(server.create()),
        library=Library.create(tmp_path / "library.git", resource("hooks")),
        search=WhooshEngine(tmp_path / "index"),
        policy=Policy(),
        clock=lambda: NOW,
    )
    yield made
    made.search.close()
    made.library.close()
    made.database.close()


@pytest.fixture
def editor(stores: Stores) -> Actor:
    return person(stores, "asha", "editor", teams=("tier1",))


@pytest.fixture
def approver(stores: Stores) -> Actor:
    return person(stores, "ben", "approver")
