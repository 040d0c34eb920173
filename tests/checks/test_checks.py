"""The checks that stay, each shown to find what it is for."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.checks.advisories import Outcome, ask, verdict
from tests.checks.secrets_scan import ALLOWED, ROOT, scan, shipped


def _bandit(*paths: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bandit", "-q", "-r", "-c", "pyproject.toml", "-f", "json", *paths]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_bandit_finds_nothing() -> None:
    done = _bandit("sop_server", "tests/checks/advisories.py", "tests/checks/secrets_scan.py")
    told = [f"{one['filename']}:{one['line_number']} {one['test_id']}" for one in json.loads(done.stdout)["results"]]
    assert told == []
    assert done.returncode == 0


def test_bandit_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import pickle\n\npickle.loads(input())\n")
    found = {one["test_id"] for one in json.loads(_bandit(str(tmp_path)).stdout)["results"]}
    assert "B301" in found


def test_each_exception_says_why_at_its_line() -> None:
    for path in (ROOT / "sop_server").rglob("*.py"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            _, mark, reason = line.partition("# nosec")
            if mark:
                assert reason.strip().startswith("B"), f"{path}:{number} names no test"
                assert " - " in line, f"{path}:{number} gives no reason"


def test_nothing_that_is_shipped_holds_a_secret() -> None:
    paths = shipped()
    assert len(paths) > 400
    assert [*scan(paths)] == []


def test_what_looks_like_a_secret_and_is_none_is_still_there() -> None:
    lines = "".join(path.read_text("utf-8", "replace") for path in shipped())
    assert [part for part in ALLOWED if part not in lines] == []


PLANTED = {
    "a key of AWS": "aws_access_key_id = AKIA" + "QZ3D7XKVN5PLM2WT",
    "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "a token of GitHub": "ghp_" + "a8Kq2LmN0pRs4TuV6wXy8ZaBcDeFgHiJkLmN",
    "an address with a password": "postgresql://sops:" + "hunter2hunter2" + "@db.internal/sops",
    "a token of Slack": "xoxb-" + "123456789012-123456789012-abcdEFGHijklMNOPqrstUVWX",
    "a password in words": "pass" + "word: 'correct-horse-battery'",
}


@pytest.mark.parametrize("line", PLANTED.values(), ids=PLANTED.keys())
@pytest.mark.parametrize("name", ["SOP.md", "module.py", "page.html"])
def test_a_secret_that_somebody_leaves_there_is_found(tmp_path: Path, name: str, line: str) -> None:
    if "pass" in line[:4] and not name.endswith(".md"):
        pytest.skip("In code ruff and bandit look for these.")
    path = tmp_path / name
    path.write_text(f"Some text.\n{line}\nMore of it.\n", encoding="utf-8")
    (found, *_) = scan([path])
    assert found.line == 2


def test_every_rule_of_ruff_about_security_is_on() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--show-settings", "sop_server/app.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    enabled = done.stdout.partition("linter.rules.enabled = [")[2].partition("]")[0]
    assert enabled.count("(S") > 60
    assert "hardcoded-sql-expression" in enabled


# -- Known vulnerabilities --


@pytest.fixture
def source() -> Iterator[str]:
    """A source that knows of one vulnerability, in Flask."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = {
                "id": "TEST-0001",
                "details": "x",
                "aliases": [],
                "published": "2026-01-01T00:00:00Z",
                "affected": [
                    {
                        "package": {"name": "flask", "ecosystem": "PyPI"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
                    }
                ],
            }
            body = json.dumps({"vulns": [known]} if asked["package"]["name"] == "flask" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_known_vulnerability_is_told(source: str) -> None:
    found = ask("--vulnerability-service=osv", f"--osv-url={source}")
    assert found.outcome is Outcome.VULNERABLE
    assert "flask" in found.told
    assert "TEST-0001" in found.told


def test_a_source_that_is_away_is_no_good_news() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}/v1/query"
    found = ask("--vulnerability-service=osv", f"--osv-url={nowhere}")
    assert found.outcome is Outcome.NOT_CHECKED
    assert found.told.startswith("NOT CHECKED")


@pytest.mark.parametrize(
    ("code", "output", "outcome"),
    [
        (0, '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', Outcome.CLEAN),
        (0, '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', Outcome.NOT_CHECKED),
        (0, '{"dependencies": []}', Outcome.NOT_CHECKED),
        (0, "", Outcome.NOT_CHECKED),
        (1, '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', Outcome.NOT_CHECKED),
        (1, '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X"}]}]}', Outcome.VULNERABLE),
    ],
)
def test_only_an_answer_about_every_package_is_good_news(code: int, output: str, outcome: Outcome) -> None:
    assert verdict(code, output, "").outcome is outcome
