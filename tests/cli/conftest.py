"""The command line in this process, on a home of the test's own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sop_server.cli import commands

Run = Callable[..., Result]

ADMIN = "ada@example.com"


def run(home: Path, *arguments: str, stdin: str | None = None) -> Result:
    environment = {name: None for name in os.environ if name.startswith("SOP_")}
    return CliRunner().invoke(commands, list(arguments), input=stdin, env={**environment, "SOP_HOME": str(home)})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def sop(home: Path) -> Run:
    def call(*arguments: str, stdin: str | None = None) -> Result:
        return run(home, *arguments, stdin=stdin)

    return call


@pytest.fixture
def ready(sop: Run) -> Run:
    """A home with nothing but its administrator."""
    made = sop("init", "--admin", ADMIN)
    assert made.exit_code == 0, made.output
    return sop


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A home with the example library, for tests that read."""
    place = tmp_path_factory.mktemp("example") / "home"
    made = run(place, "init", "--example", "--admin", ADMIN)
    assert made.exit_code == 0, made.output

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return run(place, *arguments, stdin=stdin)

    return call
