"""Bad input and bad disks: a clear typed error, and nothing changed."""

import os
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mainsequence.client as msc
from mainsequence.client import connection
from mainsequence.contract.assets import QUERY, AssetQuery
from mainsequence.contract.categories import REGISTER_REFERENCE
from mainsequence.domain.categories import Reference
from mainsequence.errors import (
    InvalidIdentifierError,
    InvalidIntervalError,
    InvalidWeightsError,
    NaiveTimestampError,
    ReadOnlyStorageError,
    StorageFullError,
    UnknownFieldError,
)


@pytest.fixture
def category() -> msc.AssetCategory:
    msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "a"}, {"unique_identifier": "b"}])
    return msc.AssetCategory.get_or_create(unique_identifier="universe")


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"effective_from": datetime(2024, 1, 1)}, NaiveTimestampError, "time zone"),  # noqa: DTZ001
        ({"effective_from": "2024-01-01T10:00:00"}, NaiveTimestampError, "time zone"),
        ({"effective_from": "2024-02-01", "effective_to": "2024-01-01"}, InvalidIntervalError, "not after"),
        ({"effective_from": "2024-02-01", "effective_to": "2024-02-01"}, InvalidIntervalError, "not after"),
        ({"effective_from": "yesterday"}, msc.ValidationError, "ISO 8601"),
        ({"effective_from": 20240101}, msc.ValidationError, "20240101"),
        ({"reason": "x" * 5_000}, msc.ValidationError, "reason"),
        ({"reason": "a\x00b"}, msc.ValidationError, "reason.*NUL"),
        ({"asset_ids": ["1"]}, msc.ValidationError, "whole numbers"),
        ({"asset_ids": [1.5]}, msc.ValidationError, "whole numbers"),
        ({"asset_ids": None}, msc.ValidationError, "assets="),
        ({"assets": [1]}, msc.ValidationError, "one of the two"),
        ({"asset_ids": None, "assets": [1]}, msc.ValidationError, "asset_ids="),
    ],
)
def test_a_bad_edit_changes_nothing(
    category: msc.AssetCategory, asked: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        category.append_assets(**{"asset_ids": [1], **asked})
    assert category.refresh().revision == 0


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"unique_identifier": ""}, InvalidIdentifierError),
        ({"unique_identifier": "   "}, InvalidIdentifierError),
        ({"unique_identifier": "a\x00b"}, InvalidIdentifierError),
        ({"unique_identifier": "x" * 5_000}, InvalidIdentifierError),
        ({"unique_identifier": "sp500@12"}, InvalidIdentifierError),
        ({"unique_identifier": "ok", "display_name": "x" * 5_000}, msc.ValidationError),
        ({"unique_identifier": "ok", "display_name": " "}, msc.ValidationError),
        ({"unique_identifier": "ok", "description": "x" * 5_000}, msc.ValidationError),
        ({"unique_identifier": "ok", "description": "a\x00b"}, msc.ValidationError),
        ({"unique_identifier": "ok", "asset_ids": [999]}, msc.UnknownAssetsError),
        ({"display_name": 5}, msc.ValidationError),
        ({}, msc.ValidationError),
    ],
)
def test_a_bad_universe_is_not_created(asked: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        msc.AssetCategory.get_or_create(**asked)
    assert msc.AssetCategory.filter() == []


@pytest.mark.parametrize(("kind", "identifier"), [("k" * 51, "i"), ("k", "i" * 256), ("k\x00", "i"), ("k", "i\x00")])
def test_a_reader_that_no_database_can_name_is_refused(category: msc.AssetCategory, kind: str, identifier: str) -> None:
    with pytest.raises(msc.ValidationError):
        read_by(category, kind, identifier)
    assert category.references() == []


def read_by(category: msc.AssetCategory, kind: str, identifier: str) -> None:
    reader = Reference(kind=kind, identifier=identifier)
    connection.carrier().call(REGISTER_REFERENCE, reader, key=category.id)


def test_every_finding_is_named_at_once() -> None:
    with pytest.raises(msc.ValidationError) as caught:
        msc.Asset.create(unique_identifier=" ", isin="US0378331004", name="x" * 5_000)
    assert all(word in str(caught.value) for word in ("blank", "check digit", "255"))


def test_an_unknown_field_is_named_with_the_allowed_ones() -> None:
    with pytest.raises(UnknownFieldError, match=r"'tikcer'.*unique_identifier"):
        msc.Asset.create(unique_identifier="a", tikcer="A")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    msc.disconnect()
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.embedded
def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path) -> None:
    with msc.session(str(small_disk)):
        msc.AssetCategory.get_or_create(unique_identifier="universe")
        batch = [{"unique_identifier": f"asset-{number}", "name": "n" * 200} for number in range(5_000)]
        with pytest.raises(StorageFullError, match="full"):
            msc.Asset.batch_get_or_register_custom_assets(batch)
        assert msc.Asset.filter() == []
        assert len(msc.AssetCategory.filter()) == 1
        assert len(msc.Asset.batch_get_or_register_custom_assets(batch[:10])) == 10


@pytest.mark.embedded
def test_a_home_on_a_full_disk_is_refused_clearly(small_disk: Path) -> None:
    with pytest.raises(OSError, match="space"):
        (small_disk / "filler").write_bytes(b"0" * 2_000_000)
    with pytest.raises(StorageFullError), msc.session(str(small_disk / "home")):
        msc.AssetCategory.filter()


@pytest.mark.embedded
def test_a_read_only_home_reads_and_refuses_to_write(small_disk: Path) -> None:
    with msc.session(str(small_disk)):
        msc.AssetCategory.get_or_create(unique_identifier="universe")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with msc.session(str(small_disk)):
        assert [category.unique_identifier for category in msc.AssetCategory.filter()] == ["universe"]
        with pytest.raises(ReadOnlyStorageError, match="cannot be written"):
            msc.AssetCategory.get_or_create(unique_identifier="other")


@pytest.mark.embedded
def test_a_home_that_cannot_be_made_is_refused_clearly(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(ReadOnlyStorageError, match="MAINSEQUENCE_HOME"), msc.session(str(small_disk / "home")):
        pass


@pytest.mark.embedded
def test_a_home_that_is_a_file_is_refused_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="MAINSEQUENCE_HOME"), msc.session(str(tmp_path / "file")):
        pass


@pytest.mark.embedded
def test_a_registry_from_a_newer_release_is_refused(home: Path) -> None:
    import sqlite3

    msc.connect(str(home))
    msc.disconnect()
    with sqlite3.connect(home / "registry.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(msc.MainSequenceError, match="newer release"):
        msc.connect(str(home))


def test_a_forked_process_opens_its_own_connection(category: msc.AssetCategory) -> None:
    child = os.fork()
    if child == 0:
        created = msc.AssetCategory.get_or_create(unique_identifier="from_the_child")
        os._exit(0 if created.id else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert {each.unique_identifier for each in msc.AssetCategory.filter()} == {"universe", "from_the_child"}


@pytest.mark.parametrize("ids", [0, "", "12", False, {1: 2}, [2**70], [float("nan")]])
def test_what_is_no_list_of_ids_never_empties_a_universe(category: msc.AssetCategory, ids: Any) -> None:
    category.append_assets(asset_ids=[1])
    with pytest.raises(msc.ValidationError):
        category.update_assets(asset_ids=ids)
    assert category.refresh().assets == [1]


@pytest.mark.parametrize("kind", [np.array, pd.Series, iter, set, tuple])
def test_any_iterable_of_whole_numbers_names_assets(category: msc.AssetCategory, kind: Any) -> None:
    assert category.append_assets(asset_ids=kind([1, 2])).assets == [1, 2]


@pytest.mark.parametrize("weights", [["a", "b"], [None, 1.0], 0.5, "ab"])
def test_weights_that_are_no_numbers_are_refused(category: msc.AssetCategory, weights: Any) -> None:
    with pytest.raises(InvalidWeightsError):
        category.append_assets(asset_ids=[1, 2], weights=weights)
    assert category.refresh().revision == 0


@pytest.mark.parametrize("time", [pd.NaT, pd.Timestamp("2024-01-01 00:00:00.000000001", tz="UTC")])
def test_times_that_are_none_or_too_fine_are_refused(category: msc.AssetCategory, time: Any) -> None:
    for ask in (category.get_assets, category.members):
        with pytest.raises(msc.ValidationError):
            ask(time)
    with pytest.raises(msc.ValidationError):
        category.append_assets(asset_ids=[1], effective_from=time)
    with pytest.raises(msc.ValidationError):
        category.mask(pd.DatetimeIndex(["2020-01-01", pd.NaT], tz="UTC"))
    assert category.refresh().revision == 0


def test_assets_of_another_platform_are_refused(category: msc.AssetCategory, tmp_path: Path) -> None:
    own = msc.Asset.get(unique_identifier="a")
    with msc.session(str(tmp_path / "other")):
        msc.Asset.batch_get_or_register_custom_assets([{"unique_identifier": "x"}])
        there = msc.AssetCategory.create(unique_identifier="there")
        with pytest.raises(msc.ValidationError, match="another platform"):
            there.append_assets(assets=[own])
        with pytest.raises(msc.ValidationError, match="another platform"):
            msc.AssetCategory.containing(own)
        assert there.refresh().assets == []


def test_a_dated_universe_with_an_end_alone_begins_now(category: msc.AssetCategory) -> None:
    index = msc.AssetCategory.create(unique_identifier="index", dated=True)
    index.append_assets(asset_ids=[1], effective_to="2999-01-01")
    assert index.asset_ids("2020-01-01") == []
    assert index.assets == [1]
    with pytest.raises(InvalidIntervalError):
        index.remove_assets(asset_ids=[1], effective_to="2020-01-01")


@pytest.mark.parametrize("fields", [{"display_name": None}, {"assets": None}])
def test_what_always_holds_something_cannot_be_patched_to_nothing(
    category: msc.AssetCategory, fields: dict[str, None]
) -> None:
    with pytest.raises(msc.ValidationError, match="cannot be None"):
        category.patch(**fields)


def test_a_number_beyond_64_bits_is_refused_like_any_other_that_is_no_id(category: msc.AssetCategory) -> None:
    table = msc.AssetTranslationTable.get_or_create(unique_identifier="routes")
    for beyond in (2**63, 10**30, -(10**30)):
        for kind in (msc.Asset, msc.AssetCategory, msc.AssetTranslationTable):
            with pytest.raises(msc.NotFoundError):
                kind.get(beyond)
        with pytest.raises(msc.ValidationError):
            connection.carrier().call(QUERY, AssetQuery(after=beyond))
        with pytest.raises(msc.ValidationError):
            category.explain(beyond)
        with pytest.raises(msc.ValidationError):
            table.evaluate_asset(beyond)
        with pytest.raises(msc.ValidationError):
            table.coverage(asset_ids=[beyond])
