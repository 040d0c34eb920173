"""The rules of the web are tried on the whole operation of the matrix, and on a server of real processes."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask import Flask

from sop_server import home
from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts import people, tokens
from sop_server.services.accounts.sign_in import create_sign_in_link
from sop_server.services.imports.import_run import ImportRequest
from sop_server.services.imports.importing import import_tree
from sop_server.services.stores import Stores
from sop_server.settings import Settings, load_settings
from sop_server.storage.people import load_actor, person_by_email
from tests.matrix.conftest import asking, matrix, players
from tests.test_serving import free_port, within_patience
from tests.web_rules.visiting import EMAIL, TLS

__all__ = ["asking", "matrix", "players"]

_SERVE = "from sop_server import serving, settings; serving.serve(settings.load_settings())"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "home"
    home.close_stores(home.create_home(load_settings(home=path)))
    return path


@pytest.fixture
def settings(empty: Path, tmp_path: Path) -> Settings:
    """An installation that remembers; that of the matrix forgets what is written."""
    shutil.copytree(empty, tmp_path / "home")
    return load_settings(home=tmp_path / "home", public_url=TLS)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    stores = home.open_stores(settings)
    yield create_app(settings, stores=stores)
    home.close_stores(stores)


@dataclass(frozen=True)
class Served:
    """A server that runs: where it listens, links to sign in with, a token, and what it wrote to its log.

    `link` is of an administrator, `readers_link` of a reader of SOP-0001.
    """

    port: int
    link: str
    readers_link: str
    token: str
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, raw: bytes) -> bytes:
        """Send bytes on a connection of their own, and return all that is answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    settings = load_settings(home=folder / "home", port=free_port())
    stores = home.create_home(settings)
    now = stores.clock()
    people.add_person(stores, actor=OPERATOR, now=now, email=EMAIL, name="Asha Rao", roles=["admin", "editor"])
    link = create_sign_in_link(stores, actor=OPERATOR, now=now, email=EMAIL)
    people.add_person(stores, actor=OPERATOR, now=now, email="rita@example.com", name="Rita Lopez", roles=["reader"])
    readers_link = create_sign_in_link(stores, actor=OPERATOR, now=now, email="rita@example.com")
    _publish(stores, folder)
    token = tokens.create_token(stores, actor=OPERATOR, now=now, email=EMAIL, scope="write")
    home.close_stores(stores)
    environment = {**os.environ, "SOP_HOME": str(settings.home), "SOP_PORT": str(settings.port), "SOP_WORKERS": "1"}
    log = folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen([sys.executable, "-c", _SERVE], env=environment, stdout=written, stderr=written)
    found = Served(settings.port, link, readers_link, token, log)
    try:
        assert within_patience(_answers(found)), log.read_text()
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _publish(stores: Stores, folder: Path) -> None:
    (folder / "source").mkdir()
    (folder / "source" / "refunds.md").write_text("# Refunds\n\nOpen the order.\n")
    with stores.database.read() as session:
        person = person_by_email(session, EMAIL)
        actor = None if person is None else load_actor(session, person.id, stores.clock())
    assert actor is not None
    import_tree(stores, actor=actor, request=ImportRequest(root=folder / "source"), now=stores.clock())


def _answers(served: Served) -> Callable[[], bool]:
    def answers() -> bool:
        try:
            return requests.get(f"{served.address}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    return answers
