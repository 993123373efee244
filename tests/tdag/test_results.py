from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mainsequence.client as msc
from mainsequence.errors import (
    DuplicateRowsError,
    InvalidIdentifierError,
    MainSequenceError,
    NaiveTimestampError,
    SchemaMismatchError,
    ValidationError,
)
from mainsequence.tdag import DataNodeMetaData, RecordDefinition
from tests.tdag.nodes import Declared, Emitting, day, frame

ROWS = {"time_index": [day(0), day(0), day(1)], "unique_identifier": ["a", "b", "a"], "close": [1.0, 2.0, 3.0]}
INDEX = ["time_index", "unique_identifier"]


def long(**changed: Any) -> pd.DataFrame:
    return pd.DataFrame({**ROWS, **changed})


# -- what it may give


@pytest.mark.parametrize(
    "result",
    [
        long().set_index(INDEX),
        long(),
        long().set_index("time_index"),
        pa.table(ROWS),
        pl.DataFrame(ROWS),
        long(unique_identifier=pd.Categorical(ROWS["unique_identifier"])).set_index(INDEX),
        long().astype({"time_index": "datetime64[ns, Europe/Zurich]"}).set_index(INDEX),
        long().sample(frac=1.0, random_state=1).set_index(INDEX),
    ],
    ids=["pandas", "columns", "one level", "arrow", "polars", "categories", "zurich ns", "shuffled"],
)
def test_any_kind_of_frame_is_stored_alike(result: Any):
    node = Emitting("given", result)
    node.run()
    stored = node.get_df_between_dates()
    pd.testing.assert_frame_equal(
        stored.reset_index(), long().astype({"time_index": "datetime64[us, UTC]", "unique_identifier": "str"})
    )
    assert node.series.columns == {"close": "float64"}


def test_a_series_without_assets_is_indexed_by_time():
    index = pd.DatetimeIndex([day(0), day(1)], name="time_index")
    node = Emitting("plain", pd.DataFrame({"level": [1, 2]}, index=index))
    node.run()
    assert node.series.index == ("time_index",)
    assert node.get_df_between_dates()["level"].tolist() == [1, 2]
    assert node.get_last_observation()["level"].tolist() == [2]
    assert node.update_statistics.max_time_index_value == day(1)
    assert node.update_statistics.last == {}


def test_types_are_inferred_from_the_first_result():
    node = Emitting(
        "typed",
        long(
            close=pa.array([1, 2, 3], pa.int32()).to_numpy(),
            ratio=pd.array([1.0, 2.0, 3.0], dtype="float32"),
            halted=[True, False, True],
            venue=["x", None, "y"],
            asked=[day(3)] * 3,
            expiry=[date(2024, 6, 1)] * 3,
        ),
    )
    node.run()
    wanted = {"close": "int64", "ratio": "float64", "halted": "bool", "venue": "string"}
    assert node.series.columns == wanted | {"asked": "timestamp", "expiry": "date"}


def test_declared_columns_are_registered_with_their_meaning():
    node = Declared("declared", long(close=[1, 2, 3], volume=[10, 20, 30]))
    node.run()
    close = node.series.series_schema.column("close")
    assert (close.dtype, close.label, close.description) == ("float64", "Close", "Closing price")
    assert (node.series.frequency, node.series.description) == ("1d", "What declared gives")


def test_a_fully_declared_series_exists_before_its_first_row():
    node = Declared("declared", None)
    assert not node.run().changed
    assert node.series.columns == {"close": "float64", "volume": "int64"}
    assert node.get_df_between_dates().empty


def test_a_node_that_gave_nothing_reads_as_empty():
    node = Emitting("nothing", None)
    node.run()
    assert node.series is None
    assert node.update_statistics.is_empty
    for empty in (node.get_df_between_dates(), node.get_last_observation(["a"])):
        assert empty.empty
        assert empty.index.names == INDEX
    assert list(Declared("declared").get_df_between_dates().columns) == ["close", "volume"]
    assert node.wide("close", unique_identifiers=["a", "b"]).values.shape == (0, 2)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        *(("float", "float64"), ("int", "int64"), ("str", "string"), ("object", "string"), ("boolean", "bool")),
        *(("datetime64[ns, UTC]", "timestamp"), ("date", "date"), ("float64", "float64")),
    ],
)
def test_usual_names_of_types_are_read(given: str, read: str):
    assert RecordDefinition(column_name="x", dtype=given).spec().dtype == read


@pytest.mark.parametrize("wrong", [{"column_name": "x", "dtype": "complex"}, {"column": "x"}])
def test_a_wrong_declaration_is_refused(wrong: dict[str, str]):
    with pytest.raises(ValidationError):
        RecordDefinition(**wrong)


def test_wrong_metadata_is_refused():
    with pytest.raises(ValidationError, match="24h"):
        DataNodeMetaData(frequency="24h")
    with pytest.raises(ValidationError, match="blank"):
        DataNodeMetaData(identifier=" ")


# -- what it may not

NAIVE = [datetime(2024, 1, 1), datetime(2024, 1, 2), datetime(2024, 1, 3)]  # noqa: DTZ001

BAD = {
    "naive times": (long(time_index=NAIVE), NaiveTimestampError, "'time_index' holds times without a time zone"),
    "naive index": (long(time_index=NAIVE).set_index(INDEX), NaiveTimestampError, "without a time zone"),
    "naive column": (long(asked=NAIVE), NaiveTimestampError, "'asked' holds times without"),
    "repeated": (long(unique_identifier=["a", "a", "b"]), DuplicateRowsError, r"repeats the index 2024-01-01 .* a"),
    "missing time": (long(time_index=[day(0), None, day(1)]), SchemaMismatchError, "'time_index' is missing in 1 row"),
    "missing asset": (long(unique_identifier=["a", None, "b"]), SchemaMismatchError, "'unique_identifier' is missing"),
    "number as asset": (long(unique_identifier=[1, 2, 3]), SchemaMismatchError, "holds 1, which is no text"),
    "blank asset": (long(unique_identifier=["a", " ", "b"]), InvalidIdentifierError, "blank"),
    "no times": (long(time_index=[1, 2, 3]), SchemaMismatchError, "holds int64, not times"),
    "dates": (long(time_index=[date(2024, 1, each) for each in (1, 2, 3)]), SchemaMismatchError, "not times"),
    "no index": (pd.DataFrame({"close": [1.0]}), SchemaMismatchError, "has no 'time_index'"),
    "unnamed index": (pd.DataFrame({"close": [1.0]}, index=[day(0)]), SchemaMismatchError, "has no 'time_index'"),
    "no values": (long().drop(columns="close"), SchemaMismatchError, "no value columns"),
    "only nothing": (long(close=[None] * 3), SchemaMismatchError, "'close' of the result is null"),
    "lists": (long(close=[[1], [2], [3]]), SchemaMismatchError, "'close' of the result is list"),
    "mixed": (long(close=[1.0, "x", 2]), SchemaMismatchError, "cannot be read as a table"),
    "bad name": (long(**{"closing price": [1.0] * 3}), ValidationError, "closing price"),
    "no frame": ({"close": [1.0]}, SchemaMismatchError, "A dict is no table"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_bad_first_result_is_refused_and_nothing_is_stored(case: str):
    result, error, message = BAD[case]
    node = Emitting("bad", result)
    with pytest.raises(error, match=message) as raised:
        node.run()
    assert isinstance(raised.value, MainSequenceError)
    assert "Raised while updating Emitting 'bad'." in raised.value.__notes__
    assert node.series is None
    assert msc.Series.filter() == []


LATER_BAD = {
    "naive times": (long(time_index=NAIVE), NaiveTimestampError),
    "repeated": (long(unique_identifier=["a", "a", "b"]), DuplicateRowsError),
    "missing time": (long(time_index=[day(0), None, day(1)]), SchemaMismatchError),
    "missing asset": (long(unique_identifier=["a", None, "b"]), SchemaMismatchError),
    "another column": (long(volume=[1, 2, 3]), SchemaMismatchError),
    "a column less": (long().rename(columns={"close": "open"}), SchemaMismatchError),
    "another type": (long(close=["x", "y", "z"]), SchemaMismatchError),
    "no assets": (long().drop(columns="unique_identifier"), SchemaMismatchError),
    "no frame": ([1, 2], SchemaMismatchError),
}


@pytest.mark.parametrize("force", [False, True], ids=["upsert", "forced"])
@pytest.mark.parametrize("case", LATER_BAD, ids=str)
def test_a_bad_later_result_is_refused_and_what_is_stored_stays(case: str, force: bool):
    result, error = LATER_BAD[case]
    answers = [frame({(day(0), "a"): 1.0}), result]
    node = Emitting("bad", lambda _: answers.pop(0))
    node.run()
    with pytest.raises(error):
        node.run(force_update=force)
    assert node.series.statistics().version == 1
    assert node.get_df_between_dates()["close"].tolist() == [1.0]


@pytest.mark.parametrize("by_asset", [True, False])
def test_columns_that_are_not_declared_are_refused(by_asset: bool):
    rows = long(close=[1.0] * 3, volume=[1] * 3)
    result = rows.assign(extra=1.0) if by_asset else rows.drop(columns="unique_identifier")
    node = Declared("declared", result)
    with pytest.raises(SchemaMismatchError, match="has 'extra'" if by_asset else "lacks 'unique_identifier'"):
        node.run()
    assert node.series is None


def test_a_full_day_of_bad_rows_leaves_the_day_before(home: Any):
    answers = [frame({(day(0), "a"): 1.0}), frame({(datetime(1, 1, 1, tzinfo=UTC), ""): 1.0})]
    node = Emitting("bad", lambda _: answers.pop(0))
    node.run()
    with pytest.raises(InvalidIdentifierError):
        node.run()
    assert node.get_last_observation()["close"].tolist() == [1.0]


class Positive(Emitting):
    def check_result(self, table: pa.Table) -> None:
        if min(table["close"].to_pylist()) <= 0.0:
            raise ValidationError("A price is not positive.")


def test_a_node_may_refuse_results_of_its_own():
    answers = [frame({(day(0), "a"): 1.0}), None, frame({(day(1), "a"): -1.0})]
    node = Positive("positive", lambda _: answers.pop(0))
    node.run()
    node.run()
    with pytest.raises(ValidationError, match="not positive"):
        node.run()
    assert node.get_df_between_dates()["close"].tolist() == [1.0]
