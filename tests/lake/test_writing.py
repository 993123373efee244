"""What is written is what is read, once, and nothing else changes."""

import itertools
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from mainsequence.domain.series import RowSelection, SeriesQuery, SeriesSchema
from mainsequence.errors import (
    AlreadyExistsError,
    ConfigurationError,
    ExistingRowsError,
    NotFoundError,
    SchemaMismatchError,
    ValidationError,
)
from mainsequence.platform.lake import Lake
from mainsequence.platform.lake.writing import slices
from tests.lake.tables import PRICES, TIMESTAMP, at, batch, prices, rows_of

FIRST = [(at(2020), "a", 1.0, 10), (at(2020), "b", 2.0, 20), (at(2021), "a", 3.0, 30)]


def test_appended_rows_are_read_back(lake: Lake) -> None:
    outcome = lake.append("prices", prices(reversed(FIRST)))
    assert (outcome.version, outcome.inserted) == (1, 3)
    assert rows_of(lake.read("prices")) == FIRST


def test_appending_rows_that_exist_is_refused_and_changes_nothing(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    with pytest.raises(ExistingRowsError, match="already has 1 of the 2 rows"):
        lake.append("prices", prices([FIRST[0], (at(2022), "a", 4.0, 40)]))
    assert lake.version("prices") == 1
    assert rows_of(lake.read("prices")) == FIRST


def test_upsert_inserts_updates_and_leaves_equal_rows(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    outcome = lake.upsert("prices", prices([FIRST[0], (at(2020), "b", 2.5, None), (at(2019), "c", None, 1)]))
    assert (outcome.version, outcome.inserted, outcome.updated, outcome.unchanged) == (2, 1, 1, 1)
    expected = [(at(2019), "c", None, 1), FIRST[0], (at(2020), "b", 2.5, None), FIRST[2]]
    assert rows_of(lake.read("prices")) == expected
    assert rows_of(lake.read("prices", SeriesQuery(version=1))) == FIRST


@pytest.mark.parametrize("value", [1.0, None, float("nan"), float("inf"), -0.0])
def test_writing_the_same_rows_again_leaves_the_version(lake: Lake, value: float | None) -> None:
    rows = prices([(at(2020), "a", value, None)])
    assert lake.upsert("prices", rows).version == 1
    again = lake.upsert("prices", rows)
    assert (again.version, again.changed, again.unchanged) == (1, False, 1)
    assert len(lake.history("prices")) == 2


def test_writing_no_rows_leaves_the_version(lake: Lake) -> None:
    assert lake.upsert("prices", prices([])).version == 0
    assert lake.append("prices", prices([])).version == 0
    assert lake.read("prices").num_rows == 0


def test_replace_makes_a_range_exactly_the_rows_given(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    chosen = RowSelection(start=at(2020), end=at(2021))
    outcome = lake.replace("prices", prices([(at(2020, 2), "b", 9.0, 9)]), chosen)
    assert (outcome.inserted, outcome.deleted) == (1, 2)
    assert rows_of(lake.read("prices")) == [(at(2020, 2), "b", 9.0, 9), FIRST[2]]
    assert not lake.replace("prices", prices([(at(2020, 2), "b", 9.0, 9)]), chosen).changed


def test_replace_refuses_rows_outside_its_range(lake: Lake) -> None:
    with pytest.raises(ValidationError, match="outside"):
        lake.replace("prices", prices(FIRST), RowSelection(start=at(2020), end=at(2021)))
    assert lake.version("prices") == 0


def test_replace_without_a_range_replaces_everything(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    outcome = lake.replace("prices", prices([FIRST[1]]))
    assert (outcome.deleted, outcome.unchanged) == (2, 1)
    assert rows_of(lake.read("prices")) == [FIRST[1]]


def test_deleting_rows_of_an_asset_keeps_the_others_and_the_past(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    assert lake.delete_rows("prices", RowSelection(unique_identifiers=("a", "zz"))).deleted == 2
    assert rows_of(lake.read("prices")) == [FIRST[1]]
    assert rows_of(lake.read("prices", SeriesQuery(version=1))) == FIRST
    assert not lake.delete_rows("prices", RowSelection(unique_identifiers=("zz",))).changed


def test_many_small_writes_are_merged_into_few_files_without_versions_of_their_own(lake: Lake) -> None:
    for day in range(60):
        lake.append("prices", prices([(at(2020, 1 + day // 28, 1 + day % 28), "a", float(day), day)]))
    assert lake.version("prices") == 60
    assert lake.read("prices").column("close").to_pylist() == [float(day) for day in range(60)]
    assert len(lake._table("prices").log.newest().files) <= 16
    for version in (0, 1, 15, 16, 17, 49, 50, 51):
        assert lake.read("prices", SeriesQuery(version=version)).num_rows == version


def test_checkpoints_keep_reopening_right(lake: Lake) -> None:
    for number in range(52):
        lake.upsert("prices", prices([(at(2020), "a", float(number), number)]))
    reopened = Lake(lake.root)
    assert reopened.version("prices") == 52
    assert rows_of(reopened.read("prices")) == [(at(2020), "a", 51.0, 51)]
    assert [each.version for each in reopened.history("prices")] == list(range(53))


def test_history_tells_what_each_version_did(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    lake.delete_rows("prices", RowSelection(end=at(2021)))
    told = [(each.version, each.operation, each.inserted, each.deleted) for each in lake.history("prices")]
    assert told == [(0, "create", 0, 0), (1, "append", 3, 0), (2, "delete", 0, 2)]


@pytest.mark.parametrize(
    "convert",
    [
        lambda t: t.select(["volume", "close", "unique_identifier", "time_index"]),
        lambda t: t.set_column(1, "unique_identifier", t.column("unique_identifier").dictionary_encode()),
        lambda t: t.set_column(1, "unique_identifier", t.column("unique_identifier").cast(pa.large_string())),
        lambda t: t.set_column(0, "time_index", t.column("time_index").cast(pa.timestamp("ns", "America/New_York"))),
        lambda t: t.set_column(3, "volume", t.column("volume").cast(pa.int16())),
        lambda t: t.set_column(2, "close", t.column("close").cast(pa.float32())),
        lambda t: t.set_column(2, "close", t.column("close").cast(pa.int32())),
    ],
)
def test_equivalent_tables_are_stored_alike(lake: Lake, convert: object) -> None:
    lake.append("prices", convert(prices(FIRST)))  # type: ignore[operator]
    assert rows_of(lake.read("prices")) == FIRST


def test_every_dtype_survives(lake: Lake) -> None:
    kinds = ("float64", "int64", "bool", "string", "timestamp", "date")
    lake.create("all", SeriesSchema.of({f"c_{kind}": kind for kind in kinds}, by_asset=False))
    table = pa.table(
        {
            "time_index": pa.array([at(1, 1, 1), at(2020, micro=1), at(9999, 12, 31, 23, 999_999)], TIMESTAMP),
            "c_float64": pa.array([float("nan"), -1e308, None]),
            "c_int64": pa.array([2**63 - 1, -(2**63), None]),
            "c_bool": pa.array([True, False, None]),
            "c_string": pa.array(["", "ä\n", None]),
            "c_timestamp": pa.array([at(1969, micro=7), at(2262), None], TIMESTAMP),
            "c_date": pa.array([at(1960).date(), at(2100).date(), None], pa.date32()),
        }
    )
    lake.append("all", table)
    found = lake.read("all")
    assert found.schema.types == table.schema.types
    assert repr(rows_of(found)) == repr(rows_of(table))
    assert not lake.upsert("all", table).changed


def test_creating_twice_is_refused_unless_the_schema_is_the_same(lake: Lake) -> None:
    with pytest.raises(AlreadyExistsError):
        lake.create("prices", PRICES)
    lake.create("prices", PRICES, exists_ok=True)
    with pytest.raises(SchemaMismatchError):
        lake.create("prices", SeriesSchema.of({"close": "float64"}), exists_ok=True)


def test_a_dropped_table_is_gone_and_its_name_is_free_again(lake: Lake) -> None:
    lake.append("prices", prices(FIRST))
    lake.statistics("prices")
    lake.drop("prices")
    lake.drop("prices")
    assert not lake.exists("prices")
    with pytest.raises(NotFoundError):
        lake.read("prices")
    lake.create("prices", PRICES)
    assert lake.version("prices") == 0
    assert lake.statistics("prices").count == 0


@pytest.mark.parametrize("folder", ["with blanks", "100%", "a#b?c", "ünï", "[1]*{2}", "it's"])
def test_any_folder_can_hold_a_lake(tmp_path: Path, folder: str) -> None:
    lake = Lake(tmp_path / folder)
    lake.create("prices", PRICES)
    lake.append("prices", prices(FIRST))
    lake.upsert("prices", prices([(at(2020), "a", 7.0, 7)]))
    assert rows_of(Lake(tmp_path / folder).read("prices"))[0] == (at(2020), "a", 7.0, 7)
    assert lake.statistics("prices").count == 3
    assert [each.name for each in tmp_path.iterdir()] == [folder]


def test_a_folder_that_delta_lake_would_misread_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="without it"):
        Lake(tmp_path / "100%20")


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake("series")
    lake.create("prices", PRICES)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    lake.append("prices", prices(FIRST))
    assert lake.read("prices").num_rows == 3
    assert Lake(tmp_path / "series").version("prices") == 1


def test_a_table_dropped_and_made_again_elsewhere_is_noticed(tmp_path: Path) -> None:
    one, other = Lake(tmp_path), Lake(tmp_path)
    one.create("prices", PRICES)
    one.append("prices", prices(FIRST))
    other.drop("prices")
    other.create("prices", PRICES)
    other.append("prices", prices(FIRST[:1]))
    assert rows_of(one.read("prices")) == FIRST[:1]
    assert one.statistics("prices").count == 1


def test_large_partitions_are_cut_into_parts_that_share_no_time() -> None:
    rows = pl.DataFrame(batch(1, assets=7, days=10)).sort("unique_identifier", "time_index")
    parts = list(slices(rows, limit=25))
    bounds = [(part["time_index"].min(), part["time_index"].max()) for part in parts]
    assert len(parts) == 3
    assert pl.concat(parts).sort("unique_identifier", "time_index").equals(rows)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(bounds))
    assert list(slices(rows.clear())) == []
