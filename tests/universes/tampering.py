"""Editing a registry behind the platform's back, straight in its database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mainsequence.platform.registry.schema import metadata

MEMBERSHIP, REVISION = metadata.tables["category_membership"], metadata.tables["category_revision"]
CATEGORY, FEED = metadata.tables["category"], metadata.tables["category_change"]
DEFINITION, OPERAND = metadata.tables["category_definition"], metadata.tables["category_operand"]

Row = dict[str, Any]


def database(home: Path) -> Engine:
    """Open the database of the platform under test, past the platform."""
    url = os.environ.get("MAINSEQUENCE_DATABASE_URL", f"sqlite:///{home / 'registry.db'}")
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    return engine


def rows_of(connection: Connection, table: Table) -> list[Row]:
    """Read a whole table."""
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def key_of(table: Table, row: Row) -> list[Any]:
    """Give the condition that finds one row."""
    return [column == row[column.name] for column in table.primary_key]


def tamper(engine: Engine, table: Table, row: Row, changed: Row | None) -> bool:
    """Change fields of one row, or delete it; answer whether the database let it happen."""
    statement = delete(table) if changed is None else update(table).values(**changed)
    try:
        with engine.begin() as connection:
            return connection.execute(statement.where(*key_of(table, row))).rowcount == 1
    except DBAPIError:
        return False


def write_anything(engine: Engine, table: Table, row: Row, name: str, value: Any) -> bool:
    """Write a value of any type into a field of SQLite; answer whether it is another one now."""
    where = " AND ".join(f"{column.name} = ?" for column in table.primary_key)
    key = tuple(row[column.name] for column in table.primary_key)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE {table.name} SET {name} = ? WHERE {where}", (value, *key))
            moved = (
                key
                if name not in table.primary_key
                else tuple(value if column.name == name else row[column.name] for column in table.primary_key)
            )
            found = connection.exec_driver_sql(f"SELECT {name} FROM {table.name} WHERE {where}", moved).scalar()
            return bool(found != row[name])
    except DBAPIError:
        return False


def slip_in(engine: Engine, table: Table, row: Row) -> bool:
    """Insert a row; answer whether the database let it happen."""
    try:
        with engine.begin() as connection:
            connection.execute(insert(table).values(**row))
            return True
    except DBAPIError:
        return False


@contextmanager
def restored(engine: Engine, *tables: Table) -> Iterator[None]:
    """Put tables back as they were behind a ``with`` block, whatever happens in it."""
    with engine.connect() as connection:
        kept = {table: rows_of(connection, table) for table in tables}
    try:
        yield
    finally:
        with engine.begin() as connection:
            for table, rows in kept.items():
                connection.execute(delete(table))
                connection.execute(insert(table), rows)


def other_values(column: Any, value: Any) -> list[Any]:
    """Give values that a field could be changed to."""
    if isinstance(value, str):
        return [value + "x", "", *([None] if column.nullable else [])]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, *([None] if column.nullable else [])]
    if isinstance(value, float):
        return [value + 0.25, None]
    return [0.5 if column.name == "weight" else "x"]
