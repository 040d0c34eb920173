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
    """Bring the database to the newest shape; does nothing where it has it already."""
    with database.engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
            connection.commit()
        except SQLAlchemyError as error:
            raise DamagedError(
                "The database could not be brought to the shape that this version needs. "
                "Nothing of the failed step was kept; restore a backup or look at the log."
            ) from error


def is_current(database: Database) -> bool:
    """Whether the database has the shape that this program needs."""
    with database.engine.connect() as connection:
        stands_at = MigrationContext.configure(connection).get_current_revision()
    return stands_at == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
