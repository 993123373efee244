"""The registry's database as those see it who look after it: where it is, its version, whether it is sound."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, func, make_url, or_, select, text

from mainsequence.platform.registry.engine import postgresql, sqlite, transaction, version
from mainsequence.platform.registry.tables import NEVER, SCHEMA_HEAD, category, category_membership, category_revision
from mainsequence.platform.registry.tables import series as series_table
from mainsequence.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked."""

    check: str
    ok: bool
    found: str


def described(settings: Settings) -> str:
    """Say where the registry is, without its password."""
    if settings.database_url is None:
        return str(settings.home / "registry.db")
    return make_url(settings.database_url).render_as_string()


def engine_of(settings: Settings) -> Engine | None:
    """Open the registry as it is, without bringing it up to date; ``None`` where there is none."""
    if settings.database_url is not None:
        return postgresql(settings.database_url)
    file = settings.home / "registry.db"
    return sqlite(file) if file.exists() else None


def current(settings: Settings) -> str | None:
    """Give the last migration that was applied; ``None`` where there is no registry."""
    engine = engine_of(settings)
    if engine is None:
        return None
    try:
        return version(engine)
    finally:
        engine.dispose()


def check(settings: Settings) -> list[Finding]:
    """Check the version, the files or constraints of the database, the ledger, and that every series has its table.

    Raises
    ------
    StorageError
        The database cannot be reached.
    """
    engine = engine_of(settings)
    found = None if engine is None else version(engine)
    findings = [Finding("version", found == SCHEMA_HEAD, f"{found or 'no registry'}, expected {SCHEMA_HEAD}")]
    if engine is None:
        return findings
    try:
        if found == SCHEMA_HEAD:
            with transaction(engine, writes=False) as connection:
                findings += _sound(connection, settings)
    finally:
        engine.dispose()
    return findings


def _sound(connection: Connection, settings: Settings) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        integrity = str(connection.execute(text("PRAGMA integrity_check")).scalar())
        yield Finding("integrity", integrity == "ok", integrity)
        orphans = len(connection.execute(text("PRAGMA foreign_key_check")).fetchall())
        yield Finding("references", not orphans, f"{orphans} rows refer to nothing")
    overlaps = _overlaps(connection)
    yield Finding("validity", not overlaps, f"{overlaps} overlapping intervals at the heads")
    broken = _broken_heads(connection)
    yield Finding("revisions", not broken, f"{broken} universes whose head is not their last revision")
    missing = _missing_tables(connection, settings)
    yield Finding("series", not missing, f"{len(missing)} series without a table")


def _missing_tables(connection: Connection, settings: Settings) -> list[str]:
    from mainsequence.platform.lake import Lake

    lake = Lake(settings.series, derived=settings.derived)
    return [name for name in connection.scalars(select(series_table.c.storage_name)) if not lake.exists(name)]


def _overlaps(connection: Connection) -> int:
    a, b = category_membership.alias("a"), category_membership.alias("b")
    same = and_(
        a.c.category_id == b.c.category_id,
        a.c.asset_id == b.c.asset_id,
        b.c.removed_revision == NEVER,
        a.c.valid_from < b.c.valid_to,
        b.c.valid_from < a.c.valid_to,
        or_(a.c.valid_from < b.c.valid_from, and_(a.c.valid_from == b.c.valid_from, a.c.valid_to < b.c.valid_to)),
    )
    query = select(func.count()).select_from(a.join(b, same)).where(a.c.removed_revision == NEVER)
    return int(connection.scalar(query) or 0)


def _broken_heads(connection: Connection) -> int:
    last = select(func.coalesce(func.max(category_revision.c.revision), category.c.first_revision)).where(
        category_revision.c.category_id == category.c.id
    )
    wrong = category.c.head_revision != last.scalar_subquery()
    return int(connection.scalar(select(func.count()).select_from(category).where(wrong)) or 0)
