"""Opening the registry: an engine whose transactions say at once whether they will write."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError

from mainsequence.errors import (
    BusyError,
    ConfigurationError,
    MainSequenceError,
    ReadOnlyStorageError,
    StorageError,
    StorageFullError,
)
from mainsequence.platform.registry.tables import SCHEMA_HEAD

BUSY_TIMEOUT_SECONDS = 60


def open_sqlite(path: Path, *, read_only: bool = False) -> Engine:
    """Open a registry kept in one SQLite file, created and brought up to date where needed."""
    mode = "mode=ro&immutable=1&" if read_only else ""
    url = f"sqlite+pysqlite:///file:{path}?{mode}uri=true"
    engine = _engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _prepare_read_only if read_only else _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    if not read_only:
        _bring_up_to_date(engine, path.with_suffix(".lock"))
    return engine


def open_postgresql(url: str, lock: Path) -> Engine:
    """Open a registry on PostgreSQL, brought up to date where needed."""
    engine = _engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True)
    _bring_up_to_date(engine, lock)
    return engine


def _engine(url: str, **options: Any) -> Engine:
    return create_engine(
        url, json_serializer=lambda value: orjson.dumps(value).decode(), json_deserializer=orjson.loads, **options
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -65536"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_read_only(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """Run one transaction, all or nothing; errors of the database leave as errors of the platform."""
    with translated(), engine.execution_options(writes=writes).begin() as connection:
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Let errors of the database leave as errors of the platform."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise translate(error) from error


def translate(error: DBAPIError | sqlite3.Error) -> MainSequenceError:
    """Give the platform's error for an error of the database."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorname", "") or getattr(original, "sqlstate", "") or ""
    if code in ("SQLITE_FULL", "53100") or code.startswith("SQLITE_IOERR_WRITE"):
        return StorageFullError("The disk is full; nothing was changed.", hint="Free space and repeat the call.")
    if code.startswith("SQLITE_READONLY"):
        return ReadOnlyStorageError("The registry cannot be written; nothing was changed.", hint=_READ_ONLY_HINT)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or code in ("40001", "40P01", "55P03"):
        return BusyError("The registry is busy with other writers; nothing was changed.", hint="Repeat the call.")
    if code == "SQLITE_CANTOPEN":
        return StorageError("The registry cannot be opened.", hint="Check that MAINSEQUENCE_HOME exists and is yours.")
    return StorageError(f"The database failed: {original}.", hint="Nothing was changed.")


_READ_ONLY_HINT = "Check the permissions of MAINSEQUENCE_HOME, or point it to a folder that you may write."


def _bring_up_to_date(engine: Engine, lock: Path) -> None:
    from filelock import FileLock

    if _version(engine) == SCHEMA_HEAD:
        return
    with FileLock(lock, timeout=BUSY_TIMEOUT_SECONDS):
        version = _version(engine)
        if version == SCHEMA_HEAD:
            return
        if version is not None and version > SCHEMA_HEAD:
            raise ConfigurationError(
                f"The registry is at version {version}, this software knows {SCHEMA_HEAD}.",
                hint="Install the newer release that wrote it.",
            )
        from mainsequence.platform.registry.migrations.run import upgrade

        with translated():
            upgrade(engine)


def _version(engine: Engine) -> str | None:
    with translated(), engine.connect() as connection:
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DatabaseError as error:
            if "alembic_version" in str(error.orig):
                return None
            raise
