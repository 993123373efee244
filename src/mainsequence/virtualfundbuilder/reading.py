"""What a portfolio tells the universe that it reads, so that plans know what a change of members means to it."""

from mainsequence.domain.readers import ReaderAbout
from mainsequence.virtualfundbuilder.contrib.rebalance_strategies import ImmediateSignal
from mainsequence.virtualfundbuilder.models import PortfolioBuildConfiguration
from mainsequence.virtualfundbuilder.rebalancing import RebalanceStrategyBase
from mainsequence.virtualfundbuilder.weights import WeightsBase


def portfolio_reader(
    build: PortfolioBuildConfiguration, *, prices_series: str, values_series: str, weights_series: str
) -> ReaderAbout:
    """Tell how a portfolio reads its universe.

    Parameters
    ----------
    build
        How it is built.
    prices_series, values_series, weights_series
        Where its prices and its numbers are stored.
    """
    assets, weights = build.assets_configuration, build.backtesting_weights_configuration
    starts = [each for each in (build.start_date, assets.prices_configuration.start_date) if each is not None]
    universe = assets.assets_category_unique_id
    return ReaderAbout(
        role="portfolio",
        names=() if universe is None else (universe,),
        translation_table=assets.prices_configuration.translation_table_unique_id,
        start_date=max(starts, default=None),
        end_date=build.end_date,
        signal=type(weights.signal).__name__,
        signal_series=weights.signal.identifier,
        signal_is_stored=type(weights.signal).postings is WeightsBase.postings,
        rebalances=_frequency(weights.rebalance_strategy),
        prices_series=prices_series,
        values_series=values_series,
        weights_series=weights_series,
    )


def _frequency(strategy: RebalanceStrategyBase) -> str | None:
    return strategy.rebalance_frequency if type(strategy) is ImmediateSignal else None
