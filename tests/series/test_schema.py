"""What a series may declare."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mainsequence.domain.series import ColumnSpec, DType, SeriesQuery, SeriesSchema, TimeRange
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS
from mainsequence.errors import UnknownFieldError, ValidationError


def test_a_schema_is_declared_by_names_and_dtypes() -> None:
    schema = SeriesSchema.of({"close": "float64", "volume": DType.INT64})
    assert schema.names == ("time_index", "unique_identifier", "close", "volume")
    assert SeriesSchema.of({"close": "float64"}, by_asset=False).names == ("time_index", "close")
    assert SeriesSchema.model_validate_json(schema.model_dump_json()) == schema


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "at least 1"),
        ({"close": "float"}, "float64"),
        ({"time_index": "timestamp"}, "index column"),
        ({"Unique_Identifier": "string"}, "index column"),
        ({"close": "float64", "Close": "float64"}, "declared twice"),
        ({"": "float64"}, "pattern"),
        ({"_year": "float64"}, "pattern"),
        ({"a b": "float64"}, "pattern"),
        ({"a.b": "float64"}, "pattern"),
        ({"a\n": "float64"}, "pattern"),
        ({"x" * 129: "float64"}, "128"),
    ],
)
def test_columns_that_cannot_be_stored_are_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SeriesSchema.of(columns)


@pytest.mark.parametrize(
    "index", [(), ("unique_identifier",), ("unique_identifier", "time_index"), ("time_index", "x")]
)
def test_other_indexes_are_refused(index: Any) -> None:
    with pytest.raises(ValidationError):
        SeriesSchema(columns=(ColumnSpec(name="close"),), index=index)


def test_an_unknown_column_is_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownFieldError, match=r"'x'.*close"):
        SeriesSchema.of({"close": "float64"}).column("x")


def test_labels_do_not_make_another_table_but_dtypes_do() -> None:
    plain = SeriesSchema.of({"close": "float64"})
    assert plain.same_table(SeriesSchema(columns=(ColumnSpec(name="close", label="Close", description="last"),)))
    assert not plain.same_table(SeriesSchema(columns=(ColumnSpec(name="close", nullable=False),)))
    assert not plain.same_table(SeriesSchema.of({"close": "int64"}))
    assert not plain.same_table(SeriesSchema.of({"close": "float64"}, by_asset=False))


def test_a_range_is_half_open_unless_told_otherwise() -> None:
    start, end = datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)
    day = 86_400_000_000
    assert (TimeRange(start=start, end=end).start_micros, TimeRange(start=start, end=end).end_micros) == (0, day)
    flagged = TimeRange(start=start, end=end, start_inclusive=False, end_inclusive=True)
    assert (flagged.start_micros, flagged.end_micros) == (1, day + 1)
    assert (TimeRange().start_micros, TimeRange().end_micros) == (MIN_MICROS, MAX_MICROS)


def test_a_query_crosses_the_wire_unchanged() -> None:
    query = SeriesQuery(columns=("close",), start=datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC), last_per_asset=True)
    assert SeriesQuery.model_validate_json(query.model_dump_json()) == query
