"""Stored prices as a matrix on a portfolio's grid (METHODOLOGY section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mainsequence.client.series import Series
from mainsequence.compute.sessions import schedule
from mainsequence.contract.arrow import WideMatrix
from mainsequence.domain.series import SeriesStatistics
from mainsequence.domain.times import from_micros, to_micros
from mainsequence.domain.values import listed
from mainsequence.errors import NotFoundError, ValidationError
from mainsequence.virtualfundbuilder.columns import labelled

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

VOLUME = "volume"
NARROW = 40
"""Up to so many stamps prices are read as rows; for more, a matrix of the whole series is made and kept."""

_NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True)
class PriceTable:
    """Interpolated prices at one version of their series.

    Parameters
    ----------
    series
        The series that `InterpolatedPrices` fills.
    statistics
        First and last row of each asset, at the version at which everything is read.
    column
        Which price of a bar.
    calendars
        The calendar of each asset, by unique identifier.
    """

    series: Series
    statistics: SeriesStatistics
    column: str
    calendars: Mapping[str, str]

    @property
    def version(self) -> int:
        """The version at which everything is read."""
        return self.statistics.version

    def first(self, columns: tuple[str, ...]) -> int | None:
        """Give the first stamp at which any of the assets has a price, ``None`` where none has."""
        rows = self.statistics.assets
        first = min((rows[name].first for name in columns if name in rows), default=None)
        return None if first is None else to_micros(first)

    def reach(self, columns: tuple[str, ...], calendar: str) -> Integers:
        """Give the last instant at which the price of each asset is known, int64[N]; the smallest number for never.

        On a calendar of its own, an asset's last price holds until just before its next close.
        """
        return self._until_next_close(self._last(columns), columns, calendar)

    def _last(self, columns: tuple[str, ...]) -> Integers:
        rows = self.statistics.assets
        ends = {at: to_micros(at) for at in {each.last for each in rows.values()}}
        return np.array([ends[rows[name].last] if name in rows else _NEVER for name in columns], dtype=np.int64)

    def observed(self, columns: tuple[str, ...], calendar: str) -> int:
        """Give the last instant at which an observed price of any asset is known; the smallest number for never.

        Rows that other assets of the same table made (fills, and nulls of the stale) do not count.
        """
        last, reach = self._last(columns), self.reach(columns, calendar)
        newest = int(reach.max(initial=_NEVER))
        if newest == _NEVER:
            return newest
        top = np.flatnonzero(reach == newest)
        if self._observations([columns[at] for at in top], int(last[top].min())):
            return newest
        seen = self._observations([name for name in columns if name in self.statistics.assets], None)
        last = np.array([seen.get(name, _NEVER) for name in columns], dtype=np.int64)
        return int(self._until_next_close(last, columns, calendar).max(initial=_NEVER))

    def _observations(self, names: list[str], since: int | None) -> dict[str, int]:
        """Give the last observed stamp of each asset, among its rows at and after a time."""
        start = None if since is None else from_micros(since)
        table = self.series.read_arrow(["interpolated"], unique_identifiers=names, start=start, version=self.version)
        rows = labelled(table)
        seen = ~rows.flags("interpolated")
        return {rows.labels[code]: int(at) for code, at in zip(rows.codes[seen], rows.times[seen], strict=True)}

    def _until_next_close(self, last: Integers, columns: tuple[str, ...], calendar: str) -> Integers:
        for name in {self.calendars.get(each, calendar) for each in columns} - {calendar}:
            members = np.array([self.calendars.get(each, calendar) == name for each in columns]) & (last > _NEVER)
            closes = schedule(name).closes
            last[members] = closes[np.minimum(closes.searchsorted(last[members], side="right"), len(closes) - 1)] - 1
        return last

    def ends_priced(self, columns: tuple[str, ...], chosen: Integers) -> npt.NDArray[np.bool_]:
        """Tell of chosen columns whether their last row has a price; False too for assets without rows, bool[K]."""
        names = [columns[at] for at in chosen if columns[at] in self.statistics.assets]
        if not names:
            return np.zeros(len(chosen), dtype=np.bool_)
        rows = self.series.read_arrow(
            columns=[self.column], unique_identifiers=names, last_per_asset=True, version=self.version
        )
        priced = {
            name
            for name, price in zip(rows["unique_identifier"].to_pylist(), rows[self.column].to_pylist(), strict=True)
            if price is not None
        }
        return np.array([columns[at] in priced for at in chosen], dtype=np.bool_)

    def calendar(self, columns: tuple[str, ...]) -> str:
        """Give the calendar that all the assets share.

        Raises
        ------
        ValidationError
            They follow several: the portfolio must say which is its own.
        """
        found = sorted({self.calendars[name] for name in columns if name in self.calendars})
        if len(found) == 1:
            return found[0]
        raise ValidationError(
            f"The assets follow {len(found)} calendars: {listed(found)}." if found else "No asset has a calendar.",
            hint="Give the rebalance strategy a calendar_key: its session closes become the portfolio's stamps.",
            calendars=found,
        )

    def prices(self, columns: tuple[str, ...], stamps: Integers, calendar: str) -> Floats:
        """Give the price of each asset at each stamp of a calendar, float64[T, N], NaN where there is none.

        An asset that follows another calendar has the price of its own last stamp at or before.
        """
        return self._aligned(self.column, columns, stamps, calendar)

    def volumes(self, columns: tuple[str, ...], stamps: Integers, calendar: str) -> Floats:
        """Give the volume of the bar behind each price, float64[T, N], NaN where there is none."""
        return self._aligned(VOLUME, columns, stamps, calendar)

    def _aligned(self, column: str, columns: tuple[str, ...], stamps: Integers, calendar: str) -> Floats:
        if not len(stamps):
            return np.empty((0, len(columns)))
        own = {self.calendars.get(name, calendar) for name in columns} - {calendar}
        back = 15 if own else 0  # the longest time that any exchange stays closed, in days
        read = self._narrow if len(stamps) <= NARROW else self._whole
        matrix = read(column, columns, int(stamps[0]) - back * 86_400_000_000, int(stamps[-1]) + 1)
        if not own:
            return _rows(matrix, stamps)
        values = np.full((len(stamps), len(columns)), np.nan)
        for name in sorted(own | {calendar}):
            members = np.array([at for at, each in enumerate(columns) if self.calendars.get(each, calendar) == name])
            if len(members):
                values[:, members] = _rows(matrix, _own_stamps(name, stamps))[:, members]
        return values

    def _narrow(self, column: str, columns: tuple[str, ...], start: int, end: int) -> WideMatrix:
        """Read a few stamps as rows: a resumed run need not turn the whole series into a matrix."""
        table = self.series.read_arrow(
            [column],
            unique_identifiers=columns,
            start=from_micros(start),
            end=from_micros(end),
            version=self.version,
        )
        rows = labelled(table)
        times, at = np.unique(rows.times, return_inverse=True)
        values = np.full((len(times), len(columns)), np.nan)
        values[at, rows.positions(columns)] = rows.floats(column)
        return WideMatrix(times, columns, values, self.version)

    def _whole(self, column: str, columns: tuple[str, ...], start: int, end: int) -> WideMatrix:
        return self.series.wide(
            column,
            unique_identifiers=columns,
            start=from_micros(start),
            end=from_micros(end),
            version=self.version,
        )


def price_table(series: Series | None, version: int | None, column: str, calendars: Mapping[str, str]) -> PriceTable:
    """Hold a series of prices at a version, by default the present one.

    Raises
    ------
    NotFoundError
        Nothing is stored.
    """
    if series is None:
        raise NotFoundError("No prices are stored for the portfolio's assets.", hint="Run the prices first.")
    return PriceTable(series, series.statistics(version), column, calendars)


def _own_stamps(calendar: str, stamps: Integers) -> Integers:
    """Give the last close of a calendar at or before each stamp."""
    closes = schedule(calendar).closes
    at = closes.searchsorted(stamps, side="right") - 1
    return np.where(at >= 0, closes[np.maximum(at, 0)], _NEVER)


def _rows(matrix: WideMatrix, stamps: Integers) -> Floats:
    """Give the rows of a matrix at these stamps; all NaN where it has none."""
    if np.array_equal(matrix.times, stamps):
        return matrix.values
    if not len(matrix.times):
        return np.full((len(stamps), len(matrix.assets)), np.nan)
    at = np.minimum(matrix.times.searchsorted(stamps), len(matrix.times) - 1)
    rows = matrix.values[at]
    rows[matrix.times[at] != stamps] = np.nan
    return rows
