"""A small market for tests: registered assets, stored bars, a routing table, and portfolios over them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

import mainsequence.client as msc
from mainsequence.virtualfundbuilder import (
    AssetsConfiguration,
    BacktestingWeightsConfig,
    PortfolioBuildConfiguration,
    PortfolioConfiguration,
    PortfolioExecutionConfiguration,
    PortfolioMarketsConfig,
    PortfolioStrategy,
    PricesConfiguration,
)

SERIES, TABLE, UNIVERSE = "raw bars", "routes", "universe"
SESSIONS = [
    "2024-01-02",
    "2024-01-03",
    "2024-01-04",
    "2024-01-05",
    "2024-01-08",
    "2024-01-09",
    "2024-01-10",
    "2024-01-11",
]
"""Eight sessions of XNYS: no holiday among them, one weekend."""


def register(names: Iterable[str], **fields: Any) -> list[msc.Asset]:
    return msc.Asset.batch_get_or_register_custom_assets(
        [
            {"unique_identifier": name, "snapshot": {"name": name, "ticker": name, "exchange_code": "US"}} | fields
            for name in names
        ]
    )


def bars(prices: Mapping[str, Sequence[float | None]], days: Sequence[str] = SESSIONS) -> pd.DataFrame:
    """Closes of assets on days, stamped at midnight of the day as vendors do; None is no bar."""
    rows = [
        (pd.Timestamp(day, tz="UTC"), name, float(price))
        for name, column in prices.items()
        for day, price in zip(days, column, strict=False)
        if price is not None
    ]
    return pd.DataFrame(rows, columns=["time_index", "unique_identifier", "close"])


def store(prices: Mapping[str, Sequence[float | None]], days: Sequence[str] = SESSIONS) -> msc.Series:
    series = msc.Series.get_or_create(SERIES, {"close": "float64"})
    series.append(bars(prices, days))
    return series


def market(prices: Mapping[str, Sequence[float | None]], days: Sequence[str] = SESSIONS) -> msc.AssetCategory:
    """Register, store, route; give the universe of all of them."""
    assets = register(sorted(prices))
    store(prices, days)
    routes()
    return msc.AssetCategory.get_or_create(unique_identifier=UNIVERSE, assets=assets)


def routes() -> msc.AssetTranslationTable:
    rule = {"asset_filter": {}, "markets_time_serie_unique_identifier": SERIES}
    return msc.AssetTranslationTable.get_or_create(TABLE, rules=[rule])


def configuration(
    signal: Any = "EqualWeights",
    *,
    signal_configuration: dict[str, Any] | None = None,
    universe: str | None = UNIVERSE,
    rebalance: Any = "every_stamp",
    fee: float = 0.0,
    name: str = "Test Portfolio",
    prices: dict[str, Any] | None = None,
    **build: Any,
) -> PortfolioConfiguration:
    weights: dict[str, Any] = {}
    if isinstance(signal, str):
        weights |= {"signal_weights_name": signal, "signal_weights_configuration": signal_configuration or {}}
    else:
        weights["signal_weights_instance"] = signal
    if isinstance(rebalance, str):
        weights |= {
            "rebalance_strategy_name": "ImmediateSignal",
            "rebalance_strategy_configuration": {"rebalance_frequency": rebalance},
        }
    else:
        weights["rebalance_strategy_instance"] = rebalance
    rules = PricesConfiguration(**({"translation_table_unique_id": TABLE} | (prices or {})))
    return PortfolioConfiguration(
        portfolio_build_configuration=PortfolioBuildConfiguration(
            assets_configuration=AssetsConfiguration(assets_category_unique_id=universe, prices_configuration=rules),
            backtesting_weights_configuration=BacktestingWeightsConfig(**weights),
            execution_configuration=PortfolioExecutionConfiguration(commission_fee=fee),
            **build,
        ),
        portfolio_markets_configuration=PortfolioMarketsConfig(portfolio_name=name),
    )


def portfolio(*args: Any, namespace: str | None = None, **kwargs: Any) -> PortfolioStrategy:
    return PortfolioStrategy(portfolio_configuration=configuration(*args, **kwargs), hash_namespace=namespace)


def play(*args: Any, **kwargs: Any) -> PortfolioStrategy:
    node = portfolio(*args, **kwargs)
    node.run(show_progress=False)
    return node


def closes(node: PortfolioStrategy) -> list[float]:
    return list(node.values()["close"])


def held(node: PortfolioStrategy, column: str = "weight_current") -> pd.DataFrame:
    """Weights as stamps × assets, zeros where an asset has no row."""
    return node.weights()[column].unstack("unique_identifier").fillna(0.0)


def same_bytes(one: PortfolioStrategy, other: PortfolioStrategy) -> bool:
    """Compare both series bit for bit."""
    return all(
        left.read_arrow().equals(right.read_arrow())
        for left, right in ((one.series, other.series), (one.weights_series, other.weights_series))
    )
