"""Backups of a whole embedded platform: the registry as one state, then the series, in one folder."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as release
from pathlib import Path
from typing import Any

from mainsequence.errors import AlreadyExistsError, ConfigurationError, StorageError, StorageFullError
from mainsequence.platform.databases import described, engine_of
from mainsequence.platform.registry import copies
from mainsequence.platform.registry.engine import sqlite, transaction, version
from mainsequence.platform.registry.tables import SCHEMA_HEAD
from mainsequence.settings import Settings

SERIES, REGISTRY, ABOUT = "series", "registry", "backup.json"
_LOG = "_delta_log"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    folder: Path
    database: str
    schema: str
    rows: dict[str, int]
    files: int
    size: int


def backup(settings: Settings, folder: Path) -> Backup:
    """Copy the registry and the series of a platform into a new folder, while others use it.

    The registry comes first, then the series: every series that the copy of the registry knows is there, with all that
    was committed when its turn came. Series in an object store stay there, and the backup says where: no file that a
    version names is ever changed or removed, so the store's own versions or replication are their backup.

    Raises
    ------
    AlreadyExistsError
        The folder is there and not empty.
    ConfigurationError
        There is no platform, or its registry needs an upgrade first.
    StorageError
        Something cannot be read or written.
    """
    _refuse_contents(folder)
    part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    try:
        (part / REGISTRY).mkdir(parents=True)
        about = _copy_registry(settings, part / REGISTRY)
        elsewhere = "://" in settings.series
        copied = [] if elsewhere else list(_copy_series(Path(settings.series), part / SERIES))
        about |= {"series_at": settings.series} if elsewhere else {}
        about |= {"files": len(copied), "size": sum(copied), "made_at": datetime.now(UTC).isoformat()}
        about |= {"release": release("mainsequence-platform")}
        (part / ABOUT).write_text(json.dumps(about, indent=2), encoding="utf-8")
        part.replace(folder)
    except OSError as error:
        raise _failed(folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _read(folder, about)


def _refuse_contents(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyExistsError(f"{folder} is there already and not empty.", hint="Name a new folder.")


def _failed(folder: Path, error: OSError) -> Exception:
    if isinstance(error, StorageError):
        return error
    import errno

    if error.errno == errno.ENOSPC:
        return StorageFullError(f"No space is left for {folder}; nothing was kept of it.", hint="Free space.")
    return StorageError(f"{folder} failed: {error}.", hint="Check its permissions; nothing was kept of it.")


def _copy_registry(settings: Settings, folder: Path) -> dict[str, Any]:
    engine = engine_of(settings)
    found = version(engine) if engine is not None else None
    if engine is None or found != SCHEMA_HEAD:
        raise ConfigurationError(
            f"{described(settings)} is at version {found}, this software at {SCHEMA_HEAD}.",
            hint="`mainsequence db upgrade` brings it up to date; then back it up.",
        )
    try:
        if engine.dialect.name == "postgresql":
            return {"database": "postgresql", "schema": found, **copies.dump_postgresql(engine, folder)}
        target = folder / "registry.db"
        copies.copy_sqlite(settings.home / "registry.db", target)
        return {"database": "sqlite", "schema": found, "rows": _rows_of(target)}
    finally:
        engine.dispose()


def _rows_of(file: Path) -> dict[str, int]:
    engine = sqlite(file, read_only=True)
    try:
        with transaction(engine, writes=False) as connection:
            return copies.count_rows(connection)
    finally:
        engine.dispose()


def _copy_series(source: Path, target: Path) -> Iterator[int]:
    """Copy the tables of the lake, of each its log first: what a log names was there before it. Give the sizes."""
    for table in sorted(source.iterdir()) if source.is_dir() else ():
        if table.name.startswith(".") or not table.is_dir():
            continue
        files = [path for path in table.rglob("*") if path.is_file()]
        logged = [path for path in files if _LOG in path.parts]
        yield from (_copy(path, target / path.relative_to(source)) for path in logged)
        rest = (path for path in table.rglob("*") if path.is_file() and _LOG not in path.parts)
        yield from (_copy(path, target / path.relative_to(source)) for path in rest)


def _copy(source: Path, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:  # a write that failed took its file back
        return 0
    return target.stat().st_size


def restore(settings: Settings, folder: Path) -> Backup:
    """Bring a backup back: the registry into an empty place, the series under the home.

    Raises
    ------
    AlreadyExistsError
        There is a platform already.
    ConfigurationError
        The folder holds no backup, or one of another database or a newer release.
    StorageError
        Something cannot be read or written.
    """
    about = copies.read_contents(folder / ABOUT)
    wanted = "sqlite" if settings.database_url is None else "postgresql"
    if about["database"] != wanted:
        raise ConfigurationError(
            f"The backup is of {about['database']}, the settings name {described(settings)}.",
            hint="Set or unset MAINSEQUENCE_DATABASE_URL accordingly.",
        )
    if about["schema"] > SCHEMA_HEAD:
        raise ConfigurationError(
            f"The backup is of version {about['schema']}, this software knows {SCHEMA_HEAD}.",
            hint="Install the newer release that made it.",
        )
    _refuse_another_lake(settings, about)
    series = None if "series_at" in about else Path(settings.series)
    if series is not None:
        _refuse_contents(series)
    try:
        with _all_or_nothing(series):
            if series is not None and (folder / SERIES).is_dir():
                shutil.copytree(folder / SERIES, series, dirs_exist_ok=True)
            _restore_registry(settings, folder / REGISTRY, about)
    except OSError as error:
        raise _failed(settings.home, error) from error
    return _read(folder, about)


def _refuse_another_lake(settings: Settings, about: dict[str, Any]) -> None:
    kept_at = about.get("series_at")
    if (kept_at or "://" in settings.series) and kept_at != settings.series:
        raise ConfigurationError(
            f"The backup's series are {f'at {kept_at}' if kept_at else 'in it'}, the settings name {settings.series}.",
            hint=f"Set MAINSEQUENCE_LAKE to {kept_at}." if kept_at else "Unset MAINSEQUENCE_LAKE, or name a folder.",
        )


@contextmanager
def _all_or_nothing(folder: Path | None) -> Iterator[None]:
    """Fill a folder that is not there, or is empty; where that fails, leave it so."""
    try:
        yield
    except BaseException:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _restore_registry(settings: Settings, folder: Path, about: dict[str, Any]) -> None:
    if settings.database_url is None:
        target = settings.home / "registry.db"
        if target.exists():
            raise AlreadyExistsError(f"{target} is there already.", hint="Restore into an empty home.")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part-{os.getpid()}")
        try:
            copies.copy_sqlite(folder / "registry.db", part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return
    engine = engine_of(settings)
    if engine is not None:
        copies.load_postgresql(engine, folder, about["schema"], about)
        engine.dispose()


def _read(folder: Path, about: dict[str, Any]) -> Backup:
    return Backup(folder, about["database"], about["schema"], about["rows"], about["files"], about["size"])
