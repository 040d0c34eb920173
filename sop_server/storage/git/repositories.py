"""An open repository for each thread: one shared by threads answers with the content of other files."""

import os
import threading
from pathlib import Path
from weakref import WeakSet, finalize

from git import Repo
from git.exc import InvalidGitRepositoryError, NoSuchPathError

from sop_server.errors import DamagedError
from sop_server.storage.git.git_process import isolate


class _Handle:
    """One open repository. `Repo` compares by path, so that a set of them would keep one only."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        # `Repo` and its configuration refer to each other: without this the git processes of a thread
        # that ended would live until the next collection of garbage.
        self._end = finalize(self, repo.git.clear_cache)

    @property
    def closed(self) -> bool:
        return not self._end.alive

    def close(self) -> None:
        self._end()


class Repositories:
    """The open repositories of one library, by process and thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin()

    def current(self) -> Repo:
        """Return this thread's repository, opened on the first call. Raises DamagedError where there is none."""
        if self._process != os.getpid():
            # Forked: what is open here belongs to the parent, which goes on using it.
            self._begin()
        handle: _Handle | None = getattr(self._local, "handle", None)
        if handle is None or handle.closed:
            handle = _Handle(self._open())
            self._local.handle = handle
            with self._guard:
                self._all.add(handle)
        return handle.repo

    def discard(self) -> None:
        """Close this thread's repository, whose answers can no longer be trusted to belong to the questions."""
        handle: _Handle | None = getattr(self._local, "handle", None)
        if handle is not None and self._process == os.getpid():
            handle.close()

    def close(self) -> None:
        """Close the repositories of all threads; the next use opens a new one."""
        if self._process != os.getpid():
            self._begin()
        with self._guard:
            handles = list(self._all)
        for handle in handles:
            handle.close()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._local = threading.local()
        self._all: WeakSet[_Handle] = WeakSet()

    def _open(self) -> Repo:
        try:
            repo = Repo(self.path)
        except (NoSuchPathError, InvalidGitRepositoryError, OSError) as exc:
            raise DamagedError(
                f"There is no library at {self.path}. Run `sop-server init`, or restore a backup there."
            ) from exc
        isolate(repo.git, self.path)
        return repo
