"""Series in the hands of users: DataFrames in, DataFrames out."""

import datetime as dt
import multiprocessing
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mainsequence.client as msc
from mainsequence.domain.series import ColumnSpec
from mainsequence.errors import (
    AlreadyExistsError,
    ExistingRowsError,
    MainSequenceError,
    NaiveTimestampError,
    NotFoundError,
    SchemaMismatchError,
    UnknownFieldError,
    UnknownFilterError,
    UnknownRevisionError,
    ValidationError,
)
from tests.series.workers import declare_and_write

COLUMNS = {"close": "float64", "volume": "int64", "halted": "bool", "note": "string", "paid": "date"}


@pytest.fixture
def series() -> msc.Series:
    return msc.Series.get_or_create(
        "daily bars", COLUMNS, frequency="1d", description="Closes", metadata={"source": "x"}
    )


def bars(closes: list[float | None] = [1.0, 2.0, None]) -> pd.DataFrame:  # noqa: B006
    index = pd.MultiIndex.from_arrays(
        [pd.to_datetime(["2020-01-02", "2020-01-02", "2020-01-03"], utc=True).as_unit("us"), ["A", "B", "A"]],
        names=["time_index", "unique_identifier"],
    )
    return pd.DataFrame(
        {
            "close": pd.array(closes, dtype="float64"),
            "volume": [10, 20, 30],
            "halted": [True, False, True],
            "note": ["x", None, "ü"],
            "paid": [None, dt.date(2020, 1, 1), None],
        },
        index=index,
    )


def test_what_is_written_is_read_with_the_same_index_and_values(series: msc.Series) -> None:
    assert series.append(bars()).inserted == 3
    found = series.read()
    assert found.index.names == ["time_index", "unique_identifier"]
    assert str(found.index.get_level_values("time_index").dtype) == "datetime64[us, UTC]"
    assert found.index.is_monotonic_increasing
    assert found.index.is_unique
    pd.testing.assert_index_equal(found.index, bars().index, exact="equiv")
    pd.testing.assert_frame_equal(found[["close", "volume", "halted"]], bars()[["close", "volume", "halted"]])
    assert [found.loc[("2020-01-03", "A"), "note"], found["paid"].tolist()[1]] == ["ü", dt.date(2020, 1, 1)]


def test_writing_back_what_was_read_changes_nothing(series: msc.Series) -> None:
    nullable = bars().astype({"volume": "Int64", "halted": "boolean"})
    nullable.iloc[0, [1, 2]] = pd.NA
    series.upsert(nullable)
    found = series.read()
    assert (str(found["volume"].dtype), str(found["halted"].dtype)) == ("Int64", "boolean")
    assert found["volume"].tolist()[1:] == [20, 30]
    assert not series.upsert(found).changed
    assert not series.upsert(series.read_arrow()).changed
    assert not series.upsert(pl.DataFrame(series.read_arrow())).changed
    assert not series.upsert(found.reset_index()).changed
    assert [each.version for each in series.history()] == [0, 1]


def test_reads_narrow_by_columns_assets_range_and_last(series: msc.Series) -> None:
    series.append(bars())
    assert series.read(columns=["volume"])["volume"].tolist() == [10, 20, 30]
    assert series.read(["volume"], unique_identifiers=["A"])["volume"].tolist() == [10, 30]
    assert series.read(["volume"], start="2020-01-03")["volume"].tolist() == [30]
    assert series.read(["volume"], end=dt.date(2020, 1, 3))["volume"].tolist() == [10, 20]
    assert series.read(["volume"], last_per_asset=True)["volume"].tolist() == [20, 30]
    empty = series.read(start="2021-01-01")
    assert empty.empty
    assert empty.index.names == ["time_index", "unique_identifier"]


def test_versions_read_the_past(series: msc.Series) -> None:
    series.append(bars())
    series.upsert(bars([5.0, 2.0, None]))
    assert series.read(["close"], version=1)["close"].tolist()[0] == 1.0
    assert series.read(["close"])["close"].tolist()[0] == 5.0
    with pytest.raises(UnknownRevisionError):
        series.read(version=3)


def test_statistics_follow_every_write(series: msc.Series) -> None:
    assert series.statistics().count == 0
    series.append(bars())
    assert {name: each.count for name, each in series.statistics().assets.items()} == {"A": 2, "B": 1}
    series.delete_rows(unique_identifiers=["A"], start="2020-01-03")
    assert series.statistics().max_time == dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    assert series.statistics(version=1).count == 3


def test_replace_makes_a_range_exactly_the_frame(series: msc.Series) -> None:
    series.append(bars())
    outcome = series.replace(bars().iloc[[0]], end="2020-01-03")
    assert (outcome.deleted, outcome.unchanged) == (1, 1)
    assert series.read(["volume"])["volume"].tolist() == [10, 30]


def test_the_matrix_of_a_column(series: msc.Series) -> None:
    series.append(bars())
    found = series.wide("volume", unique_identifiers=["B", "A"])
    np.testing.assert_array_equal(found.values, [[20, 10], [np.nan, 30]])


def test_series_without_assets_are_indexed_by_time() -> None:
    series = msc.Series.get_or_create("nav", {"close": "float64"}, by_asset=False)
    frame = pd.DataFrame(
        {"close": [1.0]}, index=pd.DatetimeIndex(["2020-01-01"], tz="America/New_York", name="time_index")
    )
    series.append(frame)
    assert series.read().index.tolist() == [pd.Timestamp("2020-01-01 05:00", tz="UTC")]
    assert series.read().index.name == "time_index"


def duplicated_columns() -> pd.DataFrame:
    frame = bars().reset_index()
    return frame.set_axis(["time_index", "unique_identifier", "close", "close", "halted", "note", "paid"], axis=1)


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (bars().tz_localize(None, level=0), NaiveTimestampError),
        (bars().drop(columns="close"), SchemaMismatchError),
        (bars().assign(extra=1), SchemaMismatchError),
        (bars().assign(close="x"), SchemaMismatchError),
        (bars().assign(close=[1, "x", None]), SchemaMismatchError),
        (duplicated_columns(), SchemaMismatchError),
        (bars().reset_index("unique_identifier", drop=True), SchemaMismatchError),
        (pd.concat([bars(), bars()]), ValidationError),
        ([1, 2, 3], SchemaMismatchError),
        ({"a": 1}, SchemaMismatchError),
        (None, SchemaMismatchError),
    ],
)
def test_frames_that_do_not_fit_are_refused_and_nothing_is_written(
    series: msc.Series, frame: Any, error: type[MainSequenceError]
) -> None:
    for write in (series.append, series.upsert, series.replace):
        with pytest.raises(error):
            write(frame)
    assert series.statistics().version == 0


def test_appending_what_exists_is_refused(series: msc.Series) -> None:
    series.append(bars())
    with pytest.raises(ExistingRowsError, match="upsert"):
        series.append(bars())


def test_series_are_found_and_described(series: msc.Series) -> None:
    other = msc.Series.create("hourly bars", [ColumnSpec(name="close", label="Close")])
    assert [each.id for each in msc.Series.filter()] == [series.id, other.id]
    assert msc.Series.filter(unique_identifier__contains="daily")[0].metadata == {"source": "x"}
    assert msc.Series.get(unique_identifier="hourly bars").series_schema == other.series_schema
    assert msc.Series.get(series.id).frequency == "1d"
    assert msc.Series.get_or_none(unique_identifier="nothing") is None
    with pytest.raises(NotFoundError):
        msc.Series.get(unique_identifier="nothing")
    with pytest.raises(UnknownFilterError, match="frequency"):
        msc.Series.filter(colour="blue")


def test_get_or_create_finds_what_exists_and_refuses_other_columns(series: msc.Series) -> None:
    again = msc.Series.get_or_create("daily bars", COLUMNS, description="something else")
    assert (again.id, again.description) == (series.id, "Closes")
    with pytest.raises(SchemaMismatchError, match="other columns"):
        msc.Series.get_or_create("daily bars", {"close": "float64"})
    with pytest.raises(AlreadyExistsError):
        msc.Series.create("daily bars", COLUMNS)


def test_patching_changes_descriptions_only(series: msc.Series) -> None:
    assert series.patch(description="New", metadata={"a": [1]}) is series
    assert (series.description, series.metadata, series.frequency) == ("New", {"a": [1]}, "1d")
    assert msc.Series.get(series.id).description == "New"
    with pytest.raises(UnknownFieldError, match="description, frequency, metadata"):
        series.patch(unique_identifier="other")


def test_a_deleted_series_is_gone_and_its_name_is_free_again(series: msc.Series) -> None:
    series.append(bars())
    series.delete()
    assert msc.Series.filter() == []
    with pytest.raises(NotFoundError):
        series.read()
    with pytest.raises(NotFoundError):
        series.delete()
    assert msc.Series.create("daily bars", COLUMNS).read().empty


@pytest.mark.parametrize("identifier", ["", " ", "x" * 256, "a\nb"])
def test_malformed_identifiers_are_refused(identifier: str) -> None:
    with pytest.raises(ValidationError):
        msc.Series.get_or_create(identifier, COLUMNS)
    assert msc.Series.filter() == []


@pytest.mark.parametrize("identifier", ["../../etc", "a/b", "ünïcode 日本", "prices@1", "." * 10])
def test_any_printable_identifier_can_be_stored(identifier: str) -> None:
    series = msc.Series.get_or_create(identifier, COLUMNS)
    series.append(bars())
    assert msc.Series.get(unique_identifier=identifier).read().shape == (3, 5)


def test_a_list_of_names_is_wanted_not_one(series: msc.Series) -> None:
    for query in ({"unique_identifiers": "A"}, {"columns": "close"}):
        with pytest.raises(ValidationError, match="takes a list"):
            series.read(**query)


@pytest.mark.slow
@pytest.mark.embedded
def test_processes_that_declare_the_same_series_at_once_share_it() -> None:
    spawn = multiprocessing.get_context("spawn")
    crew = [spawn.Process(target=declare_and_write, args=(worker,)) for worker in range(3)]
    for each in crew:
        each.start()
    for each in crew:
        each.join(120)
    assert [each.exitcode for each in crew] == [0, 0, 0]
    (series,) = msc.Series.filter()
    assert sorted(set(series.read()["volume"])) == [0, 1, 2]
    assert series.statistics().count == 600


def test_it_looks_like_something(series: msc.Series) -> None:
    assert "daily bars" in repr(series)
    assert "float64" in series._repr_html_()
    bare = msc.Series.model_construct()
    assert repr(bare)
    assert bare._repr_html_()


def test_a_hundred_thousand_rows_come_back_fast_and_whole(series: msc.Series) -> None:
    count, assets = 1_000, [f"A{number:03d}" for number in range(100)]
    stamps = np.tile(np.arange(count) * 86_400_000_000, len(assets))
    table = pa.table(
        {
            "time_index": pa.array(stamps).view(pa.timestamp("us", "UTC")),
            "unique_identifier": pa.array(np.repeat(assets, count)),
            "close": np.arange(len(stamps), dtype=float),
            "volume": np.arange(len(stamps)),
            "halted": pa.nulls(len(stamps)),
            "note": pa.nulls(len(stamps)),
            "paid": pa.nulls(len(stamps)),
        }
    )
    series.append(table)
    found = series.read(["volume"])
    expected = pd.DataFrame({"time": stamps, "asset": np.repeat(assets, count), "volume": np.arange(len(stamps))})
    expected = expected.sort_values(["time", "asset"])
    assert found["volume"].tolist() == expected["volume"].tolist()
    assert found.index.get_level_values(1).tolist() == expected["asset"].tolist()
    assert found.index.get_level_values(0).asi8.tolist() == expected["time"].tolist()


@pytest.mark.parametrize("frequency", ["daily", "24h", "0d", ""])
def test_a_frequency_that_is_none_is_refused(frequency: str) -> None:
    with pytest.raises(ValidationError, match="frequency"):
        msc.Series.get_or_create("bars", {"close": "float64"}, frequency=frequency)
    assert msc.Series.filter() == []


@pytest.mark.parametrize(
    "value", [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), {1, 2}, b"x", np.float64("nan"), float("inf")]
)
def test_metadata_is_what_json_can_hold(value: object) -> None:
    with pytest.raises(msc.ValidationError, match="JSON"):
        msc.Series.create("s", {"value": "float64"}, metadata={"a": value})
    given = {"a": (1, "b", None, {"c": np.float64(1.5)})}
    kept = msc.Series.create("s", {"value": "float64"}, metadata=given)
    with pytest.raises(msc.ValidationError, match="JSON"):
        kept.patch(metadata={"a": value})
    assert kept.refresh().metadata == {"a": [1, "b", None, {"c": 1.5}]}
