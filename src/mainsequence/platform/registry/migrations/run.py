"""Bring a database to the shape that the software expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def configuration(url: str = "") -> Config:
    """Give Alembic's configuration: everything is beside this file, nothing in an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Apply every missing migration in the transaction of a connection."""
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
