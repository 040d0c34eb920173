"""`SOP_DATABASE_URL` through the command line and a server of several processes."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from sop_server.cli import commands
from tests.storage.postgresql.play import TEXT
from tests.storage.postgresql.server import Server

PATIENCE_SECONDS = 60


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> dict[str, str]:
    plain = server.create(tables=False).replace("postgresql+psycopg://", "postgresql://")
    return {"SOP_HOME": str(tmp_path / "home"), "SOP_DATABASE_URL": plain}


def run(environment: dict[str, str], *arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(commands, arguments, input=stdin, env=environment)


def test_init_makes_the_home_once_and_check_finds_it_whole(environment: dict[str, str], tmp_path: Path) -> None:
    first = run(environment, "init", "--admin", "root@example.com")
    again = run(environment, "init")
    checked = run(environment, "check")

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert "/sign-in/" in first.output
    assert "/sign-in/" not in again.output
    assert checked.exit_code == 0, checked.output
    assert not (tmp_path / "home" / "sop.db").exists()


def test_a_backup_says_whose_tool_dumps_the_database(environment: dict[str, str], tmp_path: Path) -> None:
    run(environment, "init")

    told = run(environment, "backup", str(tmp_path / "backup.tar.gz"))

    assert told.exit_code == 1
    assert "pg_dump" in told.stderr
    assert not (tmp_path / "backup.tar.gz").exists()


def test_a_database_that_is_not_there_is_told_in_plain_words(environment: dict[str, str], server: Server) -> None:
    run(environment, "init")

    told = run({**environment, "SOP_DATABASE_URL": server.url("nowhere")}, "check")

    assert told.exit_code == 1
    assert "cannot be reached" in told.stderr
    assert "Traceback" not in told.output


@pytest.fixture
def address(environment: dict[str, str]) -> Iterator[str]:
    """A server of two processes on a home with an editor and an approver; it ends well, with nothing unforeseen."""
    assert run(environment, "init").exit_code == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = [sys.executable, "-m", "sop_server", "serve", "--port", port, "--workers", "2"]
    process = subprocess.Popen(arguments, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert "Traceback" not in log, log


def wait_until_ready(address: str, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while True:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < end, "the server did not become ready"
        try:
            if requests.get(f"{address}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        pause.wait(0.05)


def test_several_processes_serve_from_one_database(environment: dict[str, str], address: str) -> None:
    tokens = {}
    for name, role in (("asha", "editor"), ("ben", "approver")):
        arguments = ("user", "add", f"{name}@example.com", "--name", name.title(), "--role", role)
        assert run(environment, *arguments, "--password-stdin", stdin="a long enough password").exit_code == 0
        tokens[name] = run(environment, "token", "create", f"{name}@example.com").stdout.strip()

    def post(name: str, path: str, **body: object) -> dict[str, str]:
        # A connection of its own for each call, so that all processes get some.
        headers = {"Authorization": f"Bearer {tokens[name]}"}
        answer = requests.post(f"{address}/api/v1{path}", headers=headers, json=body, timeout=PATIENCE_SECONDS)
        assert answer.ok, answer.text
        told: dict[str, str] = answer.json()
        return told

    def publish(amount: int) -> str:
        content = TEXT.format(amount=amount)
        draft = post("asha", "/drafts", content=content, change_summary="New.", significance="minor")
        shown = post("asha", f"/drafts/{draft['id']}/submit")
        return post("ben", f"/drafts/{draft['id']}/approve", content_hash=shown["content_hash"])["sop_id"]

    with ThreadPoolExecutor(4) as pool:
        published = sorted(pool.map(publish, range(8)))

    assert published == [f"SOP-{number:04d}" for number in range(1, 9)]
    checked = run(environment, "check", "--repair")
    assert checked.exit_code == 0, checked.output
