"""The home of an installation: the folder with library, database, search index and secret key."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sop_server.errors import DamagedError, InvalidInputError
from sop_server.resources import resource
from sop_server.services.accounts.provider import Provider
from sop_server.services.mailing import Mailer
from sop_server.services.stores import Stores, utc_now
from sop_server.settings import Settings
from sop_server.storage import schema
from sop_server.storage.database import Database
from sop_server.storage.git.library import Library
from sop_server.storage.search.whoosh_engine import WhooshEngine

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


def create_home(settings: Settings) -> Stores:
    """Make what is missing of the home and bring the database up to date; running it again changes nothing."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        settings.index_path.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
        _create_secret(settings.secret_key_path)
    except OSError as exc:
        raise InvalidInputError(
            f"The home {settings.home} cannot be made: {exc.strerror}. Nothing was changed; "
            "name a folder that you may write in SOP_HOME."
        ) from exc
    Library.create(settings.library_path, resource("hooks")).close()
    database = Database(settings.resolved_database_url)
    try:
        schema.upgrade(database)
    finally:
        database.close()
    return open_stores(settings)


def open_stores(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> Stores:
    """Open the home's stores; raises InvalidInputError where `init` has not been run, or not by this version.

    `clock` is another than the present for the demo and the import of a history.
    """
    sqlite = settings.database_url is None
    if not settings.library_path.is_dir() or (sqlite and not settings.database_path.is_file()):
        raise InvalidInputError(
            f"There is no library in {settings.home} yet. Run `sop-server init` first, "
            "or name the folder that holds it in SOP_HOME."
        )
    database = Database(settings.resolved_database_url, clock=clock)
    try:
        current = schema.is_current(database)
    except BaseException:
        database.close()
        raise
    if not current:
        database.close()
        raise InvalidInputError(
            "The database does not have the shape that this version needs. "
            "Make a backup and run `sop-server init`: it brings the database up to date and keeps everything."
        )
    return Stores(
        home=settings.home,
        database=database,
        library=Library(settings.library_path),
        search=WhooshEngine(settings.index_path),
        policy=settings.policy,
        clock=clock,
        mailer=mailer(settings),
        provider=provider(settings),
    )


def close_stores(stores: Stores) -> None:
    """Let go of everything that `open_stores` opened."""
    stores.search.close()
    stores.library.close()
    stores.database.close()


def mailer(settings: Settings) -> Mailer | None:
    """Return what mails are sent with, None where the settings name no mail server."""
    if settings.smtp_url is None or settings.public_url is None:
        return None
    return Mailer(
        url=settings.smtp_url.get_secret_value(),
        sender=settings.mail_sender,
        public_url=settings.public_url,
        library_name=settings.library_name,
    )


def provider(settings: Settings) -> Provider | None:
    """Return the identity provider, None where the settings name none. It is not spoken to before somebody comes."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.public_url is None:
        return None
    secret, here = settings.oidc_client_secret, settings.public_url.rstrip("/")
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        scopes=settings.oidc_scopes,
        rules=settings.provider_rules,
        redirect_uri=f"{here}/login/provider/callback",
        after_sign_out=f"{here}/login",
    )


def secret_key(settings: Settings) -> str:
    """Return what signs cookies and forms: the setting, else the home's file."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    try:
        key = settings.secret_key_path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise DamagedError(
            f"The secret key {settings.secret_key_path} cannot be read. Run `sop-server init`, which makes a new one "
            "(everybody then signs in again), or set SOP_SECRET_KEY."
        ) from exc
    if not key:
        raise DamagedError(
            f"The secret key {settings.secret_key_path} is empty. Remove the file and run `sop-server init`, "
            "which makes a new one (everybody then signs in again)."
        )
    return key


def _create_secret(path: Path) -> None:
    # Written aside and linked: two that start at once agree on one key, and nobody ever reads half of it.
    if path.exists():
        return
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
