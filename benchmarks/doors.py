"""The doors that are measured: a browser and a caller of the API, in this process or over HTTP on a real server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
from flask import Flask

from benchmarks.libraries import Library
from sop_server.app import create_app
from sop_server.domain.doers import OPERATOR
from sop_server.services.accounts.sign_in import create_sign_in_link, use_sign_in_link
from sop_server.services.accounts.tokens import create_token

Get = Callable[[str], bytes]

_CHECKOUT = Path(__file__).resolve().parent.parent
_PATIENCE = 60.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its main process, port and log, and the connections that are open to it."""

    process: psutil.Process
    port: int
    log: Path
    open: ExitStack

    def door(self, headers: Mapping[str, str]) -> Get:
        """Return what gets an address over one connection that is kept open."""
        connection = self.open.enter_context(closing(HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)))

        def get(path: str) -> bytes:
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == _OK, f"{path} answers {answer.status}: {self.log.read_text()[-2000:]}"
            return body

        return get


def browser(library: Library, name: str) -> dict[str, str]:
    """Return the headers of a signed-in person's browser."""
    stores, now = library.stores, library.stores.clock()
    link = create_sign_in_link(stores, actor=OPERATOR, now=now, email=f"{name}@example.com")
    return {"Cookie": f"sop_session={use_sign_in_link(stores, token=link, now=now)}"}


def caller(library: Library, name: str) -> dict[str, str]:
    """Return the headers of a program that acts for a person."""
    stores = library.stores
    token = create_token(stores, actor=OPERATOR, now=stores.clock(), email=f"{name}@example.com")
    return {"Authorization": f"Bearer {token}"}


def application(library: Library) -> Flask:
    """Return the application on an open library."""
    return create_app(library.settings, stores=library.stores)


def inside(app: Flask, headers: Mapping[str, str]) -> Get:
    """Return what gets an address of an application in this process."""
    client = app.test_client(use_cookies=False)

    def get(path: str) -> bytes:
        answer = client.get(path, headers=dict(headers))
        assert answer.status_code == _OK, f"{path} answers {answer.status_code}"
        return bytes(answer.data)

    return get


@contextmanager
def served(library: Library) -> Iterator[Served]:
    """Serve a library as in production: two processes of four threads."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOP_")}
    home = library.settings.home
    log = home.parent / "serve.log"
    with log.open("wb") as logged:
        process = subprocess.Popen(
            [sys.executable, "-m", "sop_server", "serve", "--port", str(port), "--workers", "2"],
            env={**kept, "SOP_HOME": str(home), "PYTHONPATH": str(_CHECKOUT)},
            cwd=home,
            stderr=logged,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, port)
        with ExitStack() as connections:
            yield Served(psutil.Process(process.pid), port, log, connections)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=_PATIENCE)


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not become ready"
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == _OK:
                    return
        except OSError:
            pass
        time.sleep(0.1)
