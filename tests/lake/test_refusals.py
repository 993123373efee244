"""Bad tables are refused by name, and nothing of them is written."""

from typing import Any

import pyarrow as pa
import pytest

from mainsequence.domain.series import ColumnSpec, SeriesSchema
from mainsequence.errors import (
    DuplicateRowsError,
    InvalidIdentifierError,
    MainSequenceError,
    NaiveTimestampError,
    NotFoundError,
    SchemaMismatchError,
)
from mainsequence.platform.lake import Lake
from tests.lake.tables import TIMESTAMP, at, prices, rows_of

GOOD = [(at(2020), "a", 1.0, 1), (at(2020), "b", 2.0, 2)]


def with_column(name: str, values: Any) -> pa.Table:
    table = prices(GOOD)
    return table.set_column(table.column_names.index(name), name, values)


NAIVE = pa.array([at(2020).replace(tzinfo=None)] * 2, pa.timestamp("us"))
BAD: dict[str, tuple[pa.Table, type[MainSequenceError], str]] = {
    "a column is missing": (prices(GOOD).drop_columns(["volume"]), SchemaMismatchError, "lacks 'volume'"),
    "the index is missing": (prices(GOOD).drop_columns(["time_index"]), SchemaMismatchError, "lacks 'time_index'"),
    "a column is unknown": (
        prices(GOOD).append_column("x", pa.array([1, 2])),
        SchemaMismatchError,
        "has the unknown 'x'",
    ),
    "a column is repeated": (
        prices(GOOD).append_column("close", pa.array([1.0, 2.0])),
        SchemaMismatchError,
        "repeats 'close'",
    ),
    "text for numbers": (with_column("close", pa.array(["1", "2"])), SchemaMismatchError, "'close' is string"),
    "fractions for whole numbers": (with_column("volume", pa.array([1.5, 2.0])), SchemaMismatchError, "'volume'"),
    "too large whole numbers": (with_column("volume", pa.array([2**63, 1], pa.uint64())), SchemaMismatchError, "loss"),
    "numbers that float64 cannot hold": (with_column("close", pa.array([2**53 + 1, 1])), SchemaMismatchError, "loss"),
    "numbers for identifiers": (with_column("unique_identifier", pa.array([1, 2])), SchemaMismatchError, "int64"),
    "naive times": (with_column("time_index", NAIVE), NaiveTimestampError, "without a time zone"),
    "nanoseconds": (
        with_column("time_index", pa.array([1, 2], pa.timestamp("ns", "UTC"))),
        SchemaMismatchError,
        "without loss",
    ),
    "a null time": (with_column("time_index", pa.array([None, at(2020)], TIMESTAMP)), SchemaMismatchError, "1 nulls"),
    "a null identifier": (with_column("unique_identifier", pa.array(["a", None])), SchemaMismatchError, "1 nulls"),
    "a blank identifier": (with_column("unique_identifier", pa.array(["a", " "])), InvalidIdentifierError, "blank"),
    "a row twice": (prices([*GOOD, GOOD[0]]), DuplicateRowsError, "1 rows"),
    "two values for one index": (prices([*GOOD, (at(2020), "a", 5.0, 5)]), DuplicateRowsError, "2020-01-01"),
}


@pytest.mark.parametrize("verb", ["append", "upsert", "replace"])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_and_nothing_is_written(lake: Lake, verb: str, case: str) -> None:
    kept = [(at(2019), "z", 0.0, 0)]
    lake.append("prices", prices(kept))
    table, error, message = BAD[case]
    with pytest.raises(error, match=message):
        getattr(lake, verb)("prices", table)
    assert lake.version("prices") == 1
    assert rows_of(lake.read("prices")) == kept


def test_a_column_declared_without_nulls_refuses_them(lake: Lake) -> None:
    lake.create("strict", SeriesSchema(columns=(ColumnSpec(name="close", nullable=False),), index=("time_index",)))
    table = pa.table({"time_index": pa.array([at(2020)], TIMESTAMP), "close": pa.array([None], pa.float64())})
    with pytest.raises(SchemaMismatchError, match="'close' has 1 nulls"):
        lake.append("strict", table)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "_delta_log", "x" * 201, "a\0"])
def test_names_that_could_leave_the_folder_are_refused(lake: Lake, name: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        lake.create(name, SeriesSchema.of({"close": "float64"}))


@pytest.mark.parametrize("verb", ["read", "version", "statistics", "history", "schema"])
def test_an_unknown_table_is_not_found(lake: Lake, verb: str) -> None:
    with pytest.raises(NotFoundError, match="'nothing'"):
        getattr(lake, verb)("nothing")
