"""The examination of a platform where it is kept: home, database, lake, clock. It changes nothing."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select, text

from mainsequence.domain.findings import Finding, examined, fine, skew, worth_a_look, wrong
from mainsequence.platform import databases
from mainsequence.platform.figi import resolver
from mainsequence.platform.registry.engine import transaction, version
from mainsequence.platform.registry.tables import SCHEMA_HEAD, category_revision
from mainsequence.settings import Settings

LITTLE_SPACE, NO_SPACE = 2 * 1024**3, 200 * 1024**2
OLDEST_POSTGRESQL = 15
_ADVICE = {
    "integrity": "Restore the last backup (mainsequence db restore); do not write to this one.",
    "references": "Restore the last backup, and report how it came to this.",
    "validity": "Restore the last backup, and report how it came to this.",
    "revisions": "Restore the last backup, and report how it came to this.",
    "series": "Check MAINSEQUENCE_HOME and MAINSEQUENCE_LAKE; else restore the series from a backup.",
}


def examine(settings: Settings) -> Iterator[Finding]:
    """Examine a platform that is kept on this machine, or by it."""
    yield from examined("settings", lambda: _resolver(settings))
    yield from examined("home", lambda: _home(settings.home))
    yield from examined("database", lambda: _database(settings))
    yield from examined("lake", lambda: _lake(settings))


def _resolver(settings: Settings) -> Iterator[Finding]:
    """Find a resolver of FIGIs that is not there."""
    resolver(settings.figi_resolver, settings.openfigi_key)
    yield from ()


def _home(home: Path) -> Iterator[Finding]:
    place = _standing(home)
    if not place.is_dir():
        yield wrong("home", f"{place} is no folder", "Set MAINSEQUENCE_HOME to a folder.")
        return
    if not os.access(place, os.W_OK):
        yield wrong("home", f"{place} cannot be written", "Set MAINSEQUENCE_HOME to a folder that you may write.")
    elif place != home:
        yield fine("home", f"{home} is not there yet; the first command makes it")
    else:
        yield fine("home", f"{home} can be written")
    free = shutil.disk_usage(place).free
    found = f"{free / 1024**3:,.1f} GiB are free at {place}"
    if free < LITTLE_SPACE:
        judge = wrong if free < NO_SPACE else worth_a_look
        yield judge("space", found, "Free some: a full disk refuses every write.")
    else:
        yield fine("space", found)


def _standing(folder: Path) -> Path:
    """Give the folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _database(settings: Settings) -> Iterator[Finding]:
    place = databases.described(settings)
    engine = databases.engine_of(settings)
    if engine is None:
        yield fine("database", f"{place} is not there yet; the first command makes it")
        return
    try:
        began = time.time()
        found = version(engine)
        yield fine("database", f"{place} answers")
        yield _schema(found)
        with transaction(engine, writes=False) as connection:
            if connection.dialect.name == "postgresql":
                yield _postgresql(connection.scalar(text("SHOW server_version_num")))
                began = time.time()
                now = float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
                yield skew("clock", now - (began + time.time()) / 2, "the database's clock")
            if found == SCHEMA_HEAD:
                newest = int(connection.scalar(select(func.max(category_revision.c.recorded_at))) or 0) / 1e6
                yield from _past(newest - began)
    finally:
        engine.dispose()
    yield from (_sound(each) for each in databases.check(settings) if each.check != "version")


def _schema(found: str | None) -> Finding:
    if found == SCHEMA_HEAD:
        return fine("version", f"the registry is at {found}, as this release expects")
    if found is not None and found > SCHEMA_HEAD:
        advice = "Install the newer release that wrote it."
        return wrong("version", f"the registry is at {found}, this release knows {SCHEMA_HEAD}", advice)
    return worth_a_look(
        "version",
        f"the registry is at {found or 'no version'}, this release expects {SCHEMA_HEAD}",
        "Back it up, then run mainsequence db upgrade; any other command does it too.",
    )


def _postgresql(number: object) -> Finding:
    major = int(str(number)) // 10_000
    if major < OLDEST_POSTGRESQL:
        return wrong("postgresql", f"version {major}", f"PostgreSQL {OLDEST_POSTGRESQL} or newer is needed.")
    return fine("postgresql", f"version {major}")


def _past(ahead: float) -> Iterator[Finding]:
    if ahead > 5:
        yield wrong(
            "clock",
            f"the newest revision is {ahead:,.0f} s in the future",
            "Set this machine's clock, or keep it by NTP.",
        )


def _sound(found: databases.Finding) -> Finding:
    if found.ok:
        return fine(found.check, found.found)
    return wrong(found.check, found.found, _ADVICE.get(found.check, "Restore the last backup."))


def _lake(settings: Settings) -> Iterator[Finding]:
    remote = "://" in settings.series
    if not remote and not Path(settings.series).exists():
        yield _lake_to_be(Path(settings.series))
        return
    began = time.perf_counter()
    _probe(settings)
    yield fine(
        "lake", f"{settings.series} took, gave back and let go of a table in {time.perf_counter() - began:.2f} s"
    )


def _lake_to_be(folder: Path) -> Finding:
    place = _standing(folder.absolute())
    if place.is_dir() and os.access(place, os.W_OK):
        return fine("lake", f"{folder} is not there yet; the first series makes it")
    found = f"{folder} is not there, and cannot be made in {place}"
    return wrong("lake", found, "Mount what belongs there, or set MAINSEQUENCE_LAKE to a folder that you may write.")


def _probe(settings: Settings) -> None:
    """Make a table in a corner of its own, write to it, read it, remove it."""
    import pyarrow as pa

    from mainsequence.domain.series import SeriesSchema
    from mainsequence.errors import StorageError
    from mainsequence.platform.lake import Lake

    corner = f"{settings.series}/.doctor-{uuid4().hex}"
    lake = Lake(corner)
    rows = pa.table({"time_index": pa.array([0], pa.timestamp("us", "UTC")), "value": pa.array([1.0])})
    try:
        lake.create("probe", SeriesSchema.of({"value": "float64"}, by_asset=False))
        lake.append("probe", rows)
        if lake.read("probe").column("value").to_pylist() != [1.0]:
            raise StorageError(f"{settings.series} gave back something else than was written.")
        lake.drop("probe")
    finally:
        if "://" not in corner:
            shutil.rmtree(corner, ignore_errors=True)
