"""Bars as columns: long layout, sorted by (asset, time), one array per column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.domain.times import open_datetime
from mainsequence.errors import ValidationError

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]

VALUE_COLUMNS = ("open", "high", "low", "close", "volume", "vwap", "trade_count")


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of many assets, n rows sorted by (asset, time). A null is NaN; a column that is None is absent.

    Parameters
    ----------
    asset
        int32[n], position of the asset.
    time
        int64[n], end of the bar, microseconds UTC.
    close
        float64[n]; a bar without a close is not an observation.
    open, high, low, volume, vwap, trade_count
        float64[n] or None.
    interpolated
        bool[n], is the row a fill rather than an observation? None when none is.
    """

    asset: Codes
    time: Integers
    close: Floats
    open: Floats | None = None
    high: Floats | None = None
    low: Floats | None = None
    volume: Floats | None = None
    vwap: Floats | None = None
    trade_count: Floats | None = None
    interpolated: Flags | None = None

    def __post_init__(self) -> None:
        for name, column, kind in self._typed():
            if column.shape != self.time.shape or column.dtype != kind or not column.flags.c_contiguous:
                raise ValidationError(
                    f"Bar column {name!r} must be {np.dtype(kind)}[{len(self.time)}] in one piece, "
                    f"got {column.dtype}{list(column.shape)}.",
                    hint="Convert with numpy.ascontiguousarray(column, dtype).",
                )

    def _typed(self) -> Iterator[tuple[str, npt.NDArray[np.generic], type[np.generic]]]:
        yield "asset", self.asset, np.int32
        yield "time", self.time, np.int64
        for name, column in self.values():
            yield name, column, np.float64
        if self.interpolated is not None:
            yield "interpolated", self.interpolated, np.bool_

    def __len__(self) -> int:
        return len(self.time)

    def values(self) -> Iterator[tuple[str, Floats]]:
        """Name and array of each value column that is present, in the order of `VALUE_COLUMNS`."""
        for name in VALUE_COLUMNS:
            column = getattr(self, name)
            if column is not None:
                yield name, column

    def room(self, rows: int) -> Bars:
        """Make uninitialised arrays for so many rows of the same columns, and ``interpolated``.

        They share one block of memory, which the system hands out in far fewer, larger pages.
        """
        names = [name for name, _ in self.values()]
        block = np.empty((len(names) + 1, rows))
        columns = dict(zip(names, block[1:], strict=True))
        asset, time, flags = np.empty(rows, np.int32), block[0].view(np.int64), np.empty(rows, np.bool_)
        return Bars(asset=asset, time=time, interpolated=flags, **columns)

    def take(self, rows: npt.NDArray[np.generic] | slice) -> Bars:
        """Choose rows by position, mask or slice, in order."""
        chosen = {name: np.ascontiguousarray(column[rows]) for name, column in self.values()}
        flags = None if self.interpolated is None else np.ascontiguousarray(self.interpolated[rows])
        asset, time = np.ascontiguousarray(self.asset[rows]), np.ascontiguousarray(self.time[rows])
        return Bars(asset=asset, time=time, interpolated=flags, **chosen)


def check_order(bars: Bars, asset_count: int) -> None:
    """Refuse bars that are not sorted, come twice, or are of unknown assets; the first such row is named.

    Raises
    ------
    ValidationError
        One of these.
    """
    asset, time = bars.asset, bars.time
    if len(asset) and (asset[0] < 0 or asset.max() >= asset_count):
        raise ValidationError(f"Bars are of assets {asset.min()} to {asset.max()}, known are {asset_count} from 0.")
    wrong = (asset[1:] < asset[:-1]) | ((asset[1:] == asset[:-1]) & (time[1:] <= time[:-1]))
    at = np.flatnonzero(wrong)
    if len(at):
        raise _disorder(bars, int(at[0]) + 1)


def _disorder(bars: Bars, row: int) -> ValidationError:
    asset, stamp = int(bars.asset[row]), int(bars.time[row])
    twice = asset == bars.asset[row - 1] and stamp == bars.time[row - 1]
    return ValidationError(
        f"Asset {asset} has {'two bars' if twice else 'a bar out of order'} at {open_datetime(stamp)} (row {row}).",
        hint="Sort bars by (asset, time) and keep one per asset and time.",
        asset=asset,
        row=row,
    )


def refuse_infinite(bars: Bars) -> None:
    """Refuse infinite values; the first is named.

    Raises
    ------
    ValidationError
        There is one.
    """
    for name, column in bars.values():
        at = np.flatnonzero(np.isinf(column))
        if len(at):
            row = int(at[0])
            stamp = open_datetime(int(bars.time[row]))
            raise ValidationError(
                f"Asset {bars.asset[row]} has {name} {column[row]} at {stamp}.",
                hint="Leave a missing value null.",
                asset=int(bars.asset[row]),
                row=row,
            )


def to_matrix(bars: Bars, stamps: Integers, asset_count: int, column: str = "close") -> Floats:
    """Lay one column out as float64[T, A], one row per stamp and one column per asset; NaN where there is no bar.

    Parameters
    ----------
    bars
        On the grid: every bar's time is one of ``stamps``.
    stamps
        int64[T], strictly increasing.
    asset_count
        A; ``bars.asset`` is in ``[0, A)``.
    column
        One of `VALUE_COLUMNS`.

    Raises
    ------
    ValidationError
        A column that the bars do not have, or a bar that is not on the grid.
    """
    values = dict(bars.values())
    if column not in values:
        raise ValidationError(f"These bars have no column {column!r}.", hint=f"They have {', '.join(values)}.")
    row = np.minimum(stamps.searchsorted(bars.time), max(len(stamps) - 1, 0))
    if len(bars) and (not len(stamps) or np.any(stamps[row] != bars.time)):
        raise ValidationError("Some bars are not on the grid.", hint="Interpolate them on it first.")
    matrix = np.full((len(stamps), asset_count), np.nan)
    matrix[row, bars.asset] = values[column]
    return matrix
