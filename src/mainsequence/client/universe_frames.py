"""Universes as frames: pandas at the user's edge, Arrow and arrays behind it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mainsequence.compute.intervals import Ints, coverage
from mainsequence.domain.assets import AssetRecord
from mainsequence.domain.times import MAX_MICROS, MIN_MICROS, to_micros
from mainsequence.errors import ValidationError

if TYPE_CHECKING:
    import pyarrow as pa


def members(table: "pa.Table") -> pd.DataFrame:
    """Give validity intervals as a frame with UTC times in microseconds."""
    frame: pd.DataFrame = table.to_pandas()
    return frame.assign(weight=frame["weight"].astype("float64"))


def session_index(sessions: Iterable[Any]) -> "pd.Index[Any]":
    """Give the rows of a mask: sessions as they were given."""
    if isinstance(sessions, (str, bytes)) or not isinstance(sessions, Iterable):
        raise ValidationError(f"sessions takes a list of times, got {sessions!r}.", hint="Write mask([…]).")
    return sessions if isinstance(sessions, pd.Index) else pd.Index(list(sessions))


def session_micros(sessions: "pd.Index[Any]") -> Ints:
    """Read sorted sessions as microseconds UTC; dates without a time of day mean their midnight UTC.

    Raises
    ------
    ValidationError
        The sessions are not sorted, or one is no time.
    NaiveTimestampError
        A naive time that is not a plain date.
    """
    times = _index_micros(sessions) if isinstance(sessions, pd.DatetimeIndex) else _each_micros(sessions)
    if (times[1:] < times[:-1]).any():
        raise ValidationError("sessions are not sorted.", hint="Sort them first.")
    return times


def _index_micros(index: pd.DatetimeIndex) -> Ints:
    if index.hasnans or (index.tz is None and not (index == index.normalize()).all()):
        return _each_micros(index)
    aware = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    return np.asarray(aware.as_unit("us").asi8, dtype=np.int64)


def _each_micros(sessions: Iterable[Any]) -> Ints:
    return np.array([to_micros(each, "session") for each in sessions], dtype=np.int64)


def mask(table: "pa.Table", sessions: "pd.Index[Any]") -> pd.DataFrame:
    """Give the boolean frame of sessions by assets that intervals cover."""
    names, column = np.unique(np.asarray(table["unique_identifier"].to_pylist(), dtype=str), return_inverse=True)
    start = _bounds(table, "valid_from", MIN_MICROS)
    end = _bounds(table, "valid_to", MAX_MICROS)
    covered = coverage(session_micros(sessions), column.astype(np.int64), start, end, len(names))
    columns = pd.Index(names.tolist(), name="unique_identifier", dtype="str")
    return pd.DataFrame(covered, index=sessions, columns=columns)


def _bounds(table: "pa.Table", name: str, infinity: int) -> Ints:
    import pyarrow as pa

    return np.asarray(table[name].cast(pa.int64()).fill_null(infinity).to_numpy(), dtype=np.int64)


def assets(records: Sequence[AssetRecord], weights: Mapping[str, float | None]) -> pd.DataFrame:
    """Give assets as a frame indexed by unique identifier."""
    shown = ("id", "name", "ticker", "exchange_code", "security_type", "security_market_sector", "figi", "isin")
    columns = {field: [getattr(record, field) for record in records] for field in shown}
    index = pd.Index([record.unique_identifier for record in records], name="unique_identifier")
    frame = pd.DataFrame(columns, index=index)
    return frame.assign(weight=pd.Series(dict(weights), dtype="float64").reindex(index))
