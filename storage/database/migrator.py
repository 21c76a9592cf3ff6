"""Runs Alembic's migrations. Loaded only when one is missing: Alembic takes a tenth of a second to load."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Apply the migrations up to a revision, in the connection's open transaction."""
    command.upgrade(make_config(connection), revision)


def make_config(connection: Connection | None = None) -> Config:
    """What Alembic needs to find the migrations, and to run them on a connection."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
