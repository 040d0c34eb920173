"""One operation for the whole matrix: nothing that is asked of it is kept."""

from collections.abc import Iterator

import pytest

from sop_server import home
from sop_server.app import create_app
from sop_server.settings import load_settings
from tests.matrix.asking import Asking
from tests.matrix.cast import Player
from tests.matrix.seeding import BEFORE, Operation, operation
from tests.views.browser import Clock


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operation]:
    path = tmp_path_factory.mktemp("matrix") / "home"
    home.close_stores(home.create_home(load_settings(home=path)))
    clock = Clock(BEFORE)
    stores = home.open_stores(load_settings(home=path), clock=clock)
    found = operation(stores, clock)
    yield found
    found.stores.database.close()
    home.close_stores(stores)


@pytest.fixture(scope="session")
def asking(matrix: Operation) -> Asking:
    return Asking(create_app(load_settings(home=matrix.stores.home), stores=matrix.stores))


@pytest.fixture(scope="session")
def players(matrix: Operation) -> dict[str, Player]:
    return {player.name: player for player in matrix.players}
