"""Copies of a whole registry: taken as one state while others write, and loaded into an empty one.

SQLite is copied by its own online backup. Of PostgreSQL the registry's own tables are copied with ``COPY`` in one
snapshot, which needs no ``pg_dump`` and fits every version of the server.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, inspect, select, text

from mainsequence.errors import AlreadyExistsError, ConfigurationError
from mainsequence.platform.registry.engine import MIGRATION_LOCK, transaction
from mainsequence.platform.registry.failures import translate, translated
from mainsequence.platform.registry.schema import metadata
from mainsequence.platform.registry.tables import organization

Contents = dict[str, Any]


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a registry in one SQLite file into a new one, while others read and write it."""
    with translated():
        reading, writing = sqlite3.connect(source), sqlite3.connect(target)
        try:
            reading.backup(writing)
        finally:
            reading.close()
            writing.close()


def dump_postgresql(engine: Engine, folder: Path) -> Contents:
    """Write every table of a registry on PostgreSQL into a folder, as one state; give what was written."""
    tables = metadata.sorted_tables
    with transaction(engine, writes=False) as connection:
        columns = {table.name: [column.name for column in table.columns] for table in tables}
        rows = {table.name: _dump(connection, table, folder / f"{table.name}.copy") for table in tables}
        return {"columns": columns, "rows": rows, "sequences": _sequences(connection)}


def _dump(connection: Connection, table: Table, file: Path) -> int:
    columns = ", ".join(column.name for column in table.columns)
    order = ", ".join(column.name for column in table.primary_key)
    query = f"COPY (SELECT {columns} FROM {table.name} ORDER BY {order}) TO STDOUT"
    with file.open("wb") as stream, _cursor(connection) as cursor:
        with cursor.copy(query) as copy:
            for part in copy:
                stream.write(part)
        return int(cursor.rowcount)


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """Give a cursor of the driver, whose COPY SQLAlchemy does not know."""
    import psycopg

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor:
            yield cursor
    except psycopg.Error as error:
        raise translate(error) from error


def _counted() -> list[str]:
    return [table.name for table in metadata.sorted_tables if table.autoincrement_column is not None]


def _sequences(connection: Connection) -> dict[str, int | None]:
    """Give the last id that each table gave out, so that none is given twice; ``None`` where none was."""
    found = {}
    for name in _counted():
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": name})
        value, called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
        found[name] = value if called else None
    return found


def load_postgresql(engine: Engine, folder: Path, schema: str, contents: Mapping[str, Any]) -> None:
    """Load what `dump_postgresql` wrote into a database without a registry, or with an empty one: all or nothing.

    Raises
    ------
    AlreadyExistsError
        The database holds something.
    """
    from mainsequence.platform.registry.migrations.run import upgrade

    with transaction(engine, writes=True) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        _refuse_what_is_there(connection)
        upgrade(connection, schema)
        connection.execute(text("DELETE FROM organization"))
        for name, columns in contents["columns"].items():
            _load(connection, name, columns, folder / f"{name}.copy")
        for name, last in contents["sequences"].items():
            _continue_after(connection, name, last)
        upgrade(connection)


def _refuse_what_is_there(connection: Connection) -> None:
    present = set(inspect(connection).get_table_names())
    filled = [
        table.name
        for table in metadata.sorted_tables
        if table.name in present and table is not organization and connection.scalar(select(table.c[0]).limit(1))
    ]
    if filled:
        raise AlreadyExistsError(
            f"The database holds a registry already ({', '.join(filled)}).",
            hint="Restore into an empty database; nothing was changed.",
        )


def _load(connection: Connection, name: str, columns: list[str], file: Path) -> None:
    query = f"COPY {name} ({', '.join(columns)}) FROM STDIN"
    with file.open("rb") as stream, _cursor(connection) as cursor, cursor.copy(query) as copy:
        while part := stream.read(1 << 20):
            copy.write(part)


def _continue_after(connection: Connection, name: str, last: int | None) -> None:
    values = {"name": name, "last": last or 1, "called": last is not None}
    connection.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :called)"), values)


def count_rows(connection: Connection) -> dict[str, int]:
    """Count the rows of every table."""
    return {
        table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
        for table in metadata.sorted_tables
    }


def read_contents(file: Path) -> Contents:
    """Read what a backup says of itself.

    Raises
    ------
    ConfigurationError
        There is no backup.
    """
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{file.parent} holds no backup: {error}.", hint="Give the folder that `mainsequence db backup` made."
        ) from None
