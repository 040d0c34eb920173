"""Real git repositories in temporary folders."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sop_server.resources import resource
from sop_server.storage.git.library import FileChange, Identity, Library, NewCommit

ASHA = Identity("Asha Rao", "asha@example.com")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

CommitFactory = Callable[..., NewCommit]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library.create(tmp_path / "library.git", resource("hooks"))
    yield made
    made.close()


@pytest.fixture
def commit() -> CommitFactory:
    def make(
        path: str, content: bytes | None, message: str = "Change a file\n", *, author: Identity = ASHA
    ) -> NewCommit:
        return NewCommit(message, author, NOON, NOON, (FileChange(path, content),))

    return make


@pytest.fixture
def publish(library: Library, commit: CommitFactory) -> Callable[..., str]:
    """Write one file and move `main` to it; answers the commit's id."""

    def make(path: str, content: bytes | None, message: str = "Change a file\n") -> str:
        with library.lock():
            head = library.head()
            (written,) = library.write("refs/intents/1", head, [commit(path, content, message)])
            library.advance("refs/heads/main", written.oid, head)
        return written.oid

    return make
