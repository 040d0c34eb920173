"""The production server: gunicorn with processes and threads, and one background thread in each process."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from sop_server.app import ALWAYS, create_app
from sop_server.errors import SopError
from sop_server.home import close_stores, open_stores
from sop_server.services.background import begin, run_due
from sop_server.services.reports.year import prepare
from sop_server.services.stores import Stores
from sop_server.settings import Settings
from sop_server.views.meter import Meter

_SECONDS_BETWEEN_ROUNDS = 5.0
_SECONDS_TO_FINISH = 20.0
_SECONDS_BETWEEN_SETTLINGS = 300.0
_PART = 64 * 1024
# Whoever sends more than this of what nobody wants may as well be cut off.
_MOST_DISCARDED = 32 * 1024 * 1024

Environment = dict[str, Any]
Application = Callable[[Environment, Any], Iterable[bytes]]

_LOG = logging.getLogger("sop_server.background")


def settle() -> None:
    """Have the garbage collector look no more at what the process holds by now.

    A process keeps what it knows of ten thousand SOPs in hundreds of thousands of objects that live on. Walking through
    all of them takes longer than a report does, and would happen in the middle of one.
    """
    gc.collect()
    gc.freeze()


class BackgroundThread:
    """Does what is due every few seconds, and at once when it is woken; one in each process."""

    def __init__(
        self,
        stores: Stores,
        *,
        every: float = _SECONDS_BETWEEN_ROUNDS,
        settle_every: float = _SECONDS_BETWEEN_SETTLINGS,
    ) -> None:
        self._stores = stores
        self._every = every
        self._settle_every = settle_every
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def start(self) -> None:
        """Begin with a first round at once."""
        self._thread.start()

    def wake(self) -> None:
        """Have a round done without waiting for it."""
        self._woken.set()

    def stop(self) -> None:
        """End after the round that is running; what remains stands in the outbox."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(_SECONDS_TO_FINISH)

    def _run(self) -> None:
        settled: float | None = None
        self._guarded(begin)
        while not self._stopping.is_set():
            self._woken.clear()
            self._guarded(run_due)
            if settled is None:
                self._guarded(prepare)
            if settled is None or time.monotonic() - settled >= self._settle_every:
                settle()
                settled = time.monotonic()
            self._woken.wait(self._every)

    def _guarded(self, work: Callable[..., object]) -> None:
        try:
            work(self._stores, now=self._stores.clock())
        except SopError as error:
            _LOG.warning("A background round ended early and will be repeated: %s", error.message)
        except Exception:  # noqa: BLE001 - a thread that dies of one bad round would never index or mend again
            _LOG.exception("A background round failed and will be repeated.")


class Process:
    """What one server process holds: its own stores, opened after the fork, its thread, its application."""

    def __init__(self, settings: Settings, meter: Meter | None = None) -> None:
        self._stores = open_stores(settings)
        self._thread = BackgroundThread(self._stores)
        self.app: Flask = create_app(settings, stores=self._stores, wake=self._thread.wake, meter=meter)
        self._thread.start()

    def close(self) -> None:
        """End the thread and close the stores."""
        self._thread.stop()
        close_stores(self._stores)


class Readable(Protocol):
    """What gunicorn offers as `wsgi.input`."""

    def read(self, size: int | None = None) -> bytes:
        """Return up to `size` bytes, none at the end."""


class Body:
    """The body of one request; what is wrong with its chunks is an OSError, as a broken connection is."""

    def __init__(self, body: Readable) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all for -1, none at the end."""
        try:
            return self._body.read(None if size < 0 else size)
        except ParseException as exc:
            raise ConnectionAbortedError(str(exc)) from exc

    def discard(self) -> None:
        """Read on to the end, or as far as makes sense."""
        left = _MOST_DISCARDED
        try:
            while left > 0 and (part := self.read(min(_PART, left))):
                left -= len(part)
        except OSError:
            return  # the sender is gone, or sent what has no end


def reading_to_the_end(application: Application) -> Application:
    """Return the application with every body read to its end before the answer goes out.

    gunicorn closes a connection on which too much of a body was left unread, though the answer promised to keep it:
    the sender loses the answer or the next call on it, and a proxy in front makes a 502 of either.
    """

    def wrapped(environment: Environment, start_response: Any) -> Iterable[bytes]:
        body = Body(environment["wsgi.input"])
        answer = application({**environment, "wsgi.input": body}, start_response)
        if environment.get("CONTENT_LENGTH") or environment.get("HTTP_TRANSFER_ENCODING"):
            body.discard()
        return answer

    return wrapped


class _Guarded:
    """A connection on which gunicorn's own page about a malformed request carries the headers of every answer."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def sendall(self, answer: bytes) -> None:
        """Send the page, with the headers put behind its first line."""
        first, rest = answer.split(b"\r\n", 1)
        headers = "".join(f"{name}: {value}\r\n" for name, value in ALWAYS.items())
        self._connection.sendall(first + b"\r\n" + headers.encode("ascii") + rest)


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn carries no types
    """gunicorn's threads, whose pages about malformed requests are as guarded as ours."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that cannot be read, and log what kind it was: what was sent may be a cookie or a token."""
        if isinstance(exc, ParseException):
            for name, value in vars(exc).items():
                if isinstance(value, str | bytes):
                    setattr(exc, name, "(not shown)")
        super().handle_error(req, _Guarded(client), addr, exc)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    """gunicorn, set up by our settings alone: no command line and no file of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Made here, before the fork, so that every process counts into the same memory.
        self._meter = Meter()
        self._process: Process | None = None
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        settings = self._settings
        shared_memory = Path("/dev/shm")  # noqa: S108  # nosec B108 - the heartbeat files must not lie on a slow disk
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        chosen: dict[str, Any] = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": Worker,
            "preload_app": False,
            "timeout": 60,
            "graceful_timeout": 30,
            "keepalive": 5,
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
            "worker_tmp_dir": str(shared_memory) if shared_memory.is_dir() else None,
            "control_socket_disable": True,
            # Which proxies are believed is said by one setting, and applied where the application is put together.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "info",
            # A header with underscores would be taken for the one with hyphens that a proxy writes.
            "header_map": "drop",
            "proc_name": "sop-server",
            "post_fork": self._after_fork,
            "worker_exit": self._at_exit,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """Open the stores of this process and put its application together; called after the fork."""
        self._process = Process(self._settings, self._meter)
        return reading_to_the_end(self._process.app)

    def _after_fork(self, _arbiter: Any, worker: Any) -> None:
        self._meter.claim(worker.age)

    def _at_exit(self, _arbiter: Any, _worker: Any) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


def serve(settings: Settings) -> None:
    """Serve until a signal ends it; raises InvalidInputError at once where the home is not ready."""
    # Looked at before any process is forked: a worker that cannot start would only be started again.
    close_stores(open_stores(settings))
    Server(settings).run()
