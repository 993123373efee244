"""What a portfolio says of itself when it is published as ``msc.Portfolio``."""

from typing import Any

from mainsequence.client.portfolios import Portfolio
from mainsequence.domain.categories import named
from mainsequence.domain.pins import name_of
from mainsequence.domain.portfolios import PortfolioAbout
from mainsequence.domain.readers import ReaderAbout
from mainsequence.virtualfundbuilder.manifest import Manifest
from mainsequence.virtualfundbuilder.models import BacktestingWeightsConfig, PortfolioConfiguration
from mainsequence.virtualfundbuilder.spelling import written_configuration


def names(configuration: PortfolioConfiguration) -> dict[str, Any]:
    """Give the identifier and the display name; the first follows from the second where it is left out."""
    markets = configuration.portfolio_markets_configuration
    return named(markets.unique_identifier, markets.portfolio_name)


def publish(
    configuration: PortfolioConfiguration, manifest: Manifest | None, reader: ReaderAbout | None = None
) -> Portfolio:
    """Register a portfolio with its index asset, or make the registered one exactly this.

    Parameters
    ----------
    configuration
        How it is built and called.
    manifest
        What its stored numbers were computed from; ``None`` where nothing is stored.
    reader
        What the universe is told of it.

    Raises
    ------
    AlreadyExistsError
        An asset that is no portfolio has its identifier.
    """
    build = configuration.portfolio_build_configuration
    details = configuration.portfolio_markets_configuration.front_end_details
    told = {} if details is None else details.model_dump(exclude_none=True)
    universe = build.assets_configuration.assets_category_unique_id
    return Portfolio.publish(
        **names(configuration),
        **_stored(manifest),
        description=told.get("description"),
        about=PortfolioAbout(**(_said(build.backtesting_weights_configuration) | told)),
        configuration=written_configuration(build),
        reader=reader,
        universe=None if universe is None else name_of(universe),
    )


def refresh(manifest: Manifest) -> None:
    """Let the portfolios that were published of a series carry the manifest of what it holds now."""
    for portfolio in Portfolio.filter(values_series=manifest.values_series):
        portfolio.patch(**_stored(manifest))


def _stored(manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return {}
    return {
        "calendar_name": manifest.calendar,
        "values_series": manifest.values_series,
        "weights_series": manifest.weights_series,
        "signal_series": manifest.signal_series,
        "manifest": manifest.model_dump(mode="json"),
    }


def _said(weights: BacktestingWeightsConfig) -> dict[str, str]:
    return {
        "signal_name": type(weights.signal).__name__,
        "signal_description": weights.signal.get_explanation(),
        "rebalance_strategy_name": type(weights.rebalance_strategy).__name__,
    }
