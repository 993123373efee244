"""Random bars, prices and targets for property tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from mainsequence.compute.bar_columns import Bars
from mainsequence.compute.sessions import Grid

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Market:
    """Prices and rules of a random portfolio run."""

    times: npt.NDArray[np.int64]
    prices: Floats
    targets: Floats
    rebalance: npt.NDArray[np.bool_]
    rules: dict[str, Any]


@st.composite
def markets(draw: st.DrawFn, min_rows: int = 2) -> Market:
    """A market whose portfolio survives: long or mildly short weights, moderate moves, some missing prices."""
    seed = draw(st.integers(0, 2**32 - 1))
    rows, width = draw(st.integers(min_rows, 25)), draw(st.integers(1, 9))
    random = np.random.default_rng(seed)
    prices = 50 * np.exp(np.cumsum(random.normal(0, 0.03, (rows, width)), axis=0))
    prices[random.random((rows, width)) < draw(st.sampled_from([0.0, 0.1, 0.4]))] = np.nan
    targets = random.normal(0.5, draw(st.sampled_from([0.0, 0.4])), (rows, width)) / width
    targets[random.random((rows, width)) < 0.2] = 0.0
    rebalance = random.random(rows) < draw(st.sampled_from([0.1, 0.5, 1.0]))
    rules = {
        "commission_fee": draw(st.sampled_from([0.0, 0.001])),
        "tolerance": draw(st.sampled_from([0.0, 0.02])),
        "missing_weight": draw(st.sampled_from(["cash", "cash", "renormalize"])),
    }
    times = np.cumsum(random.integers(1, 100, rows)).astype(np.int64)
    return Market(times, prices, targets, rebalance, rules)


@dataclass(frozen=True)
class RawBars:
    """Random bars, the grid they go on, and the rules."""

    bars: Bars
    grid: Grid
    asset_count: int
    rules: dict[str, Any]


@st.composite
def raw_bars(draw: st.DrawFn) -> RawBars:
    """Bars of a few assets, irregular in time, with nulls, on a grid of sessions of several bars."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    assets, slots = draw(st.integers(1, 4)), draw(st.integers(2, 24))
    per_session = draw(st.sampled_from([1, 4]))
    stamps = np.cumsum(random.integers(1, 12, slots)).astype(np.int64) + 100
    ordinals = 500 + np.arange(slots, dtype=np.int64) // per_session
    grid = Grid(stamps, ordinals * 1000, ordinals, 100)
    chosen = random.random((assets, int(stamps[-1]) + 10)) < draw(st.sampled_from([0.05, 0.4]))
    asset, time = np.nonzero(chosen)
    count = len(asset)

    def column(nulls: float) -> Floats:
        values = random.integers(1, 1000, count) / 8.0
        values[random.random(count) < nulls] = np.nan
        return values

    nulls = draw(st.sampled_from([0.0, 0.3]))
    bars = Bars(
        asset.astype(np.int32),
        time.astype(np.int64),
        close=column(nulls),
        open=column(nulls),
        high=column(nulls),
        low=column(nulls),
        volume=column(nulls) if draw(st.booleans()) else None,
        vwap=column(nulls),
        trade_count=column(nulls) if draw(st.booleans()) else None,
        interpolated=random.random(count) < 0.5 if draw(st.booleans()) else None,
    )
    rules = {"staleness_limit": draw(st.integers(0, 6)), "fill": draw(st.sampled_from(["ffill", "ffill", "none"]))}
    return RawBars(bars, grid, assets, rules)
