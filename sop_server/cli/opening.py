"""The home that a command works on: opened for it, closed after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sop_server.home import close_stores, create_home, open_stores
from sop_server.services.stores import Stores
from sop_server.settings import Settings, load_settings


def present() -> datetime:
    """Return the instant at which a command runs."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Stores]:
    """Open the home that the settings name; raises InvalidInputError where there is none yet."""
    stores = open_stores(settings or load_settings())
    try:
        yield stores
    finally:
        close_stores(stores)


@contextmanager
def created(settings: Settings) -> Iterator[Stores]:
    """Open the home that the settings name, after making what is missing of it."""
    stores = create_home(settings)
    try:
        yield stores
    finally:
        close_stores(stores)


def address(settings: Settings) -> str:
    """Return where a browser finds the server, as far as the settings tell."""
    host = "localhost" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104  # nosec B104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
