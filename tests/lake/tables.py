"""Small tables for the tests of the lake."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from mainsequence.domain.series import SeriesSchema

PRICES = SeriesSchema.of({"close": "float64", "volume": "int64"})
TIMESTAMP = pa.timestamp("us", "UTC")

Row = tuple[datetime, str, float | None, int | None]


def at(year: int, month: int = 1, day: int = 1, hour: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, 0, 0, micro, tzinfo=UTC)


def prices(rows: Iterable[Row]) -> pa.Table:
    times, assets, closes, volumes = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), (), ())
    return pa.table(
        {
            "time_index": pa.array(times, TIMESTAMP),
            "unique_identifier": pa.array(assets, pa.string()),
            "close": pa.array(closes, pa.float64()),
            "volume": pa.array(volumes, pa.int64()),
        }
    )


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))


def batch(number: int, assets: int = 50, days: int = 4) -> pa.Table:
    """Rows of one batch: all have the batch's number as their close."""
    stamps = [at(2019 + number % 3, 1 + number // 3 % 12, 1 + day, 0, number) for day in range(days)]
    return prices((stamp, f"A{asset}", float(number), number) for stamp in stamps for asset in range(assets))
