"""The routing of the main job, and the three portfolios that it builds."""

from datetime import UTC, datetime

import mainsequence.client as msc
from mainsequence.demo.closes import CLOSES
from mainsequence.demo.membership import COMPANIES
from mainsequence.demo.universes import AS_THEY_WERE, TODAYS
from mainsequence.virtualfundbuilder.contrib.data_nodes.market_cap import AUIDWeight, EqualWeights, FixedWeights
from mainsequence.virtualfundbuilder.contrib.rebalance_strategies import ImmediateSignal
from mainsequence.virtualfundbuilder.models import (
    AssetsConfiguration,
    BacktestingWeightsConfig,
    FrontEndDetails,
    PortfolioBuildConfiguration,
    PortfolioConfiguration,
    PortfolioExecutionConfiguration,
    PortfolioMarketsConfig,
    PricesConfiguration,
)
from mainsequence.virtualfundbuilder.portfolio_nodes import PortfolioStrategy
from mainsequence.virtualfundbuilder.weights import WeightsBase

ROUTES = "us_large_cap_prices"
GROUP = "large_caps_demo"
STEADY = ("JNJ", "KO", "PG", "WMT", "XOM")
"""The five that the signal-driven portfolio holds, at a fifth each."""

COMMISSION = 0.001
"""Ten basis points of what is traded."""

START = datetime(1990, 1, 1, tzinfo=UTC)


def build_routes() -> msc.AssetTranslationTable:
    """Serve US common stocks from the stored closes."""
    rule = msc.AssetTranslationRule(
        asset_filter=msc.AssetFilter(security_type="Common Stock", exchange_code="US"),
        markets_time_serie_unique_identifier=CLOSES,
    )
    return msc.AssetTranslationTable.get_or_create(translation_table_identifier=ROUTES, rules=[rule])


def members_as_they_were() -> PortfolioStrategy:
    """Equal weights over those who were members on each day."""
    about = "Every member of the S&P 500 among the twenty, at equal weight, as the members were on each day."
    return _portfolio("Members as they were", EqualWeights(), about, universe=AS_THEY_WERE)


def todays_members() -> PortfolioStrategy:
    """Equal weights over today's members, for all of history: what hindsight would have bought."""
    about = "Today's members, at equal weight, as if they had been members all along."
    return _portfolio("Today's members", EqualWeights(), about, universe=TODAYS)


def five_fixed_weights() -> PortfolioStrategy:
    """Five names at a fifth each; the signal says which, no category does."""
    figis = {company.ticker: company.figi for company in COMPANIES}
    weights = tuple(AUIDWeight(unique_identifier=figis[ticker], weight=1 / len(STEADY)) for ticker in STEADY)
    signal = FixedWeights(asset_unique_identifier_weights=weights)
    return _portfolio("Five fixed weights", signal, f"{', '.join(STEADY)} at a fifth each.", universe=None)


def register_group(portfolios: list[PortfolioStrategy]) -> msc.PortfolioGroup:
    """Put the published portfolios under one name."""
    return msc.PortfolioGroup.get_or_create(
        display_name="Large caps demo",
        unique_identifier=GROUP,
        portfolio_ids=[each.target_portfolio.id for each in portfolios],
        description="What ignoring membership dates adds.",
    )


def _portfolio(name: str, signal: WeightsBase, about: str, *, universe: str | None) -> PortfolioStrategy:
    build = PortfolioBuildConfiguration(
        assets_configuration=AssetsConfiguration(
            assets_category_unique_id=universe,
            prices_configuration=PricesConfiguration(translation_table_unique_id=ROUTES),
        ),
        backtesting_weights_configuration=BacktestingWeightsConfig(
            signal_weights_instance=signal,
            rebalance_strategy_instance=ImmediateSignal(rebalance_frequency="monthly"),
        ),
        execution_configuration=PortfolioExecutionConfiguration(commission_fee=COMMISSION),
        start_date=START,
    )
    called = PortfolioMarketsConfig(portfolio_name=name, front_end_details=FrontEndDetails(description=about))
    return PortfolioStrategy(
        portfolio_configuration=PortfolioConfiguration(
            portfolio_build_configuration=build, portfolio_markets_configuration=called
        )
    )
