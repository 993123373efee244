"""Rows of bars on a grid, compiled: assets are shared out among the processor's cores (METHODOLOGY section 2)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mainsequence.compute.bar_columns import VALUE_COLUMNS, Bars, check_order, refuse_infinite
from mainsequence.compute.bar_rows import FillRule, Known
from mainsequence.compute.sessions import Grid
from mainsequence.errors import ValidationError

Integers: TypeAlias = npt.NDArray[np.int64]

MOST_THREADS = 4
"""Writing rows is bound by memory: more threads than this gain nothing."""
ROWS_PER_SHARE = 150_000

_ABSENT = np.empty(0)
_NO_FLAGS = np.empty(0, np.bool_)


def compiled_rows(
    bars: Bars, grid: Grid, asset_count: int, known: Known, rule: FillRule, out: Bars | None
) -> tuple[Bars, Known]:
    """Fill all rows with the compiled loops; see `bars.interpolate`."""
    from mainsequence.compute import bar_kernel

    bounds = np.zeros(asset_count + 1, np.int64)
    if not bar_kernel.check_rows(bars.asset, bars.time, asset_count, bounds):
        check_order(bars, asset_count)
    stamps, ordinals = np.ascontiguousarray(grid.stamps), np.ascontiguousarray(grid.ordinals)
    firsts = np.empty(asset_count, np.int64)
    bar_kernel.first_slots(bounds, bars.time, bars.close, stamps, grid.origin, known[0], firsts)
    lengths = len(grid) - firsts
    ends = np.cumsum(lengths)
    rows = _room(bars, int(ends[-1]) if asset_count else 0, out)
    after = known[0].copy(), known[1].copy()
    shares = _shares(ends)
    common = (bounds, firsts, ends - lengths, stamps, ordinals, grid.origin, rule.carry, rule.limit)
    arrays = (*_columns(bars, _NO_FLAGS), *(rows.asset, rows.time), *_columns(rows, _NO_FLAGS)[1:], *after)
    finite = _run([(low, high, *common, *arrays) for low, high in shares])
    if not finite:
        refuse_infinite(bars)
    return rows, after


def _run(jobs: list[tuple[object, ...]]) -> bool:
    from mainsequence.compute.bar_kernel import fill_assets

    if len(jobs) == 1:
        return bool(fill_assets(*jobs[0]))  # type: ignore[arg-type]
    with ThreadPoolExecutor(_cores()) as threads:
        return all(list(threads.map(lambda job: fill_assets(*job), jobs)))


def _cores() -> int:
    return min(MOST_THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _columns(bars: Bars, no_flags: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.generic], ...]:
    flags = no_flags if bars.interpolated is None else bars.interpolated
    present = dict(bars.values())
    return bars.time, flags, *(present.get(name, _ABSENT) for name in VALUE_COLUMNS)


def _room(bars: Bars, count: int, out: Bars | None) -> Bars:
    if out is None:
        return bars.room(count)
    names, given = dict(bars.values()).keys(), dict(out.values()).keys()
    if names != given or out.interpolated is None or len(out) < count:
        raise ValidationError(f"`out` has {len(out)} rows of {sorted(given)}, needed are {count} of {sorted(names)}.")
    return out.take(slice(0, count))


def _shares(ends: Integers) -> list[tuple[int, int]]:
    """Ranges of assets with about as many rows each; several per core, so that a busy core holds nobody up."""
    total = int(ends[-1]) if len(ends) else 0
    parts = max(1, total // ROWS_PER_SHARE) if _cores() > 1 else 1
    cuts = [int(cut) for cut in ends.searchsorted([total * part // parts for part in range(1, parts)])]
    return list(zip([0, *cuts], [*cuts, len(ends)], strict=True))
