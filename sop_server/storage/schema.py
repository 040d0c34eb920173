"""The database's shape: moving it up to what this program needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from sop_server.errors import DamagedError
from sop_server.storage.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Bring the database to the newest shape, all steps or none; does nothing where it has it already."""
    # One at a time: `init` and `serve` may be started together, and each looks where the database stands.
    with database.write() as session:
        config = _config()
        config.attributes["connection"] = session.connection()
        try:
            command.upgrade(config, "head")
        except SQLAlchemyError as error:
            raise DamagedError(
                "The database could not be brought to the shape that this version needs. "
                "Nothing of it was kept: the database is as it was. Restore a backup or look at the log."
            ) from error


def is_current(database: Database) -> bool:
    """Whether the database has the shape that this program needs."""
    with database.read() as session:
        stands_at = MigrationContext.configure(session.connection()).get_current_revision()
    return stands_at == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
