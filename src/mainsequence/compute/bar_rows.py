"""Rows of bars on a grid in plain NumPy (METHODOLOGY section 2).

`bar_kernel` does the same operations in the same order: the two must be read, and changed, together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.bar_columns import Bars, check_order, refuse_infinite
from mainsequence.compute.sessions import Grid

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Known: TypeAlias = tuple[Floats, Integers]
"""Last observed close of each asset (NaN for none), and the ordinal of the session it is from."""


@dataclass(frozen=True, slots=True)
class FillRule:
    """Carry observations forward, and for how many sessions?"""

    carry: bool
    limit: int


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """What the observed bars of each output row are, one entry per row (R rows).

    Parameters
    ----------
    slot, asset
        int64[R], the row's stamp on the grid and its asset.
    count
        int64[R], observed bars in the row's interval.
    first, last
        int64[R], their first and last position among ``kept``; meaningless where ``count`` is 0.
    kept
        int64, positions of the observed bars on the grid.
    heads
        bool[R], is it the asset's first row?
    """

    slot: Integers
    asset: Integers
    count: Integers
    first: Integers
    last: Integers
    kept: Integers
    heads: Flags


def plain_rows(bars: Bars, grid: Grid, asset_count: int, known: Known, rule: FillRule) -> tuple[Bars, Known]:
    """Fill all rows without compiling; see `bars.interpolate`."""
    check_order(bars, asset_count)
    if not len(grid):
        return bars.room(0), known
    buckets = _buckets(bars, grid, asset_count, known[0])
    refuse_infinite(bars.take(buckets.kept))
    seen = buckets.count > 0
    filled_only = _all_interpolated(bars, buckets)
    carried, after = _carry(bars, grid, buckets, filled_only, known, rule)
    columns = {name: _column(name, bars, buckets, carried) for name, _ in bars.values()}
    rows = Bars(
        asset=buckets.asset.astype(np.int32),
        time=grid.stamps[buckets.slot],
        interpolated=~seen | filled_only,
        **columns,
    )
    return rows, after


def _buckets(bars: Bars, grid: Grid, asset_count: int, closes: Floats) -> Buckets:
    on_grid = (bars.time > grid.origin) & (bars.time <= grid.stamps[-1])
    kept = np.flatnonzero(on_grid & ~np.isnan(bars.close))
    slots, assets = grid.stamps.searchsorted(bars.time[kept]), bars.asset[kept].astype(np.int64)
    firsts = np.full(asset_count, len(grid), dtype=np.int64)
    firsts[assets[::-1]] = slots[::-1]
    firsts[~np.isnan(closes)] = 0
    lengths = len(grid) - firsts
    offsets = np.cumsum(lengths) - lengths
    total = int(lengths.sum())
    asset = np.repeat(np.arange(asset_count), lengths)
    slot = np.arange(total) - (offsets - firsts)[asset]
    rows = offsets[assets] + slots - firsts[assets]
    count = np.bincount(rows, minlength=total)
    last = np.cumsum(count) - 1
    return Buckets(slot, asset, count, last - count + 1, last, kept, slot == firsts[asset])


def _all_interpolated(bars: Bars, buckets: Buckets) -> Flags:
    if bars.interpolated is None:
        return np.zeros(len(buckets.slot), dtype=np.bool_)
    fills = np.concatenate(([0], np.cumsum(bars.interpolated[buckets.kept])))
    inside = fills[buckets.last + 1] - fills[buckets.first]
    same: Flags = (inside == buckets.count) & (buckets.count > 0)
    return same


def _carry(
    bars: Bars, grid: Grid, buckets: Buckets, filled_only: Flags, known: Known, rule: FillRule
) -> tuple[Floats, Known]:
    """Price of each row that has no bar (NaN where nothing is carried), and what is known at the end."""
    seen = buckets.count > 0
    own = np.where(seen, _at(bars.close, buckets.kept, buckets.last, seen), known[0][buckets.asset])
    closes = own[_latest(seen | buckets.heads)]
    unknown = np.isnan(known[0])[buckets.asset]
    observed = seen & (~filled_only | (buckets.heads & unknown))
    since = np.where(observed, grid.ordinals[buckets.slot], known[1][buckets.asset])
    ordinals = since[_latest(observed | buckets.heads)]
    fresh = grid.ordinals[buckets.slot] - ordinals <= rule.limit
    ends = np.flatnonzero(buckets.slot == len(grid) - 1)
    after = known[0].copy(), known[1].copy()
    after[0][buckets.asset[ends]], after[1][buckets.asset[ends]] = closes[ends], ordinals[ends]
    return np.where(fresh & rule.carry, closes, np.nan), after


def _latest(marked: Flags) -> Integers:
    return np.maximum.accumulate(np.where(marked, np.arange(len(marked)), 0))


def _at(column: Floats, kept: Integers, position: Integers, where: Flags) -> Floats:
    found = np.full(len(position), np.nan)
    found[where] = column[kept[position[where]]]
    return found


def _column(name: str, bars: Bars, buckets: Buckets, carried: Floats) -> Floats:
    column: Floats = getattr(bars, name)
    blank = np.where(np.isnan(carried), np.nan, 0.0) if name in ("volume", "trade_count") else carried
    rows = np.where(buckets.count > 0, _at(column, buckets.kept, buckets.last, buckets.count > 0), blank)
    several = np.flatnonzero(buckets.count > 1)
    if len(several):
        rows[several] = _AGGREGATES[name](bars, column, buckets, several)
    return rows


Steps: TypeAlias = "list[tuple[Integers, Integers]]"


def _steps(buckets: Buckets, several: Integers) -> Steps:
    """List, for k = 0, 1, …, which of ``several`` have a k-th bar, and the positions of those bars."""
    first, count = buckets.first[several], buckets.count[several]
    chosen = [np.flatnonzero(count > step) for step in range(int(count.max()))]
    return [(which, buckets.kept[first[which] + step]) for step, which in enumerate(chosen)]


def _fold(take: Callable[[Floats, Floats], Floats]) -> Callable[[Bars, Floats, Buckets, Integers], Floats]:
    """Fold the non-null values of each bucket from left to right."""

    def fold(_: Bars, column: Floats, buckets: Buckets, several: Integers) -> Floats:
        result = np.full(len(several), np.nan)
        for which, bar in _steps(buckets, several):
            value, so_far = column[bar], result[which]
            folded = np.where(np.isnan(so_far), value, take(so_far, value))
            result[which] = np.where(np.isnan(value), so_far, folded)
        return result

    return fold


def _vwap(bars: Bars, column: Floats, buckets: Buckets, several: Integers) -> Floats:
    latest, traded, volume = np.full(len(several), np.nan), np.zeros(len(several)), np.zeros(len(several))
    if bars.volume is None:
        return latest
    for which, bar in _steps(buckets, several):
        price, size = column[bar], bars.volume[bar]
        counts = ~np.isnan(price) & ~np.isnan(size)
        latest[which] = np.where(np.isnan(price), latest[which], price)
        traded[which] = np.where(counts, traded[which] + price * size, traded[which])
        volume[which] = np.where(counts, volume[which] + size, volume[which])
    return np.where(volume > 0.0, traded / np.where(volume > 0.0, volume, 1.0), latest)


_AGGREGATES: Mapping[str, Callable[[Bars, Floats, Buckets, Integers], Floats]] = MappingProxyType(
    {
        "open": _fold(lambda so_far, _: so_far),
        "high": _fold(lambda so_far, value: np.where(value > so_far, value, so_far)),
        "low": _fold(lambda so_far, value: np.where(value < so_far, value, so_far)),
        "close": _fold(lambda _, value: value),
        "volume": _fold(lambda so_far, value: so_far + value),
        "vwap": _vwap,
        "trade_count": _fold(lambda so_far, value: so_far + value),
    }
)
