# ruff: noqa: PLR0917, SIM110 - loops compiled by numba take plain arguments and are written out
"""Rows of bars on a grid as compiled loops (METHODOLOGY section 2); imported only when a job is large enough.

`bar_rows` does the same operations in the same order in plain NumPy: read, and change, the two together.
Each asset is laid out first (which bar serves which row), then written column by column: few memory streams at once.
"""

from math import isnan

import numpy as np
import numpy.typing as npt

from mainsequence.compute.kernels import compiled, inlined

_Codes = npt.NDArray[np.int32]
_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

FIRST, HIGHEST, LOWEST, LAST, SUM, VWAP = range(6)
KINDS = (FIRST, HIGHEST, LOWEST, LAST, SUM, SUM, VWAP)


@compiled("k1 i1 i0 i1w")
def check_rows(asset: _Codes, time: _Integers, asset_count: int, bounds: _Integers) -> bool:
    """Find where each asset's bars begin, int64[A + 1]; False when they are out of order or of unknown assets."""
    current, previous = -1, 0
    for j in range(len(asset)):
        code = asset[j]
        if code < 0 or code >= asset_count or code < current or (code == current and time[j] <= previous):
            return False
        for a in range(current + 1, code + 1):
            bounds[a] = j
        current, previous = code, time[j]
    for a in range(current + 1, asset_count + 1):
        bounds[a] = len(asset)
    return True


@compiled("i1 i1 f1 i1 i0 f1 i1w")
def first_slots(
    bounds: _Integers,
    time: _Integers,
    close: _Floats,
    stamps: _Integers,
    origin: int,
    known: _Floats,
    firsts: _Integers,
) -> None:
    """For each asset, the first stamp that has a row: its first observation, or 0 when it was observed before."""
    for a in range(len(firsts)):
        firsts[a] = len(stamps) if isnan(known[a]) else 0
        if firsts[a] == 0:
            continue
        for j in range(bounds[a], bounds[a + 1]):
            if time[j] > origin and not isnan(close[j]):
                firsts[a] = np.searchsorted(stamps, time[j])
                break


@inlined
def _lay_out(
    start: int,
    end: int,
    first: int,
    time: _Integers,
    close: _Floats,
    fills: _Flags,
    stamps: _Integers,
    ordinals: _Integers,
    last_close: float,
    last_ordinal: int,
    carry: bool,
    limit: int,
    begins: _Integers,
    counts: _Integers,
    lasts: _Integers,
    carried: _Floats,
    untraded: _Floats,
    interpolated: _Flags,
) -> tuple[float, int, bool]:
    j, last, several = start, min(start, len(time) - 1), False
    for g in range(first, len(stamps)):
        begin, count, filled = j, 0, 0
        while j < end and time[j] <= stamps[g]:
            if not isnan(close[j]):
                count += 1
                last = j
                filled += len(fills) > 0 and fills[j]
            j += 1
        counts[g], lasts[g] = count, last
        interpolated[g - first] = count == filled
        if count == 0:
            fresh = carry and ordinals[g] - last_ordinal <= limit
            carried[g], untraded[g] = (last_close, 0.0) if fresh else (np.nan, np.nan)
            continue
        if count > filled or isnan(last_close):
            last_ordinal = ordinals[g]
        last_close = close[last]
        if count > 1:
            begins[g], several = begin, True
    return last_close, last_ordinal, several


@inlined
def _fold(kind: int, column: _Floats, close: _Floats, begin: int, last: int) -> float:
    result = np.nan
    for j in range(begin, last + 1):
        value = column[j]
        if isnan(close[j]) or isnan(value):
            continue
        if isnan(result):
            result = value
        elif kind == HIGHEST:
            result = value if value > result else result
        elif kind == LOWEST:
            result = value if value < result else result
        elif kind == LAST:
            result = value
        elif kind == SUM:
            result = result + value
    return result


@inlined
def _vwap(column: _Floats, volume: _Floats, close: _Floats, begin: int, last: int) -> float:
    latest, traded, total = np.nan, 0.0, 0.0
    if len(volume) == 0:
        return latest
    for j in range(begin, last + 1):
        if isnan(close[j]) or isnan(column[j]):
            continue
        latest = column[j]
        if not isnan(volume[j]):
            traded += column[j] * volume[j]
            total += volume[j]
    return traded / total if total > 0.0 else latest


@inlined
def _any_infinite(column: _Floats, close: _Floats, begin: int, last: int) -> bool:
    for j in range(begin, last + 1):
        if not isnan(close[j]) and abs(column[j]) == np.inf:
            return True
    return False


@inlined
def _write(column: _Floats, first: int, counts: _Integers, lasts: _Integers, blanks: _Floats, rows: _Floats) -> bool:
    """Write rows of one bar or none; tells whether one is infinite."""
    for g in range(first, len(counts)):
        value = column[lasts[g]]
        rows[g - first] = value if counts[g] > 0 else blanks[g]
    infinite = 0
    for g in range(len(rows)):
        infinite += abs(rows[g]) == np.inf
    return infinite > 0


@inlined
def _write_several(
    kind: int,
    column: _Floats,
    close: _Floats,
    volume: _Floats,
    first: int,
    begins: _Integers,
    counts: _Integers,
    lasts: _Integers,
    rows: _Floats,
) -> bool:
    """Write rows of several bars; tells whether one of those is infinite."""
    infinite = False
    for g in range(first, len(counts)):
        if counts[g] <= 1:
            continue
        if kind == VWAP:
            rows[g - first] = _vwap(column, volume, close, begins[g], lasts[g])
        else:
            rows[g - first] = _fold(kind, column, close, begins[g], lasts[g])
        infinite |= _any_infinite(column, close, begins[g], lasts[g])
    return infinite


@compiled("i0 i0 i1 i1 i1 i1 i1 i0 b0 i0 i1 b1 f1 f1 f1 f1 f1 f1 f1 k1w i1w b1w f1w f1w f1w f1w f1w f1w f1w f1w i1w")
def fill_assets(
    low: int,
    high: int,
    bounds: _Integers,
    firsts: _Integers,
    offsets: _Integers,
    stamps: _Integers,
    ordinals: _Integers,
    origin: int,
    carry: bool,
    limit: int,
    time: _Integers,
    fills: _Flags,
    open_: _Floats,
    high_: _Floats,
    low_: _Floats,
    close: _Floats,
    volume: _Floats,
    vwap: _Floats,
    trades: _Floats,
    to_asset: _Codes,
    to_time: _Integers,
    to_interpolated: _Flags,
    to_open: _Floats,
    to_high: _Floats,
    to_low: _Floats,
    to_close: _Floats,
    to_volume: _Floats,
    to_vwap: _Floats,
    to_trades: _Floats,
    closes: _Floats,
    seen_at: _Integers,
) -> bool:
    """Write the rows of assets ``[low, high)`` and move what is known of them on; False when a value is infinite."""
    slots = len(stamps)
    begins, counts, lasts = np.empty(slots, np.int64), np.empty(slots, np.int64), np.empty(slots, np.int64)
    carried, untraded = np.empty(slots), np.empty(slots)
    columns = (open_, high_, low_, close, volume, trades, vwap)
    targets = (to_open, to_high, to_low, to_close, to_volume, to_trades, to_vwap)
    infinite = False
    for a in range(low, high):
        first, start, end = firsts[a], bounds[a], bounds[a + 1]
        if first == slots:
            continue
        rows = slice(offsets[a], offsets[a] + slots - first)
        while start < end and time[start] <= origin:
            start += 1
        closes[a], seen_at[a], several = _lay_out(
            start, end, first, time, close, fills, stamps, ordinals, closes[a], seen_at[a], carry, limit,
            begins, counts, lasts, carried, untraded, to_interpolated[rows],
        )  # fmt: skip
        to_asset[rows] = a
        to_time[rows] = stamps[first:]
        for k in range(len(KINDS)):
            column, kind = columns[k], KINDS[k]
            if len(column):
                to = targets[k][rows]
                infinite |= _write(column, first, counts, lasts, untraded if kind == SUM else carried, to)
                if several:
                    infinite |= _write_several(kind, column, close, volume, first, begins, counts, lasts, to)
    return not infinite
