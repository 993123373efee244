"""Align, fill and aggregate bars on a grid (METHODOLOGY section 2): one row per stamp, asset by asset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.bar_columns import Bars
from mainsequence.compute.bar_compiled import compiled_rows
from mainsequence.compute.bar_rows import FillRule, plain_rows
from mainsequence.compute.kernels import worth_compiling
from mainsequence.compute.sessions import Grid, Schedule, daily_grid, intraday_grid
from mainsequence.domain.frequency import Frequency
from mainsequence.domain.times import MICROS_PER_DAY
from mainsequence.errors import ValidationError

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

Fill: TypeAlias = Literal["ffill", "none"]
Midnight: TypeAlias = Literal["session_date", "bar_end"]

DAILY_STALENESS = 5
"""Sessions for which a daily observation is carried forward unless a configuration says otherwise."""
INTRADAY_STALENESS = 1
"""Sessions for which an intraday observation is carried forward unless a configuration says otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class BarState:
    """What was last observed of each asset before a grid starts: all that a resumed interpolation needs.

    Parameters
    ----------
    closes
        float64[A], last observed close; NaN for an asset never observed.
    ordinals
        int64[A], position in the calendar of the session in which it was observed (`Grid.ordinals`).
    """

    closes: Floats
    ordinals: Integers

    @classmethod
    def nothing(cls, asset_count: int) -> BarState:
        """No asset was ever observed."""
        return cls(np.full(asset_count, np.nan), np.zeros(asset_count, dtype=np.int64))

    @classmethod
    def of(cls, asset_count: int, assets: Integers, times: Integers, closes: Floats, sessions: Schedule) -> BarState:
        """Build the state from the last observed row of each asset: its stamp on the grid and its close.

        Parameters
        ----------
        asset_count
            Number of assets; those without a row were never observed.
        assets, times, closes
            One entry per asset that was observed: its position, the stamp of its last row that is not interpolated,
            int64 microseconds UTC, and its close.
        sessions
            The schedule of the grid.
        """
        state = cls.nothing(asset_count)
        state.closes[assets] = closes
        state.ordinals[assets] = sessions.first + sessions.position_of(times)
        return state


@dataclass(frozen=True, slots=True, eq=False)
class Interpolation:
    """Bars on a grid, and what was last observed at its end.

    Parameters
    ----------
    bars
        One row per stamp from each asset's first observation on, sorted by (asset, time), ``interpolated`` set.
    state
        Give it to the next `interpolate`, whose grid starts after this one.
    """

    bars: Bars
    state: BarState


def interpolate(
    bars: Bars,
    grid: Grid,
    *,
    asset_count: int,
    staleness_limit: int,
    fill: Fill = "ffill",
    state: BarState | None = None,
    out: Bars | None = None,
    jit: bool | None = None,
) -> Interpolation:
    """Put bars on a grid: one row per stamp from each asset's first observation on.

    A row is observed when the asset has a non-null close in ``(previous stamp, stamp]``; several such bars are
    aggregated, and bars whose close is null are not looked at. Other rows are ``interpolated``: with ``"ffill"`` they
    take the last observed close as open, high, low, close and vwap, with zero volume and trades; with ``"none"``, and
    once the observation is older than the staleness limit, they are null. There are no rows before the first
    observation.

    Parameters
    ----------
    bars
        Sorted by (asset, time). Bars outside ``(grid.origin, last stamp]`` are not used: what was known before the
        grid comes in through ``state``.
    grid
        From `daily_grid` or `intraday_grid`.
    asset_count
        Number of assets A; ``bars.asset`` is in ``[0, A)``.
    staleness_limit
        Sessions for which an observation is carried: a row is null when its session is more than this many sessions
        after that of the observation. `DAILY_STALENESS` and `INTRADAY_STALENESS` are the usual values.
    fill
        ``"ffill"`` or ``"none"``.
    state
        What was last observed before the grid; resuming with it equals one full run bit for bit.
    out
        Arrays to write into, for callers that run often; they belong to the result until the next call.
    jit
        Force the compiled (True) or the plain NumPy path (False). They give the same bits.

    Raises
    ------
    ValidationError
        Bars out of order, twice for one asset and time, of unknown assets, or infinite.
    """
    before = state or BarState.nothing(asset_count)
    _check_rules(fill, staleness_limit, asset_count, before)
    known, rule = (before.closes, before.ordinals), FillRule(fill == "ffill", staleness_limit)
    cells = len(bars) + asset_count * len(grid)
    if len(bars) and worth_compiling(cells, "mainsequence.compute.bar_kernel", jit):
        rows, after = compiled_rows(bars, grid, asset_count, known, rule, out)
    else:
        rows, after = plain_rows(bars, grid, asset_count, known, rule)
    return Interpolation(rows, BarState(*after))


def _check_rules(fill: str, limit: int, asset_count: int, state: BarState) -> None:
    if fill not in ("ffill", "none"):
        raise ValidationError(f"{fill!r} is not a way to fill gaps.", hint="One of 'ffill', 'none'.")
    if limit < 0:
        raise ValidationError(f"staleness_limit must not be negative, got {limit}.")
    if state.closes.shape != (asset_count,) or state.ordinals.shape != (asset_count,):
        raise ValidationError(f"The state is for {len(state.closes)} assets, expected were {asset_count}.")


def aggregate(bars: Bars, sessions: Schedule, *, asset_count: int, fine: Frequency, coarse: Frequency) -> Bars:
    """Aggregate finer bars to coarser ones: one row per coarse bar that holds an observation, sorted by (asset, time).

    Open first, high highest, low lowest, close last, volume and trade_count summed, vwap Σ vwap·volume / Σ volume,
    ``interpolated`` when all are. A null counts for nothing. The last bar before a break or a close may be short.

    Parameters
    ----------
    bars
        Sorted by (asset, time), on the grid of ``fine``.
    sessions
        Schedule of the calendar of these assets.
    asset_count
        Number of assets; ``bars.asset`` is in ``[0, asset_count)``.
    fine, coarse
        What the bars are, and what they shall be.

    Raises
    ------
    ValidationError
        ``coarse`` is not a multiple of ``fine``, or is longer than a session.
    """
    if not coarse.is_multiple_of(fine):
        raise ValidationError(
            f"Bars of {fine} do not make up bars of {coarse}.", hint="Choose a multiple of the finer frequency."
        )
    if not len(bars):
        return bars.take(slice(0, 0))
    grid = grid_over(sessions, coarse, int(bars.time.min()), int(bars.time.max()))
    rows = interpolate(bars, grid, asset_count=asset_count, staleness_limit=0, fill="none").bars
    return rows.take(~np.isnan(rows.close))


def grid_over(sessions: Schedule, frequency: Frequency, first: int, last: int) -> Grid:
    """Give the whole sessions' grid that covers bars stamped ``first`` to ``last``, both included.

    Raises
    ------
    ValidationError
        The frequency is longer than a session.
    """
    low = int(sessions.closes.searchsorted(first))
    high = min(int(sessions.closes.searchsorted(last)), len(sessions) - 1)
    start = int(sessions.closes[low - 1]) + 1 if low else sessions.bounds[0]
    end = int(sessions.closes[high]) + 1
    if frequency.is_daily:
        return daily_grid(sessions, start, end)
    return intraday_grid(sessions, frequency, start, end)


def stamp_daily_bars(times: Integers, sessions: Schedule, *, midnight: Midnight | None = None) -> Integers:
    """Move daily bars stamped at midnight of their session's date to that session's close.

    So a bar never counts as known before its close. Stamps that are not midnight UTC of a session's date are left
    alone: they already say when the bar ended.

    Parameters
    ----------
    times
        int64[n], microseconds UTC, of daily bars.
    sessions
        Schedule of the calendar of these bars.
    midnight
        What midnight means where sessions themselves end at midnight UTC (``24/7``) and a stamp cannot tell:
        ``"session_date"``, the bar's date, as most vendors deliver it, or ``"bar_end"``, as this platform stores it.
        Other calendars do not need it.

    Raises
    ------
    ValidationError
        Midnight is ambiguous in this calendar and ``midnight`` does not say what it means.
    """
    at = np.minimum(sessions.dates.searchsorted(times), max(len(sessions) - 1, 0))
    dated = sessions.dates[at] == times
    if midnight == "bar_end" or not dated.any():
        return times
    if midnight is None and np.any(sessions.closes[at[dated]] % MICROS_PER_DAY == 0):
        raise ValidationError(
            f"Sessions of {sessions.calendar} end at midnight UTC, so a daily bar stamped at midnight is ambiguous.",
            hint="Say midnight='session_date' if stamps are dates, 'bar_end' if they are ends of bars.",
            calendar=sessions.calendar,
        )
    return np.where(dated, sessions.closes[at], times)
