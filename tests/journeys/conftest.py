"""A real server for the journeys: gunicorn with 2 processes of 4 threads, its people and their tokens."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from sop_server.cli import commands

PATIENCE = 60.0
PASSWORD = "a long enough password"
PEOPLE = {
    "reader": "reader@customer-care",
    "editor": "editor",
    "second_editor": "editor",
    "approver": "approver",
    "second_approver": "approver",
    "care_editor": "editor@customer-care",
    "care_approver": "approver@customer-care",
    "payments_approver": "approver@payments",
    "manager": "manager",
    "second_manager": "manager",
    "admin": "admin",
    "outsider": "reader@payments",
}
LOOKING_ON = "editor_looking_on"

TEXT = """---
title: {title}
department: {department}
owner: editor@example.com
deputy: second_editor@example.com
systems: [Zendesk]
---
## Steps

1. Open the ticket in Zendesk.

2. Refund up to {amount} USD.

3. Close the ticket.
"""


def text(title: str, *, amount: int = 100, department: str = "customer-care") -> str:
    return TEXT.format(title=title, amount=amount, department=department)


def hours_ahead(hours: float) -> str:
    """Return the instant that is so many hours ahead, or as many ago where they are negative."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


@dataclass(frozen=True)
class Door:
    """The JSON API as one person."""

    address: str
    token: str

    def answer(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return requests.request(
            method,
            f"{self.address}/api/v1{path}",
            headers={"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})},
            timeout=60,
            **kwargs,
        )

    def __call__(self, method: str, path: str, status: int | None = None, **kwargs: Any) -> Any:
        answer = self.answer(method, path, **kwargs)
        if status is None:
            assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        else:
            assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def refusal(self, method: str, path: str, status: int, **kwargs: Any) -> dict[str, Any]:
        """Return the problem that a call is answered with, after a look at its shape."""
        answer = self.answer(method, path, **kwargs)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return problem(answer)

    def draft(self, content: str, *, sop_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Create a draft and submit it."""
        body = {"content": content, "change_summary": "What changes.", "significance": "major", **fields}
        if sop_id is not None:
            body["sop_id"] = sop_id
        made = self("POST", "/drafts", 201, json=body)
        submitted: dict[str, Any] = self("POST", f"/drafts/{made['id']}/submit")
        return submitted

    def approve(self, draft: dict[str, Any], status: int | None = None, **fields: Any) -> dict[str, Any]:
        body = {"content_hash": draft["content_hash"], **fields}
        decided: dict[str, Any] = self("POST", f"/drafts/{draft['id']}/approve", status, json=body)
        return decided


@dataclass(frozen=True)
class Server:
    """A running server, its home, and a door for each of the cast."""

    address: str
    home: Path
    doors: dict[str, Door]
    process: "subprocess.Popen[bytes]"

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command beside the server, in this process, which saves the start of another."""
        told = CliRunner().invoke(commands, arguments, input=stdin, env={"SOP_HOME": str(self.home)})
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        return subprocess.CompletedProcess(arguments, told.exit_code, told.stdout, told.stderr)

    def published(self, content: str, *, sop_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Have one person write a text and another approve it."""
        draft = self.doors["editor"].draft(content, sop_id=sop_id, **fields)
        done = self.doors["approver"].approve(draft)
        assert done["state"] == "published"
        return {**done, "content_hash": draft["content_hash"], "draft_id": draft["id"]}


def problem(answer: requests.Response) -> dict[str, Any]:
    """Return the problem JSON of an answer, which says in words what is wrong."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.headers
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"]
    assert told["title"]
    assert told["detail"]
    return told


def within_patience(holds: Callable[[], bool], what: str) -> None:
    """Wait until something comes to hold."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


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
    """Run a command in this process, which saves the start of another; returns what it prints."""
    told = CliRunner().invoke(commands, arguments, input=stdin, env={"SOP_HOME": str(home)})
    assert told.exit_code == 0, f"{arguments}: {told.output}"
    return str(told.stdout)


@dataclass(frozen=True)
class Furnished:
    """A home with people in it, to be copied, and their tokens."""

    home: Path
    tokens: dict[str, str]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    home = tmp_path_factory.mktemp("furnished") / "home"
    made(home, "init", "--admin", "root@example.com")
    for name, role in PEOPLE.items():
        arguments = ["user", "add", f"{name}@example.com", "--name", name.replace("_", " ").title(), "--role", role]
        made(home, *arguments, "--password-stdin", stdin=PASSWORD)
    tokens = {name: made(home, "token", "create", f"{name}@example.com").strip() for name in PEOPLE}
    tokens[LOOKING_ON] = made(home, "token", "create", "editor@example.com", "--scope", "read").strip()
    return Furnished(home, tokens)


@pytest.fixture(scope="module")
def server(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the module's own; that it ended well, and came upon nothing unforeseen, is looked at afterwards."""
    folder = tmp_path_factory.mktemp("journey")
    home = folder / "home"
    shutil.copytree(furnished.home, home)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "sop_server", "serve", "--port", str(port)],
            env={**os.environ, "SOP_HOME": str(home)},
            start_new_session=True,
            stderr=told,
        )
    try:
        wait_until_ready(address, process)
        doors = {name: Door(address, token) for name, token in furnished.tokens.items()}
        yield Server(address, home, doors, process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=PATIENCE)
    said = log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said, said


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
