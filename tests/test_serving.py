"""The production server: real processes, real sockets, a real end."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sop_server import home
from sop_server.errors import InvalidInputError
from sop_server.serving import BackgroundThread, Process, serve
from sop_server.settings import Settings, load_settings

PATIENCE_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def within_patience(holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold before everybody's patience ends."""
    end = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while time.monotonic() < end:
        if holds():
            return True
        pause.wait(0.05)
    return False


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings(home=tmp_path / "home", port=free_port())
    home.close_stores(home.create_home(made))
    return made


@pytest.fixture
def server(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    program = (
        "from sop_server.serving import serve; from sop_server.settings import load_settings; serve(load_settings())"
    )
    environment = {**os.environ, "SOP_HOME": str(settings.home), "SOP_PORT": str(settings.port)}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{settings.port}"

    def answers() -> bool:
        try:
            return requests.get(f"{address}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    try:
        assert within_patience(answers), process.stderr.read() if process.stderr and process.poll() else "silent"
        yield process, address
    finally:
        process.kill()
        process.communicate()


def test_server_answers_from_its_processes_and_ends_when_told(server: tuple[subprocess.Popen[bytes], str]) -> None:
    process, address = server
    assert requests.get(f"{address}/readyz", timeout=10).json()["status"] == "ok"
    assert requests.get(f"{address}/api/v1/sops", timeout=10).status_code == 401
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert b"Traceback" not in told


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nBad Header\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"400"),
    ],
)
def test_what_cannot_be_read_is_answered_with_the_headers_of_every_answer(
    server: tuple[subprocess.Popen[bytes], str], sent: bytes, status: bytes
) -> None:
    _process, address = server
    host, port = address.removeprefix("http://").split(":")

    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"Content-Security-Policy: default-src 'self'" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Referrer-Policy: same-origin" in head
    assert int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]) == len(body)


def test_metrics_are_of_all_processes(server: tuple[subprocess.Popen[bytes], str]) -> None:
    _process, address = server

    def counted() -> int:
        text = requests.get(f"{address}/metrics", timeout=10).text
        line = next(line for line in text.splitlines() if 'requests_total{door="api",status="4xx"}' in line)
        return int(line.rsplit(" ", 1)[1])

    for _ in range(12):
        requests.get(f"{address}/api/v1/sops", timeout=10)
    assert counted() == counted() == 12


def test_background_builds_the_index_without_being_asked(server: tuple[subprocess.Popen[bytes], str]) -> None:
    _process, address = server
    assert within_patience(lambda: requests.get(f"{address}/readyz", timeout=10).json()["search"] == "ok")


def test_server_does_not_start_without_a_home(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="sop-server init"):
        serve(load_settings(home=tmp_path / "nowhere"))


def test_process_lets_go_of_everything(settings: Settings) -> None:
    process = Process(settings)
    assert process.app.test_client().get("/healthz").status_code == 200
    process.close()
    assert [thread.name for thread in threading.enumerate() if thread.name == "background"] == []


def test_a_bad_round_does_not_end_the_thread(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    stores = home.open_stores(settings)
    settings.database_path.unlink()
    settings.database_path.write_bytes(b"no database")
    stores.database.close()
    thread = BackgroundThread(stores, every=0.01)
    thread.start()
    assert within_patience(lambda: len(caplog.records) > 1)
    thread.stop()
    home.close_stores(stores)


def test_a_process_settles_what_it_holds_between_rounds(settings: Settings) -> None:
    stores = home.open_stores(settings)
    gc.unfreeze()
    thread = BackgroundThread(stores, every=0.01)
    thread.start()
    try:
        assert within_patience(lambda: gc.get_freeze_count() > 0)
    finally:
        thread.stop()
        gc.unfreeze()
        home.close_stores(stores)
