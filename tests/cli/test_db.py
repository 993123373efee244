"""``mainsequence db``: versions, checks and backups, on SQLite and PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.platform.registry.tables import SCHEMA_HEAD
from tests.cli.runner import answer, refusal, run
from tests.postgresql import new_database, server

DAY = datetime(2024, 1, 2, tzinfo=UTC)
Elsewhere = Callable[[], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Elsewhere]:
    """Work on one database or the other; a call moves to a new, empty place."""
    with ExitStack() as stack:
        if request.param == "postgresql":
            monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", stack.enter_context(new_database()))

        def move() -> None:
            msc.disconnect()
            monkeypatch.setenv("MAINSEQUENCE_HOME", str(tmp_path / "elsewhere"))
            if request.param == "postgresql":
                running = server()
                monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", running.url(running.create()))

        yield move
        msc.disconnect()


def fill() -> dict[str, Any]:
    """Make one of everything, with a past, and give what it reads as."""
    names = [
        {"unique_identifier": f"asset-{number}", "snapshot": {"name": "back\\slash, \\N and Ω"}} for number in range(3)
    ]
    ids = [asset.id for asset in msc.Asset.batch_get_or_register_custom_assets(names)]
    msc.Asset.get(ids[0]).patch(security_market_sector="Ωμέγα", effective_from=DAY)
    msc.Asset.get(ids[0]).patch(security_market_sector="Equity")
    universe = msc.AssetCategory.get_or_create(unique_identifier="u")
    universe.append_assets(asset_ids=ids, weights=[0.1, 0.2, 0.3], reason="tab\t, line\n, Ωμέγα")
    universe.remove_assets(asset_ids=ids[:1], effective_from=DAY)
    deleted = msc.AssetCategory.get_or_create(unique_identifier="gone")
    deleted.delete()
    series = msc.Series.create(unique_identifier="closes", columns={"close": "float64"})
    series.append(pd.DataFrame({"time_index": [DAY], "unique_identifier": ["asset-0"], "close": [1.5]}))
    return everything() | {"next_id": deleted.id + 1}


def everything() -> dict[str, Any]:
    universe = msc.AssetCategory.get(unique_identifier="u")
    return {
        "assets": [asset.name for asset in msc.Asset.filter()],
        "sectors": [each.model_dump() for asset in msc.Asset.filter() for each in asset.classifications()],
        "history": [each.model_dump() for each in universe.history()],
        "members": universe.members().to_csv(),
        "first": universe.weights(revision=1),
        "rows": msc.Series.get(unique_identifier="closes").read().to_csv(),
    }


def test_a_backup_restores_everything_elsewhere(elsewhere: Elsewhere, tmp_path: Path) -> None:
    before = fill()
    made = answer("db", "backup", tmp_path / "backup")
    assert made["rows"]["asset"] == 3
    assert made["series_files"] > 0
    msc.AssetCategory.get(unique_identifier="u").update_assets(asset_ids=[])
    elsewhere()
    assert answer("db", "restore", tmp_path / "backup", "--yes")["rows"] == made["rows"]
    found = everything()
    assert found == {name: before[name] for name in found}
    assert msc.AssetCategory.get_or_create(unique_identifier="next").id == before["next_id"]
    assert [each for each in answer("db", "check") if not each["ok"]] == []


def test_a_backup_is_not_restored_over_anything(elsewhere: Elsewhere, tmp_path: Path) -> None:
    before = fill()
    answer("db", "backup", tmp_path / "backup")
    assert "already" in refusal("db", "restore", tmp_path / "backup", "--yes")
    assert everything().items() <= before.items()
    elsewhere()
    msc.AssetCategory.get_or_create(unique_identifier="mine")
    assert "already" in refusal("db", "restore", tmp_path / "backup", "--yes")
    assert [each.unique_identifier for each in msc.AssetCategory.filter()] == ["mine"]
    assert [each for each in answer("db", "check") if not each["ok"]] == []


def test_a_backup_is_not_written_over_anything(elsewhere: Elsewhere, tmp_path: Path) -> None:
    msc.connect()
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "mine").touch()
    assert "not empty" in refusal("db", "backup", tmp_path / "backup")
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["mine"]


def test_a_folder_without_a_backup_is_refused(elsewhere: Elsewhere, tmp_path: Path) -> None:
    assert "no backup" in refusal("db", "restore", tmp_path, "--yes")


@pytest.mark.unopened
def test_a_backup_that_is_damaged_leaves_an_empty_home(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    for name in ("whole", "damaged"):
        run("db", "backup", str(tmp_path / name))
    with (tmp_path / "damaged" / "registry" / "registry.db").open("r+b") as file:
        file.truncate(50_000)
    msc.disconnect()
    monkeypatch.setenv("MAINSEQUENCE_HOME", str(tmp_path / "elsewhere"))
    refusal("db", "restore", str(tmp_path / "damaged"), "--yes")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    run("db", "restore", str(tmp_path / "whole"), "--yes")
    assert len(msc.Asset.filter()) == 3


def test_a_backup_of_the_other_database_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("db", "upgrade")
    run("db", "backup", tmp_path / "backup")
    monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", server().url("anything"))
    assert "MAINSEQUENCE_DATABASE_URL" in refusal("db", "restore", tmp_path / "backup", "--yes")


def test_upgrade_brings_an_empty_place_to_the_version_expected(elsewhere: Elsewhere) -> None:
    elsewhere()
    found = answer("db", "current")
    assert (found["version"], found["expected"], found["is_current"]) == (None, SCHEMA_HEAD, False)
    assert [each["ok"] for each in answer("db", "check", code=1)] == [False]
    assert "upgrade" in refusal("db", "backup", "nowhere")
    assert SCHEMA_HEAD in run("db", "upgrade").stderr
    assert answer("db", "current")["is_current"]
    assert "already" in run("db", "upgrade").stderr


def test_passwords_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in refusal("db", "current")


def test_a_home_may_be_named(tmp_path: Path) -> None:
    assert "new" in run("--home", tmp_path / "named", "db", "upgrade").stderr
    assert (tmp_path / "named" / "registry.db").exists()


def test_check_finds_what_is_broken(home: Path) -> None:
    fill()
    msc.disconnect()
    with sqlite3.connect(home / "registry.db") as connection:
        connection.execute("UPDATE category SET head_revision = 9")
        connection.execute("UPDATE series SET storage_name = 'nowhere'")
        connection.execute(
            "INSERT INTO category_membership SELECT category_id, removed_revision, valid_to - 1, asset_id,"
            " valid_from, added_revision, weight FROM category_membership WHERE asset_id = 2"
        )
    found = {each["check"]: each["ok"] for each in answer("db", "check", code=1)}
    assert [check for check, ok in found.items() if ok] == ["version", "integrity", "references"]
    assert [check for check, ok in found.items() if not ok] == ["validity", "revisions", "series"]


def test_a_server_s_database_is_looked_after_on_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSEQUENCE_ENDPOINT", "https://example.com")
    assert "https://example.com" in refusal("db", "current")
