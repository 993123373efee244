"""Migrations and tables say the same, and the head is the one that the software expects."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mainsequence.platform.registry.engine import open_sqlite, transaction
from mainsequence.platform.registry.migrations.run import configuration
from mainsequence.platform.registry.schema import SCHEMA_HEAD, metadata


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "registry.db")
    with transaction(engine, writes=False) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_expected_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == SCHEMA_HEAD


def test_membership_rows_are_found_by_key_alone(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "registry.db")
    reading = (
        "EXPLAIN QUERY PLAN SELECT asset_id FROM category_membership WHERE category_id = 1"
        " AND removed_revision = 9 AND valid_to > 5 AND valid_from <= 5"
    )
    with transaction(engine, writes=False) as connection:
        plan = str(connection.exec_driver_sql(reading).fetchall())
    assert "USING PRIMARY KEY (category_id=? AND removed_revision=? AND valid_to>?)" in plan
