import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

PATIENCE = 120.0


def told_address(told: Path) -> str:
    found = re.search(r"The demonstration is at (http://127\.0\.0\.1:\d+)\n", told.read_text(encoding="utf-8"))
    return found[1] if found else ""


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError):
        return False


def test_the_demonstration_is_served_with_people_to_sign_in_as_and_leaves_nothing_behind(tmp_path: Path) -> None:
    real = tmp_path / "real"
    told = tmp_path / "told"
    with told.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sop_server", "demo", "--port", "0"],
            env={**os.environ, "SOP_HOME": str(real), "SOP_DATABASE_URL": f"sqlite:///{real}.db"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not (address := told_address(told)) or not answers(address):
                assert process.poll() is None, told.read_text(encoding="utf-8")
                assert time.monotonic() < deadline
                time.sleep(0.2)
            homes = [str(path) for path in places_of(process.pid)]
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)
    text = told.read_text(encoding="utf-8")
    assert re.search(r"approver +maria\.santos@example\.com", text)
    assert "Everybody's password is" in text
    assert not real.exists()
    assert not Path(f"{real}.db").exists()
    assert homes
    assert not [home for home in homes if Path(home).exists()]


def places_of(pid: int) -> list[Path]:
    """Return the throw-away homes of a process, by the files that its children hold open."""
    found: set[Path] = set()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    for child in children:
        for descriptor in Path(f"/proc/{child}/fd").iterdir():
            # A file may be closed between being listed and being looked at.
            with suppress(FileNotFoundError):
                target = descriptor.readlink()
                found |= {parent for parent in target.parents if parent.name.startswith("sop-demo-")}
    return sorted(found)
