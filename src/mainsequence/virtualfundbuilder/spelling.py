"""Configurations as JSON and back: signals and strategies by the names of their classes and their arguments."""

from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from mainsequence.errors import ValidationError
from mainsequence.virtualfundbuilder.factory import full_name
from mainsequence.virtualfundbuilder.models import PortfolioBuildConfiguration
from mainsequence.virtualfundbuilder.rebalancing import RebalanceStrategyBase
from mainsequence.virtualfundbuilder.weights import WeightsBase


def written_configuration(build: PortfolioBuildConfiguration) -> dict[str, Any]:
    """Write a configuration as JSON.

    Raises
    ------
    ValidationError
        The signal was made with arguments that JSON cannot hold.
    """
    weights = build.backtesting_weights_configuration
    plain = build.model_dump(mode="json", exclude={"backtesting_weights_configuration"})
    return plain | {
        "backtesting_weights_configuration": {
            "signal_weights_name": full_name(type(weights.signal)),
            "signal_weights_configuration": signal_arguments(weights.signal),
            "rebalance_strategy_name": full_name(type(weights.rebalance_strategy)),
            "rebalance_strategy_configuration": strategy_fields(weights.rebalance_strategy),
        }
    }


def read_configuration(written: dict[str, Any]) -> PortfolioBuildConfiguration:
    """Read a configuration that `written_configuration` wrote.

    Raises
    ------
    NotFoundError
        The class of the signal or of the strategy cannot be found.
    ValidationError
        It is no configuration.
    """
    return PortfolioBuildConfiguration.parse(written)


def strategy_fields(strategy: RebalanceStrategyBase) -> dict[str, Any]:
    """Write the fields of a strategy that are not left at their defaults."""
    return strategy.model_dump(mode="json", exclude_defaults=True)


def signal_arguments(signal: WeightsBase) -> dict[str, Any]:
    """Write the arguments that a signal was made with."""
    namespace = {} if signal.hash_namespace is None else {"hash_namespace": signal.hash_namespace}
    given = signal.arguments | namespace
    try:
        return dict(to_jsonable_python(given))
    except PydanticSerializationError as error:
        raise ValidationError(
            f"The arguments of {type(signal).__name__} cannot be written down: {error}.",
            hint="Use plain values, pydantic models or dataclasses, so that the portfolio can be rebuilt.",
        ) from error
