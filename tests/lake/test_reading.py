"""Reads give what was asked, in order, from one version, or fail; never fewer rows."""

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mainsequence.domain.series import SeriesQuery, SeriesSchema
from mainsequence.errors import (
    InvalidIntervalError,
    NaiveTimestampError,
    StorageError,
    UnknownAssetsError,
    UnknownFieldError,
    UnknownRevisionError,
    ValidationError,
)
from mainsequence.platform.lake import Lake
from tests.lake.tables import PRICES, at, batch, prices, rows_of

ROWS = [
    (at(2019, 12, 31, 23, 999_999), "a", 1.0, 1),
    (at(2020), "a", 2.0, 2),
    (at(2020), "b", 3.0, 3),
    (at(2020, micro=1), "B", 4.0, 4),
    (at(2020, 6), "é", 5.0, 5),
    (at(2021), "a", 6.0, 6),
]


@pytest.fixture
def filled(lake: Lake) -> Lake:
    for row in reversed(ROWS):
        lake.append("prices", prices([row]))
    return lake


def found(lake: Lake, **query: object) -> list[int]:
    """Which rows are read, by number from 1."""
    table = lake.read("prices", SeriesQuery.parse(query))
    return table.column("volume").to_pylist()  # type: ignore[no-any-return]


MIDNIGHT = at(2020)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"start": MIDNIGHT}, [2, 3, 4, 5, 6]),
        ({"start": MIDNIGHT, "start_inclusive": False}, [4, 5, 6]),
        ({"end": MIDNIGHT}, [1]),
        ({"end": MIDNIGHT, "end_inclusive": True}, [1, 2, 3]),
        ({"start": MIDNIGHT, "end": MIDNIGHT, "end_inclusive": True}, [2, 3]),
        ({"start": "2020-06-01", "end": "2021-01-01"}, [5]),
        ({"start": "2020-06-01T02:00:00+02:00"}, [5, 6]),
        ({"start": at(2022)}, []),
        ({"unique_identifiers": ["a"]}, [1, 2, 6]),
        ({"unique_identifiers": ["é", "a", "nobody"], "start": MIDNIGHT}, [2, 5, 6]),
        ({"unique_identifiers": []}, []),
        ({"last_per_asset": True}, [3, 4, 5, 6]),
        ({"last_per_asset": True, "end": at(2021)}, [2, 3, 4, 5]),
        ({"last_per_asset": True, "unique_identifiers": ["a"]}, [6]),
        ({"last_per_asset": True, "start": at(2020, 2), "unique_identifiers": ["b", "é"]}, [5]),
        ({"last_per_asset": True, "version": 0}, []),
        ({"version": 0}, []),
        ({"version": 2}, [5, 6]),
        ({"unique_identifiers": ["a", "b"], "require_all": True}, [1, 2, 3, 6]),
    ],
)
def test_a_query_reads_exactly_its_rows_in_order(filled: Lake, query: dict[str, object], expected: list[int]) -> None:
    assert found(filled, **query) == expected


def test_columns_come_in_the_order_asked_behind_the_index(filled: Lake) -> None:
    table = filled.read("prices", SeriesQuery(columns=("volume",)))
    assert table.column_names == ["time_index", "unique_identifier", "volume"]
    assert filled.read("prices", SeriesQuery(columns=("volume", "close"))).column_names[2:] == ["volume", "close"]
    assert filled.read("prices", SeriesQuery(columns=())).column_names == ["time_index", "unique_identifier"]


def test_series_without_assets_are_read_by_time(lake: Lake) -> None:
    lake.create("values", SeriesSchema.of({"close": "float64"}, by_asset=False))
    table = prices(ROWS[1::3]).select(["time_index", "close"])
    lake.append("values", table)
    assert rows_of(lake.read("values")) == [(ROWS[1][0], 2.0), (ROWS[4][0], 5.0)]
    assert rows_of(lake.read("values", SeriesQuery(last_per_asset=True))) == [(ROWS[4][0], 5.0)]
    with pytest.raises(ValidationError, match="time alone"):
        lake.read("values", SeriesQuery(unique_identifiers=("a",)))


def test_an_unknown_column_is_refused_with_those_that_exist(filled: Lake) -> None:
    with pytest.raises(UnknownFieldError, match="close, volume") as caught:
        found(filled, columns=["close", "open"])
    assert caught.value.context == {"unknown": ["open"], "allowed": ["close", "volume"]}


@pytest.mark.parametrize("version", [7, 1_000_000])
def test_an_unknown_version_is_refused(filled: Lake, version: int) -> None:
    with pytest.raises(UnknownRevisionError, match="newest is 6"):
        found(filled, version=version)


def test_assets_without_rows_are_named_when_all_are_required(filled: Lake) -> None:
    with pytest.raises(UnknownAssetsError, match="zz") as caught:
        found(filled, unique_identifiers=["a", "zz", "é"], start=at(2021), require_all=True)
    assert caught.value.context["unique_identifiers"] == ["zz", "é"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"start": at(2020).replace(tzinfo=None)}, NaiveTimestampError),
        ({"start": at(2021), "end": at(2020)}, InvalidIntervalError),
        ({"start": at(2020), "end": at(2020)}, InvalidIntervalError),
        ({"sTart": at(2020)}, UnknownFieldError),
        ({"version": -1}, ValidationError),
        ({"columns": ["close", "close"]}, ValidationError),
        ({"start": "yesterday"}, ValidationError),
    ],
)
def test_a_bad_query_is_refused(query: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        SeriesQuery.parse(query)


def test_overlapping_files_are_read_in_order(lake: Lake) -> None:
    """Batches interleave in time and assets, so that every file overlaps the others of its year."""
    batches = [batch(3 * number, assets=5) for number in range(10)]
    for each in batches:
        lake.append("prices", each)
    expected = sorted(row for each in batches for row in rows_of(each))
    assert rows_of(lake.read("prices")) == expected
    chosen = [row for row in expected if row[1] in ("A1", "A3")]
    assert rows_of(lake.read("prices", SeriesQuery(unique_identifiers=("A3", "A1")))) == chosen


@pytest.mark.parametrize("damage", ["missing", "cut", "emptied", "fewer rows"])
@pytest.mark.parametrize("query", [{}, {"unique_identifiers": ["A1"]}, {"last_per_asset": True, "end": "2020-01-01"}])
def test_a_damaged_file_fails_the_read(tmp_path: Path, damage: str, query: dict[str, object]) -> None:
    lake = Lake(tmp_path)
    lake.create("prices", PRICES)
    lake.append("prices", batch(0))
    lake.append("prices", batch(1))
    file = next((tmp_path / "prices/_year=2019").rglob("*.parquet"))
    if damage == "missing":
        file.unlink()
    elif damage == "fewer rows":
        pq.write_table(pq.read_table(file, partitioning=None).slice(1), file)
    else:
        file.write_bytes(file.read_bytes()[:-100] if damage == "cut" else b"")
    with pytest.raises(StorageError):
        lake.read("prices", SeriesQuery.parse(query))


def test_a_reader_keeps_its_version_while_others_write(filled: Lake) -> None:
    before = rows_of(filled.read("prices", SeriesQuery(version=6)))
    filled.upsert("prices", prices([(row[0], row[1], 0.0, 0) for row in ROWS]))
    filled.replace("prices", prices([(ROWS[-1][0] + timedelta(days=1), "z", 0.0, 0)]))
    assert rows_of(filled.read("prices", SeriesQuery(version=6))) == before == ROWS
