import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PORT = 8463
PATIENCE = 60.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment, far from the checkout, with nothing but the built wheel and what it asks for."""
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(PROJECT)], check=True, capture_output=True
    )
    (wheel,) = dist.glob("*.whl")
    place = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(place, with_pip=True)
    subprocess.run([place / "bin/python", "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    return place / "bin"


def run(installed: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"SOP_HOME": str(home), "PATH": os.environ["PATH"], "HOME": str(home.parent)}
    return subprocess.run(
        [installed / "sop-server", *arguments],
        env=environment,
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def home(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("run") / "home"
    made = run(installed, home, "init", "--example", "--admin", "ada@example.com")
    assert made.returncode == 0, made.stdout + made.stderr
    return home


@pytest.fixture(scope="module")
def server(installed: Path, home: Path) -> Iterator[str]:
    environment = {"SOP_HOME": str(home), "PATH": os.environ["PATH"], "HOME": str(home.parent)}
    command = [str(installed / "sop-server"), "serve", "--port", str(PORT)]
    process = subprocess.Popen(command, env=environment, cwd=home.parent, start_new_session=True)
    address = f"http://127.0.0.1:{PORT}"
    deadline = time.monotonic() + PATIENCE
    while not answers(f"{address}/readyz"):
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not become ready"
        time.sleep(0.2)
    yield address
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(timeout=PATIENCE)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (HTTPError, URLError, ConnectionError):
        return False


def test_templates_hooks_and_the_example_library_travel_in_the_wheel(installed: Path) -> None:
    script = "from sop_server.resources import resource; print(*[resource(n) for n in ('templates', 'hooks', 'sops')])"
    told = subprocess.run([installed / "python", "-c", script], capture_output=True, text=True, check=True, cwd="/")
    folders = [Path(text) for text in told.stdout.split()]
    assert all(folder.is_dir() and str(PROJECT) not in str(folder) for folder in folders)
    assert (folders[0] / "_frame.html").is_file()
    assert (folders[1] / "pre-receive").is_file()
    assert len(list(folders[2].glob("*/*.md"))) >= 24


def test_the_installed_server_starts_and_serves_the_sign_in_page_and_its_styles(server: str) -> None:
    with urllib.request.urlopen(f"{server}/login") as answer:
        page = answer.read().decode()
    assert "csrf_token" in page
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    with urllib.request.urlopen(f"{server}{style}") as answer:
        assert answer.headers["Content-Type"].startswith("text/css")


def test_the_installed_server_answers_its_api(installed: Path, home: Path, server: str) -> None:
    token = run(installed, home, "token", "create", "ada@example.com", "--scope", "read").stdout.strip()
    request = urllib.request.Request(f"{server}/api/v1/sops", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        assert len(json.load(answer)["items"]) >= 24


def test_the_installed_program_checks_its_own_stores(installed: Path, home: Path) -> None:
    told = run(installed, home, "check")
    assert told.returncode == 0, told.stdout + told.stderr
