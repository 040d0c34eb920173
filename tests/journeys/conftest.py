"""A real server for the journeys: gunicorn with 2 processes of 4 threads, its people and their tokens."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

PATIENCE = 60.0
PASSWORD = "a long enough password"
PEOPLE = {
    "reader": "reader@customer-care",
    "editor": "editor",
    "second_editor": "editor",
    "approver": "approver",
    "manager": "manager",
    "second_manager": "manager",
    "admin": "admin",
    "outsider": "reader@payments",
}


@dataclass(frozen=True)
class Door:
    """The JSON API as one person."""

    address: str
    token: str

    def __call__(self, method: str, path: str, status: int | None = None, **kwargs: Any) -> Any:
        answer = requests.request(
            method,
            f"{self.address}/api/v1{path}",
            headers={"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})},
            timeout=30,
            **kwargs,
        )
        if status is None:
            assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        else:
            assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@dataclass(frozen=True)
class Server:
    """A running server, its home, and a door for each of the cast."""

    address: str
    home: Path
    doors: dict[str, Door]

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return sop_server(self.home, *arguments, stdin=stdin)


def sop_server(home: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sop_server", *arguments],
        env={**os.environ, "SOP_HOME": str(home)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def made(home: Path, *arguments: str, stdin: str = "") -> str:
    told = sop_server(home, *arguments, stdin=stdin)
    assert told.returncode == 0, f"{arguments}: {told.stdout}{told.stderr}"
    return told.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("journey") / "home"
    made(home, "init", "--admin", "root@example.com")
    for name, role in PEOPLE.items():
        arguments = ["user", "add", f"{name}@example.com", "--name", name.replace("_", " ").title(), "--role", role]
        made(home, *arguments, "--password-stdin", stdin=PASSWORD)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    tokens = {name: made(home, "token", "create", f"{name}@example.com").strip() for name in PEOPLE}
    process = subprocess.Popen(
        [sys.executable, "-m", "sop_server", "serve", "--port", str(port)],
        env={**os.environ, "SOP_HOME": str(home)},
        start_new_session=True,
    )
    try:
        wait_until_ready(address, process)
        yield Server(address, home, {name: Door(address, token) for name, token in tokens.items()})
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)


def wait_until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not become ready"
        try:
            if requests.get(f"{address}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
