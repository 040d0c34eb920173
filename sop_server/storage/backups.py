"""One file with everything that is the record: the library, the database and the secret key."""

import shutil
import sqlite3
import tarfile
import tempfile
from pathlib import Path

from sop_server.errors import DamagedError, InvalidInputError

_DATABASE = "sop.db"
_LIBRARY = "library.git"
_PLAIN = ("secret_key",)


def pack(home: Path, database_copy: Path, target: Path) -> None:
    """Write library, database copy and secret key into `target`, all or nothing."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with tarfile.open(unfinished, "w:gz", compresslevel=3) as archive:
            archive.add(database_copy, _DATABASE)
            archive.add(home / _LIBRARY, _LIBRARY, filter=_no_locks)
            for name in _PLAIN:
                if (home / name).exists():
                    archive.add(home / name, name)
        unfinished.chmod(0o600)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise DamagedError(f"The backup could not be written to {target}: {error}. Nothing was left there.") from error


def unpack(source: Path, home: Path) -> None:
    """Make `home` from a backup. It must not exist, or be empty: nothing is ever written over."""
    if home.exists() and any(home.iterdir()):
        raise InvalidInputError(
            f"{home} is not empty. Restore into a new folder: set SOP_HOME to one that is not there."
        )
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".restore-") as folder:
        inside = Path(folder) / "home"
        inside.mkdir(mode=0o700)
        try:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(inside, filter="data")
        except (OSError, tarfile.TarError, EOFError) as error:
            raise InvalidInputError(
                f"{source} is not a backup that can be read: {error}. Nothing was restored."
            ) from error
        if not (inside / _LIBRARY).is_dir() or not (inside / _DATABASE).is_file():
            raise InvalidInputError(f"{source} has no library or no database in it. Nothing was restored.")
        _require_sound(inside / _DATABASE)
        if home.exists():
            home.rmdir()
        shutil.move(inside, home)


def _require_sound(database: Path) -> None:
    connection = sqlite3.connect(database)
    try:
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise InvalidInputError(f"The database in the backup is damaged: {error}. Nothing was restored.") from error
    finally:
        connection.close()
    if answer != "ok":
        raise InvalidInputError(f"The database in the backup is damaged: {answer}. Nothing was restored.")


def _no_locks(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.name.endswith(".lock") else member
