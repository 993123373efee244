"""Migrations and tables say the same, and the head is the one that the software expects."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

import mainsequence.client as msc
from mainsequence.platform.registry.engine import open_sqlite, transaction
from mainsequence.platform.registry.migrations.run import configuration, upgrade
from mainsequence.platform.registry.schema import SCHEMA_HEAD, metadata
from tests.registry.databases import an_empty_database


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


def an_asset_of_before(connection: Connection) -> None:
    """Register an asset as the release before 0012 did, renamed once."""
    connection.execute(
        text(
            "INSERT INTO asset (organization_id, unique_identifier, created_at, security_type, security_market_sector,"
            " is_tradable, is_custom_by_organization) VALUES (1, 'a', 1, 'REIT', 'Equity', true, true)"
        )
    )
    snapshot = "INSERT INTO asset_snapshot (asset_id, effective_from, effective_to, name, venue_specific_properties)"
    for begins, ends, name in ((-(2**61), 1_600_000_000_000_000, "Old"), (1_600_000_000_000_000, 2**61, "New")):
        row = {"begins": begins, "ends": ends, "name": name}
        connection.execute(text(f"{snapshot} SELECT id, :begins, :ends, :name, '{{}}' FROM asset"), row)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_assets_of_before_have_been_what_they_are_and_get_a_history(
    kind: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_empty_database(kind, home) as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            upgrade(connection, "0011")
            an_asset_of_before(connection)
        engine.dispose()
        if kind == "postgresql":
            monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", url)
        asset = msc.Asset.get(unique_identifier="a")
        (always,) = asset.classifications()
        assert (always.security_type, always.security_market_sector) == ("REIT", "Equity")
        assert (always.effective_from, always.effective_to) == (None, None)
        asset.patch(security_market_sector="Corp", effective_from="2020-01-02")
        old, new = asset.classifications()
        assert (old.security_market_sector, new.security_market_sector) == ("Equity", "Corp")
        assert old.effective_to == new.effective_from == datetime(2020, 1, 2, tzinfo=UTC)
        assert [each.name for each in asset.snapshots()] == ["Old", "New"]
        msc.disconnect()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_universes_deleted_before_keep_their_revisions(kind: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed knows them: the last head of each name, of those that had any revision."""
    with an_empty_database(kind, home) as url:
        engine = create_engine(url)
        event = (
            "INSERT INTO category_change (organization_id, position, kind, category_id, unique_identifier, recorded_at,"
            " actor, revision, is_private) VALUES (1, :position, :kind, :id, :name, 1, 'ada', :revision, false)"
        )
        told = [("deleted", 1, "a", 2), ("deleted", 2, "a", 5), ("deleted", 3, "b", 0), ("described", 4, "c", 7)]
        with engine.begin() as connection:
            upgrade(connection, "0015")
            for position, (what, key, name, revision) in enumerate(told, 1):
                row = {"position": position, "kind": what, "id": key, "name": name, "revision": revision}
                connection.execute(text(event), row)
            connection.execute(text("INSERT INTO change_feed VALUES (1, 4, 1)"))
        engine.dispose()
        if kind == "postgresql":
            monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", url)
        made = {name: msc.AssetCategory.create(unique_identifier=name).revision for name in "abc"}
        assert made == {"a": 5, "b": 0, "c": 0}
        msc.disconnect()
