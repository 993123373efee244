"""Virtual Fund Builder: universe + routed prices + signal + rebalance = portfolio.

Names are loaded when they are first used.
"""

from typing import TYPE_CHECKING

from mainsequence.lazy import loaded_when_used

if TYPE_CHECKING:
    from mainsequence.virtualfundbuilder.contrib.data_nodes.market_cap import AUIDWeight, EqualWeights, FixedWeights
    from mainsequence.virtualfundbuilder.contrib.prices.data_nodes import InterpolatedPrices
    from mainsequence.virtualfundbuilder.contrib.rebalance_strategies import ImmediateSignal
    from mainsequence.virtualfundbuilder.manifest import Manifest, Rebuilt, rebuild
    from mainsequence.virtualfundbuilder.models import (
        AssetsConfiguration,
        BacktestingWeightsConfig,
        FrontEndDetails,
        PortfolioBuildConfiguration,
        PortfolioConfiguration,
        PortfolioExecutionConfiguration,
        PortfolioMarketsConfig,
        PricesConfiguration,
        PriceType,
    )
    from mainsequence.virtualfundbuilder.portfolio_nodes import PortfolioStrategy
    from mainsequence.virtualfundbuilder.rebalancing import Moments, RebalanceStrategyBase
    from mainsequence.virtualfundbuilder.report import PortfolioReport, RunFlag, SoldAsset
    from mainsequence.virtualfundbuilder.weights import WeightsBase

_ROOMS = {
    "contrib.data_nodes.market_cap": ("AUIDWeight", "EqualWeights", "FixedWeights"),
    "contrib.prices.data_nodes": ("InterpolatedPrices",),
    "contrib.rebalance_strategies": ("ImmediateSignal",),
    "manifest": ("Manifest", "Rebuilt", "rebuild"),
    "models": (
        "AssetsConfiguration",
        "BacktestingWeightsConfig",
        "FrontEndDetails",
        "PortfolioBuildConfiguration",
        "PortfolioConfiguration",
        "PortfolioExecutionConfiguration",
        "PortfolioMarketsConfig",
        "PriceType",
        "PricesConfiguration",
    ),
    "portfolio_nodes": ("PortfolioStrategy",),
    "rebalancing": ("Moments", "RebalanceStrategyBase"),
    "report": ("PortfolioReport", "RunFlag", "SoldAsset"),
    "weights": ("WeightsBase",),
}
_HOMES = {name: f"{__name__}.{room}" for room, names in _ROOMS.items() for name in names}

__all__ = [
    "AUIDWeight",
    "AssetsConfiguration",
    "BacktestingWeightsConfig",
    "EqualWeights",
    "FixedWeights",
    "FrontEndDetails",
    "ImmediateSignal",
    "InterpolatedPrices",
    "Manifest",
    "Moments",
    "PortfolioBuildConfiguration",
    "PortfolioConfiguration",
    "PortfolioExecutionConfiguration",
    "PortfolioMarketsConfig",
    "PortfolioReport",
    "PortfolioStrategy",
    "PriceType",
    "PricesConfiguration",
    "RebalanceStrategyBase",
    "Rebuilt",
    "RunFlag",
    "SoldAsset",
    "WeightsBase",
    "rebuild",
]

__getattr__, __dir__ = loaded_when_used(__name__, _HOMES)
