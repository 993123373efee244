"""A portfolio of 500 assets over 2,520 sessions, from the stored long series to NAV, against vectorbt from matrices.

Ours reads the universe at its revision, the stored prices, resolves the targets at each date and plays the portfolio;
vectorbt is given prices and targets as matrices in memory. `vectorbt` is measured where it is installed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import mainsequence.client as msc
from benchmarks.measure import Row, interleaved, report, row
from benchmarks.portfolio import vectorbt_run
from mainsequence.compute.sessions import schedule
from mainsequence.domain.times import to_micros
from mainsequence.virtualfundbuilder import (
    AssetsConfiguration,
    BacktestingWeightsConfig,
    EqualWeights,
    ImmediateSignal,
    PortfolioBuildConfiguration,
    PricesConfiguration,
)
from mainsequence.virtualfundbuilder.engine import Engine, Sources
from mainsequence.virtualfundbuilder.pricing import price_table
from mainsequence.virtualfundbuilder.universe import PinnedUniverse

ASSETS, SESSIONS = 500, 2_520
UNIVERSE = "benchmark_universe"


@contextmanager
def home() -> Iterator[None]:
    """A home of its own, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("MAINSEQUENCE_HOME")
        os.environ["MAINSEQUENCE_HOME"] = folder
        try:
            yield
        finally:
            msc.disconnect()
            os.environ.pop("MAINSEQUENCE_HOME")
            if before is not None:
                os.environ["MAINSEQUENCE_HOME"] = before


def closes() -> np.ndarray:
    whole = schedule("XNYS").closes
    end = int(whole.searchsorted(to_micros("2024-01-01")))
    return whole[end - SESSIONS : end]


def stored() -> tuple[msc.Series, np.ndarray, np.ndarray]:
    """Register the universe with a hundred joins and leaves, and store prices as a long series."""
    random = np.random.default_rng(5)
    stamps, names = closes(), [f"A{number:03}" for number in range(ASSETS)]
    prices = 100.0 * np.exp(np.cumsum(random.normal(0, 0.01, (SESSIONS, ASSETS)), axis=0))
    assets = msc.Asset.batch_get_or_register_custom_assets(
        [{"unique_identifier": name, "snapshot": {"name": name, "exchange_code": "US"}} for name in names]
    )
    universe = msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=assets)
    for place in range(100):
        day = pd.Timestamp(int(stamps[25 * (place + 1)]), unit="us", tz="UTC").normalize()
        universe.remove_assets([assets[place]], effective_from=day, effective_to=day + pd.Timedelta(days=400))
    times = pa.array(np.repeat(stamps, ASSETS)).view(pa.timestamp("us", "UTC"))
    labels = pa.DictionaryArray.from_arrays(pa.array(np.tile(np.arange(ASSETS, dtype=np.int32), SESSIONS)), names)
    observed = pa.array(np.zeros(len(times), dtype=np.bool_))
    columns = {"unique_identifier": labels.cast(pa.string()), "close": prices.ravel(), "interpolated": observed}
    table = pa.table({"time_index": times, **columns})
    series = msc.Series.get_or_create("benchmark prices", {"close": "float64", "interpolated": "bool"})
    series.append(table)
    mask = PinnedUniverse.pin(UNIVERSE).mask(stamps, tuple(names))
    return series, prices, mask / mask.sum(axis=1, keepdims=True)


def configuration() -> PortfolioBuildConfiguration:
    return PortfolioBuildConfiguration(
        assets_configuration=AssetsConfiguration(
            assets_category_unique_id=UNIVERSE,
            prices_configuration=PricesConfiguration(translation_table_unique_id="unused"),
        ),
        backtesting_weights_configuration=BacktestingWeightsConfig(
            signal_weights_instance=EqualWeights(), rebalance_strategy_instance=ImmediateSignal(calendar_key="XNYS")
        ),
    )


def from_the_store(name: str) -> Callable[[], Any]:
    build = configuration()

    def play() -> Any:
        universe = PinnedUniverse.pin(UNIVERSE)
        prices = price_table(msc.Series.get(unique_identifier=name), None, "close", {})
        played = Engine(build, Sources(universe, prices, None)).play(with_volumes=False)
        assert played is not None
        return played.done

    return play


def rows() -> list[Row]:
    if not find_spec("vectorbt"):
        return []
    with home():
        series, prices, targets = stored()
        ours, peer = from_the_store(series.unique_identifier), vectorbt_run(prices, targets)
        np.testing.assert_allclose(ours().nav, peer().value().to_numpy() / 1e6, rtol=1e-9)
        mine, orders, to_nav = interleaved([ours, peer, lambda: peer().value()], runs=5)
    name = "stored long series to NAV, 500 × 2,520, daily"
    return [
        row(name, mine, "vectorbt from_orders, matrices ready", orders, 10.0),
        row(name, mine, "vectorbt from_orders and value() (the NAV)", to_nav, 10.0),
    ]


if __name__ == "__main__":
    sys.exit(report(rows()))
