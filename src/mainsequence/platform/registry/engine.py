"""Opening the registry: an engine whose transactions say at once whether they will write."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError

from mainsequence.errors import ConfigurationError
from mainsequence.platform.registry.changes import count_changes
from mainsequence.platform.registry.failures import AT_COMMIT, UnstorableError, translated
from mainsequence.platform.registry.tables import SCHEMA_HEAD

BUSY_TIMEOUT_SECONDS = 60
CONNECT_TIMEOUT_SECONDS = 10
POOL_SIZE = 20
MIGRATION_LOCK = 7_305_808_869_232_150_900
"""The advisory lock of PostgreSQL under which one process at a time migrates."""


def open_sqlite(path: Path, *, read_only: bool = False) -> Engine:
    """Open a registry kept in one SQLite file, created and brought up to date where needed."""
    engine = sqlite(path, read_only=read_only)
    if not read_only:
        bring_up_to_date(engine, path.with_suffix(".lock"))
    return engine


def open_postgresql(url: str) -> Engine:
    """Open a registry on PostgreSQL, brought up to date where needed.

    Raises
    ------
    ConfigurationError
        The database was written by a newer release, or its driver is not installed.
    StorageError
        The database cannot be reached.
    """
    engine = postgresql(url)
    bring_up_to_date(engine)
    return engine


def sqlite(path: Path, *, read_only: bool = False) -> Engine:
    """Give the engine of a registry in one SQLite file, as it is."""
    mode = "mode=ro&immutable=1&" if read_only else ""
    url = f"sqlite+pysqlite:///file:{path}?{mode}uri=true"
    engine = _engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _prepare_read_only if read_only else _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def postgresql(url: str) -> Engine:
    """Give the engine of a registry on PostgreSQL, as it is."""
    # Never prepared: a plan is made for the values at hand, as ten ids and 100,000 need different ones.
    options = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "mainsequence",
        "prepare_threshold": None,
    }
    try:
        engine = _engine(
            url, connect_args=options, pool_pre_ping=True, pool_size=POOL_SIZE, max_overflow=0, pool_use_lifo=True
        )
    except ImportError as error:
        raise ConfigurationError(
            "The driver of PostgreSQL is not installed.", hint="pip install 'mainsequence-platform[server]'"
        ) from error
    count_changes(engine)
    return engine


def _engine(url: str, **options: Any) -> Engine:
    return create_engine(url, json_serializer=_as_json, json_deserializer=orjson.loads, **options)


def _as_json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError as error:
        raise UnstorableError(str(error)) from error


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
    """Run one transaction, all or nothing; errors of the database leave as errors of the platform.

    One that reads sees one state from its first statement to its last. One that writes sees, on PostgreSQL, what was
    committed before each statement: it takes the locks that it needs first, then reads.
    """
    with translated(), session(engine, writes=writes) as connection:
        yield connection


@contextmanager
def session(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """Run one transaction, all or nothing; errors of the database leave as they are, marked where a commit failed."""
    modes: dict[str, Any] = {"writes": writes}
    if engine.dialect.name == "postgresql":
        modes["isolation_level"] = "READ COMMITTED" if writes else "REPEATABLE READ"
    committing = False
    try:
        with engine.connect().execution_options(**modes) as connection, connection.begin():
            yield connection
            committing = writes
    except DBAPIError as error:
        if committing:
            error.add_detail(AT_COMMIT)
        raise


@contextmanager
def soon_durable(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that writes and is not waited for until it is on the disk: power lost right after undoes it.

    For notes that are true without it too, and are not worth the wait.
    """
    if engine.dialect.name == "postgresql":
        with transaction(engine, writes=True) as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            yield connection
        return
    with translated(), engine.connect().execution_options(writes=True) as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous = NORMAL")
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute("PRAGMA synchronous = FULL")


def bring_up_to_date(engine: Engine, lock: Path | None = None) -> None:
    """Apply missing migrations; where several processes begin at once, one does it and the others wait."""
    if _is_current(version(engine)):
        return
    with _alone(lock), translated(), session(engine, writes=True) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if _is_current(_version(connection)):
            return
        from mainsequence.platform.registry.migrations.run import upgrade

        upgrade(connection)


def _alone(lock: Path | None) -> AbstractContextManager[Any]:
    from filelock import FileLock

    return nullcontext() if lock is None else FileLock(lock, timeout=BUSY_TIMEOUT_SECONDS)


def _is_current(found: str | None) -> bool:
    if found is not None and found > SCHEMA_HEAD:
        raise ConfigurationError(
            f"The registry is at version {found}, this software knows {SCHEMA_HEAD}.",
            hint="Install the newer release that wrote it.",
        )
    return found == SCHEMA_HEAD


def version(engine: Engine) -> str | None:
    """Give the last migration that was applied; ``None`` where there is no registry yet."""
    with transaction(engine, writes=False) as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
