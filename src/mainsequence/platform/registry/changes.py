"""How many rows a connection has changed so far: tells whether a write changed anything."""

from typing import Any

from sqlalchemy import Connection, Engine, event

_COUNT = "changed_rows"
_CHANGING = ("INSERT", "UPDATE", "DELETE")


def count_changes(engine: Engine) -> None:
    """Let an engine on PostgreSQL count the rows that its statements change; SQLite counts by itself."""
    event.listen(engine, "after_cursor_execute", _count)


def _count(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
    if statement.lstrip()[:6].upper() in _CHANGING:
        add_changes(connection, max(cursor.rowcount, 0))


def add_changes(connection: Connection, rows: int) -> None:
    """Count rows that were changed past SQLAlchemy (``COPY``)."""
    connection.info[_COUNT] = connection.info.get(_COUNT, 0) + rows


def changes(connection: Connection) -> int:
    """Give the number of rows that a connection has inserted, updated or deleted since it was opened."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        return int(driver.total_changes)
    return int(connection.info.get(_COUNT, 0))
