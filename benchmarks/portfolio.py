"""A portfolio of 500 assets over 2,520 sessions: the engine against vectorbt, bt, and one pass over its inputs.

`vectorbt` and `bt` are measured where they are installed (the `bench` extra) and left out where they are not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.measure import Row, interleaved, report, row, row_at_most, seconds_of
from mainsequence.compute.rebalance import simulate
from mainsequence.compute.rebalance_steps import RowArrays
from mainsequence.compute.weights import Targets

Floats = npt.NDArray[np.float64]

ASSETS, SESSIONS, MONTH = 500, 2_520, 21
FEE = 0.001


def market() -> tuple[Floats, Floats]:
    """Prices, and targets that are new at every stamp."""
    random = np.random.default_rng(11)
    prices = 100.0 * np.exp(np.cumsum(random.normal(0, 0.01, (SESSIONS, ASSETS)), axis=0))
    targets = random.random((SESSIONS, ASSETS))
    return prices, targets / targets.sum(axis=1, keepdims=True)


def engine(prices: Floats, targets: Floats, rebalance: npt.NDArray[np.bool_], fee: float) -> Callable[[], Any]:
    times, out = np.arange(SESSIONS, dtype=np.int64), RowArrays.empty(SESSIONS, ASSETS)
    wanted = Targets.dense(targets)
    return lambda: simulate(times, prices, wanted, rebalance, commission_fee=fee, out=out, jit=True)


def one_pass(prices: Floats, targets: Floats) -> Callable[[], Floats]:
    """The least that any engine computes from its inputs: Σ w·r of each row, in NumPy."""
    return lambda: (targets[:-1] * (prices[1:] / prices[:-1] - 1.0)).sum(axis=1)


def vectorbt_run(prices: Floats, targets: Floats) -> Callable[[], Any]:
    """Orders to target percents, cash shared by one group, sells before buys; orders only, no values or weights."""
    import vectorbt

    close, size = pd.DataFrame(prices), pd.DataFrame(targets)
    return lambda: vectorbt.Portfolio.from_orders(
        close,
        size,
        size_type="targetpercent",
        group_by=True,
        cash_sharing=True,
        call_seq="auto",
        fees=0.0,
        init_cash=1e6,
    )


def bt_run(prices: Floats) -> Callable[[], Any]:
    """Equal weights at the start of each month: one run takes long enough to be measured once."""
    import bt

    frame = pd.DataFrame(prices, index=pd.bdate_range("2010-01-04", periods=SESSIONS)).rename(columns=str)
    algos = [bt.algos.RunMonthly(), bt.algos.SelectAll(), bt.algos.WeighEqually(), bt.algos.Rebalance()]
    test = bt.Backtest(bt.Strategy("equal", algos), frame, integer_positions=False, progress_bar=False)
    return lambda: bt.run(test)


def rows() -> list[Row]:
    prices, targets = market()
    daily = np.ones(SESSIONS, dtype=np.bool_)
    name = "portfolio kernel, 500 × 2,520, rebalanced daily"
    mine, least = interleaved([engine(prices, targets, daily, FEE), one_pass(prices, targets)], runs=15)
    found = [row_at_most(name, mine, "one NumPy pass over prices and targets", least, 3.0)]
    if find_spec("vectorbt"):
        orders, free = vectorbt_run(prices, targets), engine(prices, targets, daily, 0.0)
        np.testing.assert_allclose(free().nav, orders().value().to_numpy() / 1e6, rtol=1e-9)
        mine, peer, to_nav = interleaved([free, orders, lambda: orders().value()], runs=5)
        found.append(row(name, mine, "vectorbt from_orders (orders alone)", peer, 100.0))
        found.append(row(name, mine, "vectorbt from_orders and value() (the NAV)", to_nav, 100.0))
    if find_spec("bt"):
        monthly = np.arange(SESSIONS) % MONTH == 0
        equal = np.full((SESSIONS, ASSETS), 1.0 / ASSETS)
        (free,) = interleaved([engine(prices, equal, monthly, 0.0)])
        once = seconds_of(bt_run(prices))
        found.append(
            row("portfolio kernel, 500 × 2,520, rebalanced monthly", free, "bt, equal weights, one run", once, 100.0)
        )
    return found


if __name__ == "__main__":
    sys.exit(report(rows()))
