"""Daily interpolation of 500 assets over ten years (1.26 million rows), against pandas and Polars.

All three start from the same long columns and the same stamps, and their answers are compared value by value first.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from benchmarks.measure import Row, interleaved, report, row
from mainsequence.compute.bar_columns import Bars
from mainsequence.compute.bars import interpolate
from mainsequence.compute.sessions import Grid, daily_grid, schedule
from mainsequence.domain.times import to_micros

ASSETS, SESSIONS = 500, 2_520
COLUMNS = ["open", "high", "low", "close", "volume", "vwap", "trade_count"]
PRICES = ["open", "high", "low", "vwap"]
STALENESS = SESSIONS  # peers carry for ever: so do we, to compare the same answer


def market() -> tuple[Bars, Grid]:
    """Bars of every asset on 97 of 100 sessions, all columns present."""
    whole = daily_grid(schedule("XNYS"), to_micros("2010-01-01"), to_micros("2020-02-01"))
    grid = whole.between(int(whole.stamps[0]), int(whole.stamps[SESSIONS]))
    random = np.random.default_rng(7)
    kept = random.random((ASSETS, SESSIONS)) > 0.03
    kept[:, 0] = True
    asset = np.repeat(np.arange(ASSETS, dtype=np.int32), SESSIONS)[kept.ravel()]
    time = np.tile(grid.stamps, ASSETS)[kept.ravel()]
    close = 100.0 * np.exp(random.normal(0, 0.01, len(time)))
    values = {name: close * (1 + random.normal(0, 0.001, len(time))) for name in COLUMNS if name != "close"}
    return Bars(asset, time, close, **values), grid


def with_pandas(frame: pd.DataFrame, stamps: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Vectorised pandas: reindex on every (asset, stamp), then a grouped forward fill."""
    index = pd.MultiIndex.from_product([range(ASSETS), stamps], names=["asset", "time"])
    full = frame.set_index(["asset", "time"]).reindex(index)
    observed = full["close"].notna()
    close = full.groupby(level=0, sort=False)["close"].ffill()
    for name in PRICES:
        full[name] = full[name].where(observed, close)
    full["close"] = close
    full["volume"] = full["volume"].where(observed, 0.0)
    full["trade_count"] = full["trade_count"].where(observed, 0.0)
    full["interpolated"] = ~observed
    return full[close.notna()]


def with_polars(frame: pl.DataFrame, stamps: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Polars: every (asset, stamp), then an as-of join backwards by asset."""
    assets = np.repeat(np.arange(ASSETS, dtype=np.int32), len(stamps))
    wanted = pl.DataFrame({"asset": assets, "time": np.tile(stamps, ASSETS)})
    fresh = pl.col("seen_at") == pl.col("time")
    joined = wanted.join_asof(frame, on="time", by="asset", strategy="backward", check_sortedness=False)
    return (
        joined.lazy()
        .filter(pl.col("close").is_not_null())
        .with_columns(
            *(pl.when(fresh).then(pl.col(name)).otherwise(pl.col("close")).alias(name) for name in PRICES),
            *(pl.when(fresh).then(pl.col(name)).otherwise(0.0).alias(name) for name in ("volume", "trade_count")),
            interpolated=~fresh,
        )
        .drop("seen_at")
        .collect()
    )


def rows() -> list[Row]:
    bars, grid = market()
    columns = dict(bars.values())
    frame = pd.DataFrame({"asset": bars.asset, "time": bars.time, **columns})
    table = pl.DataFrame({"asset": bars.asset, "time": bars.time, "seen_at": bars.time, **columns})
    out = bars.room(ASSETS * SESSIONS)

    def ours() -> Bars:
        return interpolate(bars, grid, asset_count=ASSETS, staleness_limit=STALENESS, jit=True).bars

    def reusing() -> Bars:
        return interpolate(bars, grid, asset_count=ASSETS, staleness_limit=STALENESS, jit=True, out=out).bars

    def in_pandas() -> pd.DataFrame:
        return with_pandas(frame, grid.stamps)

    def in_polars() -> pl.DataFrame:
        return with_polars(table, grid.stamps)

    _check_same(ours(), in_pandas(), in_polars())
    mine, reused, pandas_time, polars_time = interleaved([ours, reusing, in_pandas, in_polars], runs=11)
    name = "daily interpolation, 500 assets × 10 years"
    return [
        row(name, mine, "pandas reindex + groupby ffill", pandas_time, 4.0),
        row(name, mine, "Polars join_asof", polars_time, 2.0),
        row(name + ", arrays reused", reused, "pandas reindex + groupby ffill", pandas_time, 4.0),
        row(name + ", arrays reused", reused, "Polars join_asof", polars_time, 2.0),
    ]


def _check_same(ours: Bars, in_pandas: pd.DataFrame, in_polars: pl.DataFrame) -> None:
    for name, column in ours.values():
        np.testing.assert_array_equal(column, in_pandas[name].to_numpy())
        np.testing.assert_array_equal(column, in_polars[name].to_numpy())
    np.testing.assert_array_equal(ours.interpolated, in_pandas["interpolated"].to_numpy())


if __name__ == "__main__":
    sys.exit(report(rows()))
