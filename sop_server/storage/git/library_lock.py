"""One writer of the library at a time, over all threads and processes of a machine."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sop_server.errors import BusyError

_SHORTEST_WAIT = 0.001
_LONGEST_WAIT = 0.025


class LibraryLock:
    """An advisory lock on a file. It ends with the last process that has its descriptor, however that one ends.

    A git that writes inherits the descriptor: whoever gets the lock knows that no writer lives, not even one
    whose parent was killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = threading.local()

    @property
    def descriptor(self) -> int | None:
        """The descriptor that this thread holds the lock by; None where it does not hold it."""
        descriptor: int | None = getattr(self._held, "descriptor", None)
        return descriptor

    @contextmanager
    def hold(self, *, timeout: float) -> Iterator[int]:
        """Hold the lock; a thread that has it already goes on. `timeout` is in seconds.

        Raises BusyError where somebody else keeps it for longer than that.
        """
        held = self.descriptor
        if held is not None:
            yield held
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(descriptor, timeout)
            self._held.descriptor = descriptor
            try:
                yield descriptor
            finally:
                self._held.descriptor = None
        finally:
            # Closed, not unlocked: a git that still writes has inherited the lock, and keeps it.
            os.close(descriptor)

    def _take(self, descriptor: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        wait = _SHORTEST_WAIT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise BusyError(
                        f"The library has been busy for {timeout:g} seconds: another process is writing to it. "
                        "Nothing was changed; try again in a moment."
                    ) from exc
                time.sleep(min(wait, left))
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                return
